"""Turn a forked process into the program it is to be."""

import errno
import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from typing import NoReturn

NOT_FOUND = 127
DESCRIPTORS = 1024


def require_program(name: str, environment: Mapping[str, str]) -> None:
    """Raise FileNotFoundError where *name* is nowhere on PATH.

    execvpe() calls it denied where one directory of PATH may not be searched.
    """
    if os.sep not in name and shutil.which(name, path=environment.get("PATH")) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)


def become(
    argv: list[str],
    cwd: str,
    environment: Mapping[str, str],
    descriptors: Sequence[int],
    speaker: str = "lab/run",
) -> NoReturn:
    """Run `argv` in `cwd` on descriptors for input, output and errors; all others are closed.

    The caller is a fresh child, leader of its session. What cannot be run is told on the errors in
    one sentence of `speaker`, and the exit status is 127.
    """
    try:
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(len(descriptors), DESCRIPTORS)
        os.chdir(cwd)
        require_program(argv[0], environment)
        os.execvpe(argv[0], argv, environment)  # noqa: S606  it is the lab's purpose
    except OSError as error:
        unseen = error.filename == cwd
        what = f"{cwd}: the lab does not see this directory" if unseen else argv[0]
        why = "go to the checkout" if unseen else error.strerror
        os.write(2, f"{speaker}: {what}: {why}\n".encode())
    os._exit(NOT_FOUND)
