"""A change waits for the interface of its virtual MAC, and for nothing else of that kind."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from tests.vrrp.test_vmacs import ORDER, PLAIN

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance, Seal
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.postponing import for_now, is_early, of_seals

NEW = replace(ORDER, interval=0.5, seal=Seal("/k"))


@dataclass
class Coming:
    """A ground where what an instance needs is there, or is not."""

    seal: bool
    vmac: bool
    interfaces: Interfaces = field(default_factory=Interfaces)

    @property
    def seals(self) -> "Coming":
        return self

    @property
    def vmacs(self) -> "Coming":
        return self

    def is_early(self, _change: object) -> bool:
        return self.seal

    def is_opening(self, _order: object, _known: object) -> bool:
        return self.vmac


@pytest.mark.parametrize(
    ("seal", "vmac", "meanwhile"),
    [
        pytest.param(False, False, NEW, id="all is there"),
        pytest.param(True, False, replace(NEW, seal=None), id="no key yet"),
        pytest.param(False, True, replace(PLAIN, interval=0.5, seal=NEW.seal), id="no MAC yet"),
        pytest.param(True, True, replace(PLAIN, interval=0.5), id="neither yet"),
    ],
)
def test_what_can_be_carried_out_is(*, seal: bool, vmac: bool, meanwhile: Instance) -> None:
    ground = cast("Ground", cast("Any", Coming(seal, vmac)))
    assert is_early((PLAIN, NEW), ground) == (seal or vmac)
    assert for_now((PLAIN, NEW), ground) == meanwhile
    assert of_seals([(PLAIN, NEW)], ground) == (((PLAIN, NEW),) if seal else ())


def test_who_has_it_already_or_loses_it_waits_for_nothing() -> None:
    ground = cast("Ground", cast("Any", Coming(seal=False, vmac=True)))
    assert not is_early((ORDER, NEW), ground)
    assert not is_early((ORDER, PLAIN), ground)
