"""The process that matches costly patterns: it may be killed in the middle of a match.

It is run as a file, without site packages, and imports nothing of LibrA. It ends with its parent:
at the end of its input, or by the alarm when it is stuck.
"""

from __future__ import annotations

import re
import signal
import struct
import sys

SIZES = struct.Struct("!II")
ANSWER = struct.Struct("!?I")
"""Whether the pattern was found, and the end of what was."""
READY = ABSENT = ANSWER.pack(False, 0)
_LONGEST = 2
"""Seconds after which a match whose parent is gone ends this process."""


def main() -> None:
    """Read pattern and data, answer where one matches the other first, for ever."""
    heard, said = sys.stdin.buffer, sys.stdout.buffer
    answer = READY
    while True:
        said.write(answer)
        said.flush()
        head = heard.read(SIZES.size)
        if len(head) < SIZES.size:
            return
        pattern, data = (heard.read(size) for size in SIZES.unpack(head))
        signal.alarm(_LONGEST)
        found = re.search(pattern, data)
        answer = ANSWER.pack(True, found.end()) if found else ABSENT
        signal.alarm(0)


if __name__ == "__main__":
    main()
