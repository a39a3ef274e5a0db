"""`make demo`: tell the story once; `KEEP=1` stays up afterwards, `CHAOS=seed` kills processes."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from libra_lab.commands import CommandFailed
from libra_lab.demo.scene import Scene, scene
from libra_lab.demo.story import STEPS, StepFailed, run_step
from libra_lab.demo.tell import Told

TAIL = 40
INTERRUPTED = 130
USAGE = 2


def main() -> int:
    """Return 0 only if every step held."""
    told = Told()
    seed = os.environ.get("CHAOS", "")
    if not seed.isascii() or (seed and not seed.isdigit()):
        sys.stderr.write(f"demo: CHAOS is the seed of the kills, a whole number, not {seed!r}\n")
        return USAGE
    keep = os.environ.get("KEEP", "") not in ("", "0")
    with scene(told, int(seed) if seed else None) as made:
        try:
            for step in STEPS:
                run_step(made, step)
        except KeyboardInterrupt:
            told.step("Interrupted.")
            return INTERRUPTED
        except (StepFailed, CommandFailed, TimeoutError, LookupError, OSError) as error:
            _explain(made, error)
            return 1
        told.step("Every step held.")
        if made.chaos:
            told.figure("processes killed", str(len(made.chaos.killed)))
        told.figure("the story took", f"{time.monotonic() - told.started:.0f} s")
        told.summary()
        if keep:
            _stay(made)
    return 0


def _explain(made: Scene, error: Exception) -> None:
    made.told.step(f"FAILED: {error}")
    for director in made.directors:
        sys.stdout.write(f"--- last words of {director.name}\n")
        sys.stdout.writelines(director.output.read_text().splitlines(keepends=True)[-TAIL:])
    if made.chaos:
        sys.stdout.write(f"--- killed: {' '.join(made.chaos.killed)}\n")


def lines_to_type(web: str, config: Path) -> list[str]:
    """Return what shows the running pair; *web* is the virtual address and port."""
    return [
        "lab/enter a ipvsadm -Ln                # the kernel's table of director a; b has its own",
        "lab/enter a libra status               # who is master, which backends are in",
        "lab/enter b libra events --follow      # every decision, as b logs it",
        f"lab/enter client curl -s http://{web}/   # a request through the virtual address",
        f"lab/enter a libra apply {config}   # after a change of that file, which is in the lab",
        "lab/enter a                            # a shell on director a",
    ]


def _stay(made: Scene) -> None:
    """Stay up until Ctrl-C and tell how to look around."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    made.told.step("Up until Ctrl-C. Look around from another terminal, in this directory:")
    for line in lines_to_type(made.web, made.directors[0].config):
        made.told.fact(line)
    done.wait()


if __name__ == "__main__":
    sys.exit(main())
