"""A change waits for the interface of its virtual MAC, and for nothing else of that kind."""

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from tests.vrrp.test_vmacs import ORDER, PLAIN

from libra_vrrp.interfaces import Interfaces
from libra_vrrp.orders import Instance, Seal
from libra_vrrp.shell.ground import Ground
from libra_vrrp.shell.postponing import for_now, is_early, of_seals, postponed
from libra_vrrp.vmac import Vmac

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


def test_who_swap_the_names_of_their_interfaces_do_not_wait_for_each_other() -> None:
    """They waited for ever: each name was taken until the other one was free."""
    back = replace(ORDER, name="back", vrid=52, vmac=Vmac("vrrp4-52"))
    swapped = [replace(ORDER, vmac=back.vmac), replace(back, vmac=ORDER.vmac)]
    ground = cast("Ground", cast("Any", Coming(seal=False, vmac=True)))
    wanted = {one.name: one for one in swapped}
    assert postponed([ORDER, back], wanted, ground) == ((), {})
    wanted["back"] = replace(back, vmac=Vmac("other"))
    assert postponed([ORDER, back], wanted, ground)[1] == {"front": ORDER, "back": back}


def test_a_swap_that_waits_for_a_key_has_its_interface_meanwhile() -> None:
    back = replace(ORDER, name="back", vrid=52, vmac=Vmac("vrrp4-52"))
    front = replace(ORDER, vmac=back.vmac, seal=Seal("/k"))
    wanted = {"front": front, "back": replace(back, vmac=ORDER.vmac)}
    ground = cast("Ground", cast("Any", Coming(seal=True, vmac=True)))
    changes, meanwhile = postponed([ORDER, back], wanted, ground)
    assert changes == ((ORDER, front), (back, wanted["back"]))
    assert meanwhile == {"front": replace(front, seal=None), "back": wanted["back"]}


def test_who_is_another_virtual_router_from_now_on_postpones_nothing() -> None:
    ground = cast("Ground", cast("Any", Coming(seal=True, vmac=True)))
    assert postponed([PLAIN], {"front": replace(NEW, vrid=7)}, ground) == ((), {})
    assert postponed([PLAIN], {}, ground) == ((), {})
