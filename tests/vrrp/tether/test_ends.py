"""Who is tied to whom."""

from ipaddress import IPv4Address, IPv6Address

import pytest

from libra_vrrp.rtnetlink import IpAddress
from libra_vrrp.tether.ends import Ends, connects_first, merged

A, B, C = (IPv4Address(f"10.0.0.{n}") for n in (1, 2, 10))


def test_a_node_has_one_tether_to_every_node_that_it_shares_a_router_with() -> None:
    front = Ends(A, 9645, (("b", B),))
    back = Ends(A, 9645, (("c", C), ("b", B)))
    assert merged([front, None, back]) == Ends(A, 9645, (("b", B), ("c", C)))


@pytest.mark.parametrize("ends", [[], [None], [Ends(A, 9645, ())]])
def test_a_node_that_shares_none_has_no_tether(ends: list[Ends | None]) -> None:
    assert merged(ends) is None


@pytest.mark.parametrize(
    ("lower", "higher"),
    [(A, B), (B, C), (IPv6Address("fd00::9"), IPv6Address("fd00::10")), (C, IPv6Address("::1"))],
)
def test_of_two_nodes_the_one_with_the_lower_address_connects(
    lower: IpAddress, higher: IpAddress
) -> None:
    assert connects_first(lower, higher)
    assert not connects_first(higher, lower)
