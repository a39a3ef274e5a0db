"""What the kernel's settings must be for a virtual MAC: who answers for which address.

Of those for ARP and of rp_filter the kernel takes the larger of an interface's own and that of
`all` (Documentation/networking/ip-sysctl). What LibrA may set is set.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from libra_vrrp.shell.sysctls import conf, dotted, read

_ANSWER_FOR_OWN: Final = frozenset({"1", "2"})
_NO_ADDRESS: Final = "1"
"""No link-local address of the kernel's own making (IN6_ADDR_GEN_MODE_NONE, linux/if_link.h)."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting of an interface, the values that will do, and the one to write."""

    version: int
    name: str
    key: str
    will_do: frozenset[str]
    value: str


def unfit_for_vmac(vmac: str, parent: str, *, answers: bool) -> frozenset[str]:
    """Say which settings are wrong and how to mend them; none where they are as they must be.

    The parent's count where it `answers` ARP for IPv4 addresses on the other interface.
    """
    settings = [*_of_vmac(vmac), *(_of_arp(parent) if answers else ())]
    return frozenset(why for one in settings if (why := _unfit(one)) is not None)


def is_quiet(vmac: str) -> bool:
    """Say whether it gets no link-local address of its own; without IPv6 none does."""
    return read(conf(6) / vmac / "addr_gen_mode") in {"", _NO_ADDRESS}


def follow_parent(vmac: str, parent: str) -> None:
    """Forward on the virtual MAC's interface what is forwarded on its parent.

    It waits for the RTNL lock (restart_syscall, net/ipv4/devinet.c).
    """
    for version in (4, 6):
        ours, theirs = (conf(version) / name / "forwarding" for name in (vmac, parent))
        if read(ours) and read(theirs) and read(ours) != read(theirs):
            with contextlib.suppress(OSError):
                ours.write_text(read(theirs))


def _of_vmac(name: str) -> Iterator[_Setting]:
    yield from _of_arp(name)
    yield _Setting(4, name, "rp_filter", frozenset({"0", "2"}), "2")
    yield _Setting(6, name, "accept_ra", frozenset({"0"}), "0")
    yield _Setting(6, name, "addr_gen_mode", frozenset({_NO_ADDRESS}), _NO_ADDRESS)


def _of_arp(name: str) -> Iterator[_Setting]:
    """Yield what has each address answered for by the interface that it is on, and asked from."""
    yield _Setting(4, name, "arp_ignore", _ANSWER_FOR_OWN, "1")
    yield _Setting(4, name, "arp_announce", frozenset({"2"}), "2")


def _unfit(one: _Setting) -> str | None:
    """Say what is wrong; where a protocol is off on an interface nothing is."""
    setting = conf(one.version) / one.name / one.key
    if not setting.exists() or _effective(one) in one.will_do:
        return None
    with contextlib.suppress(OSError):
        setting.write_text(one.value)
    if (now := _effective(one)) in one.will_do:
        return None
    named = f"net.ipv{one.version}.conf.{dotted(one.name)}.{one.key}"
    if read(setting) == one.value:
        named = f"net.ipv{one.version}.conf.all.{one.key}"
    return f"{named} is {now}: run `sysctl -w {named}={one.value}` on the host"


def _effective(one: _Setting) -> str:
    everywhere: Path = conf(one.version) / "all" / one.key
    own = read(conf(one.version) / one.name / one.key)
    return own if one.version == 6 else max(own, read(everywhere))  # noqa: PLR2004 - IPv6
