"""A generic netlink socket: many requests per send, every answer matched by its sequence number."""

import socket
from collections.abc import Iterator, Sequence
from errno import EACCES, ENOENT, EPERM, errorcode
from os import strerror
from struct import Struct

from libra_ipvs_writer.netlink import (
    GENL_ID_CTRL,
    HEADER,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    MalformedMessage,
    Message,
    family_of,
    family_request,
    message,
    messages,
)
from libra_schemas.errors import LibraError

NETLINK_GENERIC = 16
SOL_NETLINK = 270
ACK = Struct("=IHHIIi")
TIMEVAL = Struct("@ll")
NETLINK_CAP_ACK = 10
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 4 << 20
DATAGRAM = 1 << 16
BATCH_MESSAGES = 200
BATCH_BYTES = 1 << 16
ANSWER_TIMEOUT = 5.0
DUMP_TRIES = 5


class KernelUnavailable(LibraError):
    """The kernel's IPVS cannot be reached or changed; the message says what to do."""


class KernelRefused(LibraError):
    """The kernel refused a single request; *errno* says why."""

    def __init__(self, what: str, errno: int) -> None:
        super().__init__(f"The kernel refused to {what}: {describe(errno)}.")
        self.errno = errno


def _timeval(seconds: float) -> bytes:
    return TIMEVAL.pack(int(seconds), int(seconds % 1 * 1_000_000))


def describe(errno: int) -> str:
    """Say an errno as `EEXIST: File exists`."""
    return f"{errorcode.get(errno, errno)}: {strerror(errno)}"


class Wire:
    """One netlink socket bound to one generic family of the current network namespace."""

    def __init__(self, family: str) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        # SO_RCVTIMEO instead of settimeout(): one system call per ack instead of two
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(ANSWER_TIMEOUT))
        self._socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self._widen()
        self._socket.bind((0, 0))
        self._buffer = memoryview(bytearray(DATAGRAM))
        self._sequence = self._first = 0
        self._interrupted = False
        try:
            self._family = self._look_up(family)
        except LibraError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _widen(self) -> None:
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        except PermissionError:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)

    def _look_up(self, family: str) -> int:
        self._family = GENL_ID_CTRL
        answers, errno = self._dialogue(family_request(family), NLM_F_ACK)
        if errno == ENOENT:
            raise KernelUnavailable(
                f"This kernel has no {family}: load it with `modprobe ip_vs` "
                "(the module is part of the distribution's full kernel package)."
            )
        if errno or not answers:
            raise KernelUnavailable(f"The kernel did not name {family}: {describe(errno)}.")
        return family_of(answers[0])

    def ask(self, payload: bytes, what: str) -> list[bytes]:
        """Send one request; give the payloads answered before its ack; *what* is for errors."""
        answers, errno = self._dialogue(payload, NLM_F_ACK)
        if errno:
            self.permitted(errno)
            raise KernelRefused(what, errno)
        return answers

    def dump(self, payload: bytes, what: str) -> list[bytes]:
        """Send a dump request; give every payload; a dump that was interrupted is repeated."""
        for _ in range(DUMP_TRIES):
            self._interrupted = False
            answers, errno = self._dialogue(payload, NLM_F_DUMP)
            if errno:
                self.permitted(errno)
                raise KernelRefused(what, errno)
            if not self._interrupted:
                return answers
        raise KernelUnavailable(f"The kernel changed too often to {what}.")

    @staticmethod
    def permitted(errno: int) -> None:
        """Raise KernelUnavailable when *errno* says that we lack the privilege."""
        if errno in (EPERM, EACCES):
            raise KernelUnavailable(
                "The IPVS table needs CAP_NET_ADMIN: run as root with `--cap-add NET_ADMIN`."
            )

    def _dialogue(self, payload: bytes, flags: int) -> tuple[list[bytes], int]:
        try:
            return self._converse(payload, flags)
        except OSError as error:
            raise KernelUnavailable(f"The kernel did not answer: {error}.") from error

    def _converse(self, payload: bytes, flags: int) -> tuple[list[bytes], int]:
        self._sequence += 1
        self._socket.send(message(self._family, NLM_F_REQUEST | flags, self._sequence, payload))
        answers: list[bytes] = []
        while True:
            for each in self._receive():
                if each.sequence != self._sequence:
                    continue
                if each.type in (NLMSG_ERROR, NLMSG_DONE):
                    return answers, each.errno
                self._interrupted |= bool(each.flags & NLM_F_DUMP_INTR)
                answers.append(each.payload)

    def _receive(self) -> Iterator[Message]:
        size = self._socket.recv_into(self._buffer, DATAGRAM, socket.MSG_TRUNC)
        if size > DATAGRAM:
            raise MalformedMessage(f"an answer of {size} bytes was cut")
        return messages(bytes(self._buffer[:size]))

    def send_all(self, payloads: Sequence[bytes]) -> list[int | None]:
        """Send requests in batches; give each one's errno, None where no ack came.

        At the first batch whose acks are incomplete (lost, cut, buffer overflow) the rest is not
        sent and stays None: it is unknown what the kernel did.
        """
        errnos: list[int | None] = [None] * len(payloads)
        at = 0
        while at < len(payloads):
            size = self._send_batch(payloads, at)
            if not self._collect(errnos, at, size):
                break
            at += size
        return errnos

    def _send_batch(self, payloads: Sequence[bytes], at: int) -> int:
        batch: list[bytes] = []
        room = BATCH_BYTES
        for payload in payloads[at : at + BATCH_MESSAGES]:
            sequence = self._sequence + len(batch) + 1
            room -= HEADER.size + len(payload)
            if room < 0 and batch:
                break
            batch.append(message(self._family, NLM_F_REQUEST | NLM_F_ACK, sequence, payload))
        self._first = self._sequence + 1
        self._sequence += len(batch)
        self._socket.send(b"".join(batch))
        return len(batch)

    def _collect(self, errnos: list[int | None], at: int, size: int) -> bool:
        missing = size
        try:
            while missing:
                for sequence, errno in self._acks():
                    number = sequence - self._first
                    if 0 <= number < size and errnos[at + number] is None:
                        errnos[at + number] = errno
                        missing -= 1
        except (OSError, MalformedMessage):
            return False
        return True

    def _acks(self) -> list[tuple[int, int]]:
        """Receive one datagram of acks; give (sequence, errno) each."""
        size = self._socket.recv_into(self._buffer)
        if size == ACK.size + HEADER.size:
            length, kind, _, sequence, _, errno = ACK.unpack_from(self._buffer)
            if length == size and kind == NLMSG_ERROR:
                return [(sequence, -errno)]
        several = messages(bytes(self._buffer[:size]))
        return [(each.sequence, each.errno) for each in several if each.type == NLMSG_ERROR]
