"""The lab's end of the way in: run visitors' commands in a running lab, in one of its machines.

A process of its own beside the lab's command; it ends with it, and so do all visits. The frames
are those of `frames`; the line blocks only as long as the door at its other end does not read.
"""

import contextlib
import os
import select
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from libra_lab.frames import CHUNK, Frame, Frames, Kind
from libra_lab.inside import NAMESPACES, enter, noted, own_sysfs
from libra_lab.order import Order, namespace_of, short
from libra_lab.program import become
from libra_lab.visit import Visit, started

FAILED = 125
SPEAKER = "lab/enter"


def start_agent(line: int, environment: Mapping[str, str]) -> None:
    """Start the agent on `line`; `environment` is what every visitor's command finds."""
    if os.fork():
        return
    status = 1
    try:
        os.setsid()
        for descriptor in range(3, line):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        Agent(line, environment).serve()
        status = 0
    except BaseException:  # noqa: BLE001  a forked process must not return into its parent's code
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


class Agent:
    """All visits of one lab."""

    def __init__(self, line: int, environment: Mapping[str, str]) -> None:
        self.line = line
        self.environment = environment
        self.frames = Frames()
        self.visits: dict[int, Visit] = {}
        self.left: list[int] = []

    def say(self, visit: int, kind: Kind, data: bytes = b"") -> None:
        """Write one frame, whole."""
        view = memoryview(Frame(visit, kind, data).encode())
        while view:
            view = view[os.write(self.line, view) :]

    def serve(self) -> None:
        """Serve until the line ends."""
        self.say(0, Kind.READY)
        while self._turn():
            pass

    def _turn(self) -> bool:
        poll = select.poll()
        poll.register(self.line, select.POLLIN)
        for visit in self.visits.values():
            for descriptor, events in visit.wishes().items():
                poll.register(descriptor, events)
        self.left = [process for process in self.left if not ended(process)]
        if self.line in dict(poll.poll()) and not self._hear():
            return False
        for number, visit in list(self.visits.items()):
            for kind, data in visit.move():
                self.say(number, kind, data)
            if visit.over:
                visit.close()
                del self.visits[number]
        return True

    def _hear(self) -> bool:
        data = os.read(self.line, CHUNK)
        self.say(0, Kind.TAKEN, str(len(data)).encode())
        for frame in self.frames.feed(data):
            if frame.kind is Kind.COMMAND:
                self._begin(frame)
            elif frame.visit in self.visits:
                self.visits[frame.visit].hear(frame)
                if frame.kind is Kind.GONE:
                    self.left.append(self.visits.pop(frame.visit).process)
        return bool(data)

    def _begin(self, frame: Frame) -> None:
        try:
            order = Order.decode(frame.data)
            there = (entry.name for entry in Path(NAMESPACES).iterdir())
            namespace = None if order.node is None else namespace_of(order.node, there)
            found = (
                {} if namespace is None else {"LIBRA_NODE": short(namespace), **noted(namespace)}
            )
            environment = {**order.environment, **self.environment, **found}
            self.visits[frame.visit] = started(
                order, lambda descriptors: _inside(order, namespace, environment, descriptors)
            )
        except (OSError, LookupError, TypeError, ValueError) as error:
            self.say(frame.visit, Kind.ERRORS, f"{SPEAKER}: {error.args[-1]}\n".encode())
            self.say(frame.visit, Kind.EXIT, str(FAILED).encode())


def ended(process: int) -> bool:
    """Tell whether a child of ours has ended; it is forgotten then."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _inside(
    order: Order,
    namespace: str | None,
    environment: Mapping[str, str],
    descriptors: tuple[int, int, int],
) -> None:
    try:
        if namespace is not None:
            enter(namespace)
            own_sysfs()
    except OSError as error:
        os.write(descriptors[2], f"{SPEAKER}: {order.node}: {error.strerror}\n".encode())
        os._exit(FAILED)
    become(order.argv, order.cwd, environment, descriptors, SPEAKER)
