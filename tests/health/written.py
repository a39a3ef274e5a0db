"""Examples of every kind of check, as operators write them: for fuzzing and hostile servers.

A new kind of check needs a line in EXAMPLES; a test says so where it has none.
"""

from dataclasses import dataclass
from typing import Any, Final, get_args

from libra_health.probes import Probe
from libra_health.watches import watches_of
from libra_schemas.config import Config
from libra_schemas.config.check import KINDS, CheckConfig

Written = dict[str, Any]
_KEY = "/etc/libra/password"
_UNVERIFIED = {"verify": False}

EXAMPLES: Final[dict[str, tuple[Written, ...]]] = {
    "tcp": ({}, {"expect": "^220 "}, {"send": "HI", "expect": "a+b"}, {"preset": "redis"},
            {"preset": "mysql"}, {"preset": "postgresql"}, {"preset": "ldap"},
            {"preset": "imap"}),
    "http": ({}, {"contains": "never", "max_body": 4096}, {"regex": "n+ever"},
             {"method": "HEAD", "status": "200"}, {"digest": {"md5": 32 * "0"}},
             {"contains": "ok", "redirects": 3}, {"headers_files": {"X-Key": _KEY}},
             {"requests": [{"path": "/a", "contains": "a"}, {"path": "/b", "contains": "b"}]}),
    "https": ({"tls": _UNVERIFIED}, {"tls": _UNVERIFIED, "contains": "never"}),
    "tls": ({"verify": False}, {"expires_within": "7d"}),
    "icmp": ({}, {"size": 0}),
    "udp": ({"send": "PING", "expect": "PONG"}, {"send": "PING", "silence": "pass"}),
    "smtp": ({}, {"starttls": True, "tls": _UNVERIFIED}, {"tls": _UNVERIFIED},
             {"user": "u", "password_file": _KEY, "in_clear": True}),
    "dns": ({}, {"transport": "tcp"}, {"name": "a.example", "type": "A", "expect": ["10.0.0.1"]},
            {"name": "a.example", "type": "TXT", "at_least": 2}),
    "ldap": ({}, {"base": "dc=example", "at_least": 2}, {"starttls": True, "tls": _UNVERIFIED},
             {"bind_dn": "cn=u", "password_file": _KEY, "in_clear": True}),
    "grpc": ({}, {"service": "mail"}, {"tls": _UNVERIFIED}),
    "exec": ({"command": ["/bin/true"]}, {"command": ["/bin/true"], "weight": "stdout"}),
    "file": ({"path": "/run/weight"}, {"path": "/run/weight", "weight": True}),
}  # fmt: skip
"""What this release does not know of a kind is left out, so that branches may differ."""


@dataclass(frozen=True, slots=True)
class Example:
    """A check as written: its kind and its keys."""

    kind: str
    keys: Written

    def __str__(self) -> str:
        """Name it in the list of tests."""
        return f"{self.kind} {self.keys}" if self.keys else self.kind

    def probe(self, address: str, every: float = 1.0, timeout: float = 0.5) -> Probe:
        """Translate it for a target as the service does; raise ValueError where it is none."""
        times = {"every": every, "timeout": timeout}
        web = {
            "address": "192.0.2.10:80",
            "check": {self.kind: self.keys, **times},
            "backends": {"w1": address},
        }
        nodes = {"a": {"address": "10.0.0.2"}}
        document = {"version": 1, "nodes": nodes, "services": {"web": web}}
        (watch,) = watches_of(Config.model_validate(document), "a")
        return watch.lookouts[0].probe


def examples(*kinds: str) -> list[Example]:
    """List the examples of these kinds, of all where none is named."""
    return [
        Example(kind, keys)
        for kind in kinds or KINDS
        for keys in EXAMPLES.get(kind, ())
        if kind in KINDS and set(keys) <= _keys_of(kind)
    ]


def _keys_of(kind: str) -> set[str]:
    """List the keys that this release knows of a kind."""
    models = get_args(CheckConfig.model_fields[kind].annotation)
    return {key for model in models for key in getattr(model, "model_fields", {})}
