"""What became of a sealed datagram: opened, or dropped for a reason that may raise an alarm.

One rule: what happens in a healthy cluster raises none.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from libra_vrrp.seal.datagram import Session
from libra_vrrp.seal.hearing import Stand

AlarmKind: TypeAlias = Literal["auth", "replay"]


class Reason(StrEnum):
    """Why a datagram was dropped; the label it is counted under."""

    PLAIN = "plain"
    TRUNCATED = "truncated"
    KEY = "key"
    FORGED = "forged"
    OWN = "own"
    NAMESAKE = "namesake"
    CONTENT = "content"
    LATE = "late"
    REPLAYED = "replayed"
    STALE = "stale"
    UNANSWERED = "unanswered"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh datagram of `session`; `message` is a VRRP message, or empty.

    Where it `is_first_proof`, the session's start is to be remembered. `hurry`: say something now,
    a master its advert and everyone else a challenge.
    """

    message: bytes
    session: Session
    is_first_proof: bool
    hurry: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    """A datagram without effect, unless it is a reason to `hurry`."""

    reason: Reason
    hurry: bool = False


Outcome: TypeAlias = Opened | Dropped

_ALARMS: Final[dict[Reason, tuple[AlarmKind, str]]] = {
    Reason.PLAIN: ("auth", "an advert without a seal, where seal is required"),
    Reason.TRUNCATED: ("auth", "a sealed datagram that is cut short"),
    Reason.KEY: ("auth", "sealed with a key that is not in our key file"),
    Reason.FORGED: ("auth", "forged: its seal does not fit what it says, or who sent it"),
    Reason.NAMESAKE: ("auth", "another process calls itself by the name of this node"),
    Reason.CONTENT: ("auth", "a right seal around what is no advert of this instance"),
    Reason.REPLAYED: ("replay", "a datagram that was sent before"),
    Reason.STALE: (
        "replay",
        "it answers none of our last challenges: delayed, or it does not hear us any more",
    ),
    Reason.UNPROVEN: (
        "replay",
        "it never answered our challenges: replayed, or it does not hear us",
    ),
}


def of_stand(stand: Stand) -> Reason:
    """Return the reason that is called as `stand` is."""
    return Reason(stand.value)


def alarm(reason: Reason) -> tuple[AlarmKind, str] | None:
    """Return the kind of alarm and what it says; None for what needs none."""
    return _ALARMS.get(reason)
