"""Reads what netfilter holds at FORWARD: ip_tables by socket option, nf_tables by netlink.

Nothing is loaded by asking: a table is asked for only where the kernel says that it has it.
"""

import ctypes
import socket
from errno import EINVAL, EOPNOTSUPP, EPROTONOSUPPORT
from functools import lru_cache
from os import strerror
from pathlib import Path

from libra_ipvs_writer.packet_filter import legacy, nft
from libra_ipvs_writer.packet_filter.rules import Base, Family, UnreadableRules
from libra_ipvs_writer.shell.inquiry import NETFILTER, Inquiry

NAMES: dict[Family, str] = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
SOCKETS: dict[Family, tuple[int, int]] = {
    4: (socket.AF_INET, socket.IPPROTO_IP),
    6: (socket.AF_INET6, socket.IPPROTO_IPV6),
}
MODULES, SYMBOLS, NETLINK = Path("/proc/modules"), Path("/proc/kallsyms"), Path("/proc/net/netlink")
BUILT_IN = b" nft_do_chain\n"
"""A symbol of nf_tables; behind that of a module stands the module's name."""
ABSENT = {EINVAL, EOPNOTSUPP, EPROTONOSUPPORT}
TRIES = 3


class ForwardRules:
    """The base chains of this network namespace; what did not change is not read again."""

    def __init__(self) -> None:
        self._generation = 0
        self._nft: dict[Family, list[Base]] = {}

    def read(self, family: Family) -> list[Base]:
        """Read what packets of *family* meet; raise OSError or UnreadableRules."""
        return [*_read_legacy(family), *self._read_nft(family)]

    def _read_nft(self, family: Family) -> list[Base]:
        if not nf_tables_is_there():
            return []
        try:
            with Inquiry(NETFILTER) as inquiry:
                return self._newest(inquiry, family)
        except OSError as error:
            if error.errno in ABSENT:
                return []
            raise

    def _newest(self, inquiry: Inquiry, family: Family) -> list[Base]:
        asked = nft.SUBSYSTEM | nft.GET_GENERATION, nft.request()
        generation = nft.generation(inquiry.one(*asked))
        if generation != self._generation:
            self._nft = _read_all(inquiry)
            if nft.generation(inquiry.one(*asked)) != generation:
                raise UnreadableRules("the rules of nf_tables changed while they were read")
            self._generation = generation
        return self._nft.get(family, [])


def _read_all(inquiry: Inquiry) -> dict[Family, list[Base]]:
    tables = inquiry.dump(nft.SUBSYSTEM | nft.GET_TABLE, nft.request())
    chains = inquiry.dump(nft.SUBSYSTEM | nft.GET_CHAIN, nft.request())
    found: dict[Family, list[Base]] = {4: [], 6: []}
    rules: dict[nft.Place, dict[str, list[bytes]]] = {}
    for hook in nft.hooked(tables, chains):
        place = hook.place
        if place not in rules:
            asked = nft.request(place.family, place.table)
            dumped = inquiry.dump(nft.SUBSYSTEM | nft.GET_RULE, asked)
            rules[place] = nft.programs(place, dumped)
        for family in nft.FAMILIES[place.family][1]:
            found[family].append(nft.decode(hook, family, rules[place]))
    return found


def nf_tables_is_there() -> bool:
    """Tell whether nf_tables can be asked without loading it."""
    try:
        loaded = MODULES.read_text()
    except FileNotFoundError:
        return True  # a kernel without modules loads none
    if any(line.startswith("nf_tables ") for line in loaded.splitlines()):
        return True
    rows = (line.split() for line in NETLINK.read_text().splitlines())
    nfnetlink = any(row[1:2] == [str(NETFILTER)] for row in rows)
    return nfnetlink and _nf_tables_is_built_in()


@lru_cache(maxsize=1)
def _nf_tables_is_built_in() -> bool:
    with SYMBOLS.open("rb") as lines:
        return any(line.endswith(BUILT_IN) for line in lines)


def _read_legacy(family: Family) -> list[Base]:
    try:
        names = Path(NAMES[family]).read_text().split()
    except FileNotFoundError:
        return []
    if legacy.TABLE not in names:
        return []
    kind, level = SOCKETS[family]
    with socket.socket(kind, socket.SOCK_DGRAM) as asked:
        for _ in range(TRIES):
            info = legacy.decode_info(_option(asked, level, legacy.SO_GET_INFO, legacy.INFO.size))
            try:
                size = legacy.REQUEST.size + info.size
                octets = _option(asked, level, legacy.SO_GET_ENTRIES, size)
            except BlockingIOError:  # EAGAIN: the table changed meanwhile
                continue
            return [legacy.decode(family, info, octets[legacy.REQUEST.size :])]
    raise UnreadableRules("the rules of ip_tables change faster than they can be read")


def _option(asked: socket.socket, level: int, option: int, size: int) -> bytes:
    """Ask by getsockopt(2), whose buffer carries the question: Python's own sends none."""
    libc = ctypes.CDLL(None, use_errno=True)
    question = legacy.request(size - legacy.REQUEST.size)
    buffer = ctypes.create_string_buffer(question, size)
    length = ctypes.c_uint32(size)
    if libc.getsockopt(asked.fileno(), level, option, buffer, ctypes.byref(length)):
        errno = ctypes.get_errno()
        raise OSError(errno, strerror(errno))
    return buffer.raw[: length.value]
