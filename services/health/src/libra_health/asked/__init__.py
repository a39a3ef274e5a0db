"""From the checks as written to the specs that are run: file name = config word.

The one rule: a new check is a file here and a line in the table below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from libra_health.asked import dns, file, grpc, http, https, icmp, ldap, smtp, tcp, tls, udp
from libra_health.asked import exec as program
from libra_health.checks import Spec
from libra_health.wire import Target
from libra_schemas.config import CheckConfig

Ask: TypeAlias = Callable[[Any, Target], Spec]

ASKED: Final[dict[str, Ask]] = {
    "tcp": tcp.asked,
    "http": http.asked,
    "https": https.asked,
    "tls": tls.asked,
    "icmp": icmp.asked,
    "smtp": smtp.asked,
    "dns": dns.asked,
    "ldap": ldap.asked,
    "grpc": grpc.asked,
    "exec": program.asked,
    "file": file.asked,
    "udp": udp.asked,
}
PORTLESS: Final = frozenset({"icmp", "file"})
"""The checks that go to an address and no port."""
PORT_OR_NONE: Final = frozenset({"exec"})
"""The checks that are told of a port where there is one."""


def spec_of(check: CheckConfig, target: Target) -> Spec:
    """Translate a check; raises ValueError where it cannot be asked."""
    return ASKED[check.kind](getattr(check, check.kind), target)
