"""What went over a wire: tcpdump, started ready and read line by line."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from libra_lab.commands import CommandFailed
from libra_lab.inside import start_inside

READY = "listening on"


class Capture:
    """A running tcpdump; `lines` grows while packets pass."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.lines: list[str] = []
        self._process = process
        self._grew = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._grew:
                self.lines += filter(None, [line.rstrip("\n")])
                self._grew.notify_all()

    def wait_for(self, pattern: str, timeout: float = 60.0) -> str:
        """Return the first line that matches the regular expression; raise TimeoutError."""
        wanted, deadline = re.compile(pattern), time.monotonic() + timeout
        with self._grew:
            while True:
                for line in self.lines:
                    if wanted.search(line):
                        return line
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no packet matched {pattern!r} in {timeout:g} s")
                self._grew.wait(left)

    def stop(self) -> list[str]:
        """End the capture and return all its lines."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()
        self._reader.join()
        return self.lines


@contextmanager
def capture(
    namespace: str, interface: str, expression: str = "", *options: str
) -> Iterator[Capture]:
    """Capture on `interface` what matches `expression` (pcap-filter(7)) while the block runs.

    `options` are more of tcpdump's, such as `-x`, or `-w FILE` for a pcap file. Raise CommandFailed
    if tcpdump does not get ready.
    """
    argv = ["tcpdump", "-nn", "-l", "-U", "--immediate-mode", "-i", interface]
    if os.geteuid() == 0:
        argv += ["-Z", "root"]
    argv += [*options, *expression.split()]
    process = start_inside(namespace, argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told = []
    for line in process.stderr or ():
        told.append(line)
        if READY in line:
            break
    else:
        process.wait()
        raise CommandFailed(f"{' '.join(argv)}: {''.join(told).strip()}")
    drain = threading.Thread(target=lambda: list(process.stderr or ()), daemon=True)
    drain.start()
    running = Capture(process)
    try:
        yield running
    finally:
        running.stop()
        drain.join()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
