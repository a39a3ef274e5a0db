"""When the kernel is asked again: by the clock, or because what it lacked is there."""

import asyncio

from libra_ipvs_writer.shell.retries import Retries


async def test_what_lacked_a_module_is_due_as_soon_as_that_is_there() -> None:
    modules: set[str] = set()
    retries = Retries(10.0, 300.0, lambda: frozenset(modules))
    retries.again("web", "ENOENT", "ip_vs_twos")
    now = asyncio.get_running_loop().time()
    assert retries.due(now) == frozenset()
    modules.add("ip_vs_twos")
    assert retries.due(now) == {"web"}


async def test_a_refusal_although_the_module_is_there_waits_for_its_time() -> None:
    retries = Retries(10.0, 300.0, lambda: frozenset({"ip_vs_twos"}))
    retries.again("web", "ENOENT", "ip_vs_twos")
    now = asyncio.get_running_loop().time()
    assert retries.due(now) == frozenset()
    assert retries.due(now + 11) == {"web"}


async def test_the_delay_doubles_up_to_the_longest() -> None:
    retries = Retries(1.0, 5.0, frozenset)
    assert [retries.again("web") for _ in range(4)] == [(1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0)]
    retries.forget("web")
    assert retries.again("web") == (1, 1.0)
