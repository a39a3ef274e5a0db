"""An interface is meant by its name or by how it begins."""

import pytest

from libra_ipvs_writer.packet_filter.rules import Interface


@pytest.mark.parametrize(
    ("interface", "name", "fits"),
    [
        pytest.param(Interface("eth0"), "eth0", True, id="the name"),
        pytest.param(Interface("eth0"), "eth00", False, id="another name"),
        pytest.param(Interface("eth", prefix=True), "eth00", True, id="a name that begins so"),
        pytest.param(Interface("eth", prefix=True), "br-eth", False, id="a name that ends so"),
    ],
)
def test_an_interface_is_meant_by_name(interface: Interface, name: str, fits: bool) -> None:
    assert interface.fits(name) is fits
