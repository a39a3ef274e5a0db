"""The writer keeps a private service per backend that is checked through IPVS, come what may."""

from typing import Any

import pytest
from tests.kernel.test_ipvs_writer import W1, WEB, Site, servers, sh, until
from tests.kernel.test_ipvs_writer import site as site  # noqa: PLC0414 - a fixture

from libra_schemas.events import TableChange, TableDrift
from libra_schemas.marks import is_private

pytestmark = pytest.mark.kernel

THROUGH: dict[str, Any] = WEB | {"check": {"tcp": {}, "data_path": True}}
P1, P2 = "10.0.1.11:0 -g -w 1", "10.0.1.12:0 -g -w 1"


async def private(site: Site, *more: str) -> None:
    """Wait until both private services are there, after these real servers of others."""
    wanted = sorted((P1, P2, *more))
    await until(lambda: sorted(servers()) == wanted, servers)
    await until(lambda: site.replayed() == sh("ipvsadm", "-Sn"), site.replayed)


async def test_private_services_are_there_whatever_health_and_operators_say(site: Site) -> None:
    async with site.writer():
        site.apply({"web": THROUGH})
        await private(site)
        site.verdict("w1", up=True)
        await private(site, W1)
        site.verdict("w1", up=False)
        site.verdict("w2", up=False)
        await private(site, "10.0.1.99:80 -g -w 1")
        site.operator("maint", "backend", "web", "w1")
        site.operator("maint", "node", "a")
        await private(site, "10.0.1.99:80 -g -w 1")
        named = [each.service for each in site.said("table.changed")]
    assert sum(map(is_private, named)) == 2
    assert {each.service for each in site.said("service.")} == {"web"}


async def test_a_restart_with_nothing_changed_writes_no_private_service_anew(site: Site) -> None:
    async with site.writer():
        site.apply({"web": THROUGH})
        await private(site)
        said = len(site.said("table"))
    async with site.writer() as writer:
        await private(site)
        assert not writer.table.tally.operations
        assert len(site.said("table")) == said


async def test_they_go_when_nobody_asks_for_them_also_while_the_writer_was_away(
    site: Site,
) -> None:
    async with site.writer():
        site.apply({"web": THROUGH})
        await private(site)
        site.apply({"web": WEB})
        await until(lambda: servers() == [], servers)
        site.apply({"web": THROUGH})
        await private(site)
    site.apply({"web": THROUGH | {"backends": {"w2": "10.0.1.12:80"}}})
    async with site.writer():
        await until(lambda: servers() == [P2], servers)
        changes: list[TableChange] = site.said("table.changed")
    assert [each.present for each in changes if is_private(each.service)][-1] is False


async def test_they_are_repaired_when_somebody_edits_them(site: Site) -> None:
    async with site.writer():
        site.apply({"web": THROUGH})
        await private(site)
        mark = next(line.split()[2] for line in sh("ipvsadm", "-Sn").splitlines() if "-f" in line)
        sh("ipvsadm", "-D", "-f", mark)
        await until(lambda: bool(site.said("table.drift")), servers)
        await private(site)
        drifts: list[TableDrift] = site.said("table.drift")
    assert [(is_private(each.service), each.ours) for each in drifts] == [(True, True)]


@pytest.mark.parametrize(("on_stop", "left"), [("keep", [P1, P2]), ("remove", [])])
async def test_they_stay_or_go_with_their_service_at_the_end(
    site: Site, on_stop: str, left: list[str]
) -> None:
    async with site.writer():
        site.apply({"web": THROUGH | {"on_stop": on_stop}})
        await private(site)
    assert sorted(servers()) == left


async def test_an_operators_service_that_takes_a_mark_moves_the_private_one(site: Site) -> None:
    async with site.writer():
        site.apply({"web": THROUGH})
        await private(site)
        marks = [int(line.split()[2]) for line in lines("-A -f")]
        marked = {"fwmark": marks[0], "forward": "dr", "assume_up": True, "scheduler": "rr"}
        marked["backends"] = {"m1": "10.0.1.41"}
        site.apply({"web": THROUGH, "marked": marked})
        await until(lambda: len(lines("-A -f")) == 3, servers)
        await private(site, "10.0.1.41:0 -g -w 1")
        assert f"-a -f {marks[0]} -r 10.0.1.41:0 -g -w 1" in lines(f"-a -f {marks[0]}")
        assert len(lines(f"-a -f {marks[0]}")) == 1


def lines(beginning: str) -> list[str]:
    return [line for line in sh("ipvsadm", "-Sn").splitlines() if line.startswith(beginning)]
