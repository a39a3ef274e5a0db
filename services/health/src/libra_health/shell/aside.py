"""Does errands beside the driver's thread (to be replaced by branch `errands`)."""

from __future__ import annotations

import errno
from collections.abc import Callable

from libra_health.errands import Done, Errand, FileUnread, ReadFile, Unexecuted


class Aside:
    """A stand-in that can do nothing yet."""

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post

    def begin(self, errand: Errand, told: Callable[[Done], None]) -> Callable[[], None]:
        """Say that it cannot be done."""
        done = FileUnread(errno.ENOSYS) if isinstance(errand, ReadFile) else Unexecuted("not yet")
        self._post(lambda: told(done))
        return lambda: None

    def close(self) -> None:
        """End."""
