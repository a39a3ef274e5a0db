"""The writer's metrics: what it did, and what every service and backend carries now."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from libra_ipvs_writer.shell.kernel import Kernel, Load
from libra_ipvs_writer.shell.table import KernelTable
from libra_schemas.marks import is_private
from libra_schemas.table import ServiceKey, ServiceTable, endpoint

SERVICE = ("service", "address")
BACKEND = ("service", "address", "backend")
"""*service* is the config's name as in every other metric, "" for a foreign one."""

Owners = Mapping[ServiceKey, str]


class TableCollector(Collector):
    """Reads the kernel's counters when it is scraped; private services' where *paths* asks so."""

    def __init__(self, kernel: Kernel, table: KernelTable, *, paths: bool) -> None:
        self._kernel = kernel
        self._table = table
        self._paths = paths

    def describe(self) -> Iterable[Metric]:
        """Name nothing in advance: the kernel is read only when scraped."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Give every family, the kernel's counters included."""
        yield from self._own()
        hidden = frozenset() if self._paths else _private(self._table.owners)
        held = {key: each for key, each in self._table.held.items() if key not in hidden}
        loads = self._kernel.loads(hidden)
        yield from _services(loads, self._table.owners)
        yield from _backends(loads, held, self._table.owners)

    def _own(self) -> Iterable[Metric]:
        operations = CounterMetricFamily(
            "libra_ipvs_operations", "Operations on the table", labels=("operation", "result")
        )
        for (operation, status), count in self._table.tally.operations.items():
            operations.add_metric((operation, status), count)
        yield operations
        yield CounterMetricFamily(
            "libra_ipvs_drifts", "Differences found in the kernel", self._table.tally.drifts
        )


def _private(owners: Owners) -> frozenset[ServiceKey]:
    return frozenset(key for key, name in owners.items() if is_private(name))


def _services(loads: Mapping[ServiceKey, Load], owners: Owners) -> Iterable[Metric]:
    kinds = ("connections", "packets_in", "packets_out", "bytes_in", "bytes_out")
    for kind in kinds:
        family = CounterMetricFamily(
            f"libra_service_{kind}", f"{kind} of a virtual service", labels=SERVICE
        )
        for key, load in loads.items():
            family.add_metric((owners.get(key, ""), str(key)), getattr(load.counters, kind))
        yield family


def _backends(
    loads: Mapping[ServiceKey, Load], held: Mapping[ServiceKey, ServiceTable], owners: Owners
) -> Iterable[Metric]:
    for kind in ("active", "inactive", "persistent"):
        family = GaugeMetricFamily(
            f"libra_backend_{kind}_connections", f"{kind} connections", labels=BACKEND
        )
        for key, load in loads.items():
            for place, usage in load.destinations.items():
                family.add_metric(
                    (owners.get(key, ""), str(key), endpoint(*place)), getattr(usage, kind)
                )
        yield family
    weights = GaugeMetricFamily("libra_backend_weight", "Weight in the kernel", labels=BACKEND)
    for key, table in held.items():
        for destination in table.destinations:
            weights.add_metric(
                (owners.get(key, ""), str(key), str(destination)), destination.weight
            )
    yield weights


def register(kernel: Kernel, table: KernelTable, *, paths: bool) -> None:
    """Export the table from now on; *paths*: private services too."""
    REGISTRY.register(TableCollector(kernel, table, paths=paths))
