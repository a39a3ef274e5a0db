"""Play worlds until one breaks a promise: `make simulate` (HOURS=, SEEDS=, or SEED= once more)."""

import argparse
import gc
import multiprocessing
import sys
import time
from collections.abc import Iterator
from itertools import count

from tests.vrrp.simulation.play import play

EVERY = 60.0
"""Seconds between two lines of progress."""
SELDOM = 50_000
"""Objects made between two looks for garbage."""


def main() -> int:
    """Return 1 where a promise was broken."""
    asked = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    asked.add_argument("--seed", type=int, help="play this world alone")
    asked.add_argument("--seeds", type=int, help="play so many")
    asked.add_argument("--hours", type=float, help="play for so long")
    asked.add_argument("--first", type=int, default=int(time.time()), help="begin with this one")
    told = asked.parse_args()
    if told.seed is not None:
        failure = play(told.seed)
        print(failure or f"seed {told.seed}: every promise was kept")
        return int(failure is not None)
    hours = told.hours or (1.0 if told.seeds is None else float("inf"))
    seeds = count(told.first) if told.seeds is None else range(told.first, told.first + told.seeds)
    return _play_all(iter(seeds), time.monotonic() + hours * 3600)


def _play_all(seeds: Iterator[int], until: float) -> int:
    """Play on every core; tell of the first failure, and now and then how far it is."""
    played, said_at, began = 0, time.monotonic(), time.monotonic()
    with multiprocessing.Pool(initializer=_begin) as pool:
        for failure in pool.imap(play, seeds, chunksize=8):
            played += 1
            now = time.monotonic()
            if failure is not None:
                print(failure)
                return 1
            if now >= said_at + EVERY:
                said_at = now
                print(f"{played} worlds, {played / (now - began):.0f} a second", flush=True)
            if now >= until:
                break
    print(f"{played} worlds: every promise was kept")
    return 0


def _begin() -> None:
    """Look for garbage seldom: a world is small, and soon over."""
    gc.freeze()
    gc.set_threshold(SELDOM, 20, 100)


if __name__ == "__main__":
    sys.exit(main())
