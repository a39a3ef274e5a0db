"""Which advertisements a router takes for its own (RFC 3768 and RFC 9568 section 7.1).

One rule: what is refused has a reason, is counted and changes no state. The list of addresses is
not compared here: two masters are worse than two lists (keepalived since 2.3.3).
"""

from libra_vrrp.codec import (
    NO_AUTHENTICATION,
    SIMPLE_PASSWORD,
    V2,
    Advertisement,
    MalformedAdvertisement,
    Reason,
    Received,
    padded,
)
from libra_vrrp.router import Router, centiseconds


def admit(router: Router, received: Received) -> Advertisement:
    """Return what a router of the same vrid said to `router`; raise `MalformedAdvertisement`."""
    said = received.advertisement
    wrong = _wrong_way(router, received)
    if wrong is None and said.version != router.version:
        wrong = Reason.VERSION, f"version {said.version}"
    if wrong is None and router.version == V2:
        wrong = _wrong_for_v2(router, received)
    if wrong is not None:
        raise MalformedAdvertisement(*wrong, said.vrid)
    return said


def _wrong_way(router: Router, received: Received) -> tuple[Reason, str] | None:
    """Say what is wrong with how it came: to the group or to us alone, and from whom."""
    if router.peers is None and not received.destination.is_multicast:
        return Reason.UNICAST, f"sent to {received.destination}"
    if router.peers is None:
        return None
    if received.destination.is_multicast:
        return Reason.MULTICAST, f"sent to {received.destination}"
    if received.source not in router.peers:
        return Reason.PEER, f"{received.source} is no peer"
    return None


def _wrong_for_v2(router: Router, received: Received) -> tuple[Reason, str] | None:
    """Compare authentication and interval, which version 2 wants to be alike everywhere."""
    said, password = received.advertisement, router.authentication
    wanted = NO_AUTHENTICATION if password is None else SIMPLE_PASSWORD
    if received.auth_type != wanted:
        return Reason.AUTH_TYPE, f"authentication type {received.auth_type}"
    if password is not None and received.auth_data != padded(password):
        return Reason.AUTH_DATA, "another password"
    if said.interval != centiseconds(router.interval):
        return Reason.INTERVAL, f"interval {said.interval / 100:g} s"
    return None
