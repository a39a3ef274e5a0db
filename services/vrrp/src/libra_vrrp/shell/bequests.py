"""The file in which a service leaves what the next one adopts; root's alone, taken once."""

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from libra_vrrp.bequest import Bequest, parse, render
from libra_vrrp.guarding import Estate
from libra_vrrp.shell.say import log
from libra_vrrp.wills import MalformedWill

_LARGEST: Final = 1 << 24


def place() -> str:
    """Name this boot of this host, and our network namespace."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {Path('/proc/self/ns/net').stat().st_ino}"


def leave(file: Path, bequest: Bequest) -> bool:
    """Leave it; False where it cannot be kept. It need not survive a crash of the host."""
    fresh = file.with_name(f".{file.name}")
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(_bounded(render(bequest)))
        fresh.replace(file)
    except OSError as refused:
        log("nothing can be left to a successor", "error", why=f"{file}: {refused.strerror}")
        return False
    return True


def _bounded(content: bytes) -> bytes:
    """Raise `OSError` where it is more than is read."""
    if len(content) > _LARGEST:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content


def tell(left: Mapping[str, Estate], now: float, *, is_followed: bool) -> None:
    """Say what is left to whom, and who has to start that one where nobody does it for them."""
    instances, until = sorted(left), min((one.until for one in left.values()), default=now)
    if is_followed:
        if instances:
            log("left to a successor", instances=instances)
        return
    log(
        "ending on SIGUSR1: start libra-vrrp again, nothing else does",
        "warning",
        instances_left=instances,
        seconds=round(until - now, 3),
        otherwise="other directors take over; what is not left was handed over to them",
    )


def withdraw(file: Path) -> bool:
    """Leave it no more; False where somebody has taken it."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as refused:
        log("what was left lies there still", "warning", why=f"{file}: {refused.strerror}")
    return True


def take(file: Path) -> Bequest | None:
    """Take what was left here in this boot, so that nobody takes it again; None where nothing."""
    try:
        content = _read(file)
        file.unlink()
        bequest = parse(content)
    except FileNotFoundError:
        return None
    except (OSError, MalformedWill) as wrong:
        log("what was left cannot be taken over", "warning", why=str(wrong))
        return None
    return bequest if bequest.place == place() else None


def _read(file: Path) -> bytes:
    """Read what we ourselves wrote; raise `OSError` for what another user did."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(opened.fileno())
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise PermissionError(1, "not written by this user alone", str(file))
        return opened.read(_LARGEST)
