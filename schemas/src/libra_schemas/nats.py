"""Who may say and hear what on a node's NATS server: the one table, and the server config of it.

Rule: writing is restricted by prefix, reading one's own node's log is open to every service, the
JetStream API is closed but for consumers on LOG, direct get and stream info (design §13).
Limit: NATS restricts what a user publishes, not where it has the server answer to. A service that
names another's subject as the reply of a direct get has the server store there what it had stored
itself (seen on 2.15.1). Prefixes hold off mistakes; a stolen seed would show by signatures alone,
which nobody writes yet.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from libra_schemas.subjects import LOG, REGISTER_OF, STATE

MAX_PAYLOAD = 8 * 1024 * 1024
"""Bytes; config.applied and table.recorded may be larger than other events."""

MIN_SERVER = (2, 12, 1)
"""Atomic batches with deduplication inside them."""

ADMIN = "admin"
OBSERVER = "observer"

MAX_STORE = 8 * 1024**3
"""Bytes that the streams may take together: more than they are ever given.

Unsaid, nats-server takes three quarters of what is free as it starts, what it holds already not
counted: started on a disk that is nearly full it refuses every event until it is started again,
and says that it is well (seen on 2.15.1).
"""

VARZ = "$SYS.REQ.SERVER.PING.VARZ"
"""Where the server tells its settings."""

HEALTHZ = "$SYS.REQ.SERVER.PING.HEALTHZ"
"""Where the server tells the admin what is wrong with it, as /healthz of its monitoring does."""

_SYSTEM = (VARZ, HEALTHZ)
"""The system services that the account imports."""

PUBLISHES = {
    "health": ("backend",),
    "vrrp": ("vrrp",),
    "ipvs-writer": ("service", "table", "conn", "log"),
    "notifier": ("notify",),
    "console": ("config", "operator", "peer"),
}
"""Service -> the first tokens of the event types that it alone may publish."""

LIVE = {"health": ("probe", "frames"), "ipvs-writer": ("stats",)}
"""Service -> what it also says outside the log (`<word>.<node>.>`)."""

HEARS_LIVE = {"console": ("stats", "probe", "frames", "alarm"), "notifier": ("alarm",)}
"""Service -> what it may hear outside the log."""

LIFE = ("node.started", "node.stopped", "node.recovered")
"""What every service says of itself, keyed by its own name."""

_API = (
    f"$JS.API.CONSUMER.CREATE.{LOG}.>",
    f"$JS.API.CONSUMER.MSG.NEXT.{LOG}.>",
    f"$JS.API.DIRECT.GET.{LOG}",
    f"$JS.API.DIRECT.GET.{STATE}",
    f"$JS.API.STREAM.INFO.{LOG}",
    f"$JS.API.STREAM.INFO.{STATE}",
    VARZ,
)

READS_PEERS = {
    "health": (
        f"$JS.*.API.CONSUMER.CREATE.{LOG}.>",
        f"$JS.*.API.CONSUMER.MSG.NEXT.{LOG}.>",
        f"$JS.*.API.DIRECT.GET.{LOG}",
        f"$JS.*.API.DIRECT.GET.{STATE}",
        f"$JS.*.API.STREAM.INFO.{LOG}",
    )
}
"""Service -> what it may ask of the JetStream of other nodes, each a domain: to read, no more."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What one user may publish and subscribe to; everything else is denied."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def inbox_prefix(user: str) -> str:
    """Name the prefix of a user's replies, so that no other user can read them."""
    return f"_INBOX_{user}"


def own_subjects(node: str, service: str) -> tuple[str, ...]:
    """List the filters that match every event *service* of *node* may have published."""
    prefixes = tuple(f"lvs.{node}.{prefix}.>" for prefix in PUBLISHES.get(service, ()))
    return prefixes + tuple(f"lvs.{node}.{life}.{service}" for life in LIFE)


def permissions(node: str) -> dict[str, Permissions]:
    """Tell who may say and hear what on *node*: user name -> permissions."""
    services = {service: _service(node, service) for service in PUBLISHES}
    return {ADMIN: Permissions((">",), (">",)), OBSERVER: _observer(), **services}


def _service(node: str, service: str) -> Permissions:
    live = tuple(f"{word}.{node}.>" for word in LIVE.get(service, ()))
    outside = (f"dead.{node}.{service}", f"alarm.{node}.{service}")
    hears = tuple(f"{word}.{node}.>" for word in HEARS_LIVE.get(service, ()))
    return Permissions(
        publish=own_subjects(node, service) + outside + live + _API + READS_PEERS.get(service, ()),
        subscribe=(f"{inbox_prefix(service)}.>", *hears),
    )


def _observer() -> Permissions:
    words = dict.fromkeys(kind.split(".")[0] for kind in REGISTER_OF)
    outside = ("dead", "alarm", "stats", "probe", "frames")
    hears = tuple(f"{word}.>" for word in (*words, *outside))
    return Permissions(publish=(), subscribe=(*hears, f"{inbox_prefix(OBSERVER)}.>"))


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How one node's nats-server stands.

    *nkeys* maps user name -> public nkey (`U...`); users without one cannot connect.
    *monitor* is the port of its HTTP monitoring on the same host, 0 for none.
    """

    node: str
    store: PurePath
    nkeys: Mapping[str, str]
    host: str = "127.0.0.1"
    port: int = 4222
    monitor: int = 0


def render_server_config(settings: ServerSettings) -> str:
    """Render the configuration file of nats-server for one node; raise ValueError for bad names."""
    table = permissions(settings.node)
    unknown = sorted(set(settings.nkeys) - set(table))
    if unknown:
        raise ValueError(f"no such NATS users: {', '.join(unknown)}")
    users = "\n".join(
        _render_user(nkey, table[name], name) for name, nkey in sorted(settings.nkeys.items())
    )
    monitor = f"http: {_text(f'{settings.host}:{settings.monitor}')}\n" if settings.monitor else ""
    exports = ", ".join(f"{{service: {_text(each)}}}" for each in _SYSTEM)
    imports = ", ".join(
        f"{{service: {{account: SYS, subject: {_text(each)}}}}}" for each in _SYSTEM
    )
    return f"""\
# Generated from libra_schemas.nats; changes are lost.
server_name: {_text(settings.node)}
listen: {_text(f"{settings.host}:{settings.port}")}
{monitor}max_payload: {MAX_PAYLOAD}
max_pending: {8 * MAX_PAYLOAD}
write_deadline: "10s"
jetstream: {{
  store_dir: {_text(str(settings.store))}
  domain: {_text(settings.node)}
  max_file_store: {MAX_STORE}
  sync_interval: always
}}
system_account: SYS
accounts: {{
  SYS: {{
    exports: [{exports}]
  }}
  LIBRA: {{
    jetstream: enabled
    imports: [{imports}]
    users: [
{users}
    ]
  }}
}}
"""


def _render_user(nkey: str, allowed: Permissions, name: str) -> str:
    publish = f"allow: {_list(allowed.publish)}" if allowed.publish else 'deny: ">"'
    return (
        f"      # {name}\n"
        f"      {{nkey: {_text(nkey)}, permissions: {{\n"
        f"        publish: {{{publish}}}\n"
        f"        subscribe: {{allow: {_list(allowed.subscribe)}}}\n"
        f"      }}}}"
    )


def _list(subjects: tuple[str, ...]) -> str:
    return "[" + ", ".join(_text(subject) for subject in subjects) + "]"


def _text(value: str) -> str:
    return json.dumps(value)
