"""The least that can be late: the control of row advert-jitter.

`python -m bench.timer INTERVAL SECONDS`: a process with LibrA's real-time priority, where it may
have that, which only waits; it says by how many milliseconds more than the interval each time. What
this takes is the machine, and those beside it on the same hardware.
"""

import contextlib
import json
import os
import subprocess
import sys
import time

from bench.lateness import lateness

PRIORITY = 50


def waited(interval: float, seconds: float) -> list[float]:
    """Run this module as a process of its own; return what it says."""
    words = [sys.executable, "-m", "bench.timer", str(interval), str(seconds)]
    told: list[float] = json.loads(subprocess.run(words, stdout=-1, check=True).stdout)
    return told


def main(interval: float, seconds: float) -> None:
    """Wait, again and again."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    times = [time.monotonic()]
    while times[-1] < times[0] + seconds:
        time.sleep(interval)
        times.append(time.monotonic())
    print(json.dumps(lateness(times, interval)))


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
