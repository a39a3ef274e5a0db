"""What the kernel's settings of an interface must be for virtual addresses on it.

LIBRA_PROC_SYS stands for /proc/sys, which is read-only in containers.
"""

import contextlib
import os
from functools import cache
from pathlib import Path


def unfit(name: str, version: int) -> str | None:
    """Say why an interface can hold no virtual address of this IP version, None where it can.

    What LibrA may set is set.
    """
    if version == 6:  # noqa: PLR2004 - IPv6
        return _unfit_for_ipv6(name)
    return None if prepare_interface(name) else _unfit_for_ipv4(name)


def prepare_interface(name: str) -> bool:
    """Have promote_secondaries set, read back; say whether it holds.

    Without it the end of a lease on an address that had become primary would take the host's own
    addresses of that subnet along (net/ipv4/devinet.c). IPv6 has no such addresses.
    """
    setting = conf(4) / name / "promote_secondaries"
    if _is_set(setting) or _is_set(conf(4) / "all/promote_secondaries"):
        return True
    with contextlib.suppress(OSError):
        setting.write_text("1")
    return _is_set(setting)


def is_forwarding(name: str) -> bool:
    """Say whether the host is an IPv6 router on an interface, as its kernel tells neighbours."""
    return read(conf(6) / name / "forwarding") not in {"0", ""}


def _unfit_for_ipv4(name: str) -> str:
    """Say what is wrong with an interface that `prepare_interface` refuses, and how to mend it.

    The kernel has no IPv4 settings for an interface whose MTU is below 68 (net/ipv4/devinet.c);
    a dot in a name is a slash for sysctl(8).
    """
    if not conf(4).is_dir():
        return _unmounted()
    if not (conf(4) / name).is_dir():
        return f"{conf(4) / name} is missing: IPv4 is off on {name}, give it an MTU of 68 or more"
    setting = f"net.ipv4.conf.{dotted(name)}.promote_secondaries"
    return f"{setting} is 0: run `sysctl -w {setting}=1` on the host"


def _unfit_for_ipv6(name: str) -> str | None:
    """Say what keeps an interface from having IPv6 addresses, and how to mend it.

    The kernel has no IPv6 settings for an interface whose MTU is below 1280 (net/ipv6/addrconf.c),
    and refuses addresses with EACCES where IPv6 is switched off.
    """
    if not _net().is_dir():
        return _unmounted()
    if not conf(6).is_dir():
        return f"{conf(6)} is missing: this kernel has no IPv6"
    if not (conf(6) / name).is_dir():
        return f"{conf(6) / name} is missing: IPv6 is off on {name}, give it an MTU of 1280 or more"
    if not _is_set(conf(6) / name / "disable_ipv6"):
        return None
    setting = f"net.ipv6.conf.{dotted(name)}.disable_ipv6"
    return f"{setting} is 1: run `sysctl -w {setting}=0` on the host"


def _unmounted() -> str:
    return f"{_net()} is missing: mount the host's /proc/sys/net there"


def conf(version: int) -> Path:
    """Return where the settings of an IP version are, by interface."""
    return _conf(_net(), version)


@cache
def _conf(net: Path, version: int) -> Path:
    return net / f"ipv{version}/conf"


def _net() -> Path:
    return _below(os.environ.get("LIBRA_PROC_SYS", "/proc/sys"))


@cache
def _below(root: str) -> Path:
    return Path(root) / "net"


def _is_set(setting: Path) -> bool:
    return read(setting) == "1"


def dotted(name: str) -> str:
    """Return the name of an interface as sysctl(8) has it."""
    return name.replace(".", "/")


def read(setting: Path) -> str:
    """Return what a setting is, "" where it cannot be read."""
    try:
        return setting.read_text().strip()
    except OSError:
        return ""
