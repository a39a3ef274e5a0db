"""What `/metrics` shows of the machine's figures."""

from prometheus_client import CollectorRegistry, generate_latest

from libra_runtime.outlet import Outlet
from libra_vrrp.shell.figures import Figures
from libra_vrrp.shell.meters import Late


def test_lateness_is_shown_as_a_histogram_that_counts_every_advert() -> None:
    registry, late = CollectorRegistry(), Late()
    registry.register(late)
    assert generate_latest(registry) == b""
    figures = Figures(Outlet(2, lambda _: ""))
    figures.late([])
    figures.late([0.0001, 0.004])
    figures.late([7.0])
    late.newest = figures.report()
    assert late.newest.lateness == 7.0
    lines = generate_latest(registry).decode().splitlines()
    assert "# TYPE libra_vrrp_advert_late_seconds histogram" in lines
    name = "libra_vrrp_advert_late_seconds"
    assert f'{name}_bucket{{le="0.0005"}} 1.0' in lines
    assert f'{name}_bucket{{le="0.005"}} 2.0' in lines
    assert f'{name}_bucket{{le="+Inf"}} 3.0' in lines
    assert f"{name}_count 3.0" in lines
    assert f"{name}_sum 7.0041" in lines
