"""What forwarding needs beside the table: sync daemons, sysctls, timeouts; set and verified."""

from collections.abc import Callable, Sequence
from functools import partial

from libra_ipvs_writer import conn_sync
from libra_ipvs_writer.daemons import Daemon, Timeouts
from libra_ipvs_writer.shell import data_paths, sysctls
from libra_ipvs_writer.shell.kernel import Kernel
from libra_ipvs_writer.shell.wire import KernelRefused
from libra_runtime import stamp
from libra_runtime.journal import Journal
from libra_schemas.config import TimeoutsConfig
from libra_schemas.events import Causes, SyncState
from libra_schemas.intent.fold import State, data
from libra_schemas.intent.prepared import Prepared

SYNC = ("sync", "all")


class Surroundings:
    """Keeps the kernel's surroundings of the table as the config says."""

    def __init__(self, journal: Journal, kernel: Kernel) -> None:
        self._journal = journal
        self.kernel = kernel
        self._said: SyncState | None = None
        self.trouble: str | None = None

    def settle(self, state: State, prepared: Prepared | None) -> None:
        """Set what differs, verify everything, say a sync role that was entered."""
        if prepared is None:
            return
        config = prepared.config
        troubles = [str(wrong) for wrong in sysctls.ensure(conn_sync.sysctls(config))]
        troubles += [str(wrong) for wrong in sysctls.verify(conn_sync.forwarding(config))]
        troubles += data_paths.troubles(prepared)
        troubles += settle_timeouts(self.kernel, config.ipvs.timeouts)
        troubles += settle_daemons(self.kernel, conn_sync.wanted(config, prepared.node, state))
        self.trouble = troubles[0] if troubles else None
        self._say(state)

    def _say(self, state: State) -> None:
        role = conn_sync.described(self.kernel.daemons())
        said = self._said or _last(state)
        self._said = role
        if role == said or (said is None and role.role == "off"):
            return
        self._journal.publish(stamp.draft("conn.sync", ("all",), role))


def _last(state: State) -> SyncState | None:
    said = data(state, SyncState, *SYNC)
    return said.model_copy(update={"causes": Causes()}) if said else None


def settle_daemons(kernel: Kernel, wanted: Sequence[Daemon]) -> list[str]:
    """Stop what should not run, start what should; say in one sentence each what failed."""
    running = kernel.daemons()
    stop = [each for each in running if not any(conn_sync.same(one, each) for one in wanted)]
    start = [each for each in wanted if not any(conn_sync.same(each, one) for one in running)]
    failed = [_refusal(partial(kernel.stop_daemon, each.role)) for each in stop]
    failed += [_refusal(partial(kernel.start_daemon, each)) for each in start]
    return [sentence for sentence in failed if sentence]


def settle_timeouts(kernel: Kernel, asked: TimeoutsConfig) -> list[str]:
    """Set the timeouts that the config names; the others stay the kernel's."""
    found = kernel.timeouts()
    wanted = Timeouts(
        found.tcp if asked.tcp is None else round(asked.tcp),
        found.tcp_fin if asked.tcp_fin is None else round(asked.tcp_fin),
        found.udp if asked.udp is None else round(asked.udp),
    )
    failed = _refusal(partial(kernel.set_timeouts, wanted)) if wanted != found else None
    return [failed] if failed else []


def _refusal(act: Callable[[], None]) -> str | None:
    try:
        act()
    except KernelRefused as refused:
        return str(refused)
    return None
