"""How commands end: the exit statuses, and errors of one sentence.

0  done
1  what was given is wrong or was refused: a config with errors, a stale base, an unknown entity
2  the command line itself is wrong (click's own)
3  the console or the log cannot be reached
4  something is missing on this host: privilege, kernel module, program, a free port
70 we are wrong (sysexits.h EX_SOFTWARE)
"""

from libra_schemas.errors import LibraError

DONE = 0
REFUSED = 1
UNREACHABLE = 3
MISSING = 4
BROKEN = 70


class CommandError(LibraError):
    """Ends a command: one sentence that says what is wrong and what to do."""

    def __init__(self, sentence: str, status: int = REFUSED) -> None:
        super().__init__(sentence)
        self.status = status
