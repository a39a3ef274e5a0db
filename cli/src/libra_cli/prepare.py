"""A node's directories, keys and server configuration: made once, put right ever after."""

import os
from collections.abc import Callable
from pathlib import Path

from libra_cli.exits import MISSING, CommandError
from libra_cli.identity import SERVER, Identity, group
from libra_cli.site import Site
from libra_runtime.kept import keep, kept
from libra_runtime.keys import ensure_seeds
from libra_schemas.nats import PUBLISHES, ServerSettings, permissions, render_server_config

_SHARED = 0o1771
"""Everybody of the group makes files here, nobody removes another's."""

_SEEDS = 0o711
_READABLE = 0o644

HEALTH = Path(__file__).with_name("nats-health.sh")
"""What tells how nats-server is in a container, from its monitoring; it lies beside nats.conf."""

Who = Callable[[str], Identity]


def prepare(site: Site, who: Who, monitor: int = 0) -> bool:
    """Make or repair everything below the state and run directories; raise CommandError.

    *monitor* is the port of nats-server's own monitoring, 0 for none. Tell whether a server that
    runs has an older configuration.
    """
    try:
        _directories(site)
        nkeys = ensure_seeds(site.seeds, permissions(site.node))
        is_newer = _put(site.server_config, _server_config(site, nkeys, monitor).encode())
        if monitor:
            _put(site.state / HEALTH.name, HEALTH.read_bytes())
        if os.geteuid() == 0:
            _hand_over(site, who)
    except (OSError, ValueError) as error:
        raise CommandError(f"{site.state} cannot be prepared: {error}", MISSING) from None
    return is_newer


def _put(path: Path, content: bytes) -> bool:
    """Write what is new, a full disk is no trouble where nothing is; tell whether it replaced."""
    old = kept(path)
    if old != content:
        keep(path, content, _READABLE)
    return old is not None and old != content


def _server_config(site: Site, nkeys: dict[str, str], monitor: int) -> str:
    host, port = site.endpoint
    return render_server_config(ServerSettings(site.node, site.store, nkeys, host, port, monitor))


def _directories(site: Site) -> None:
    for shared in (site.state, site.run):
        shared.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(shared, 0, group())
            shared.chmod(_SHARED)
    site.seeds.mkdir(mode=_SEEDS, exist_ok=True)
    site.seeds.chmod(_SEEDS)
    site.store.mkdir(mode=0o700, exist_ok=True)


def _hand_over(site: Site, who: Who) -> None:
    """Give each process what is its own: its seed, its spool, the server's store."""
    for service in PUBLISHES:
        _give(site.seed(service), who(service))
        for path in site.state.glob(f"{service}.*"):
            _give(path, who(service))
    server = who(SERVER)
    if site.store.stat().st_uid != server.uid:
        for path in (site.store, *site.store.rglob("*")):
            _give(path, server)


def _give(path: Path, identity: Identity) -> None:
    os.chown(path, identity.uid, identity.gid, follow_symlinks=False)
