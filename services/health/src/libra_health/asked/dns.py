"""Check `dns`, from the config."""

from __future__ import annotations

from ipaddress import ip_address

from libra_health.checks.dns import DnsSpec
from libra_health.wire import Target
from libra_schemas import config as written
from libra_schemas.answers import canonical


def asked(spec: written.DnsSpec, _target: Target) -> DnsSpec:
    """Translate; raises ValueError where no such question can be asked."""
    from libra_health.protocols.dns_answer import question  # noqa: PLC0415  slow import, only where asked

    at_least = spec.at_least if spec.at_least is not None else int(spec.rcode == "NOERROR")
    return DnsSpec(
        question(_name(spec), spec.type),
        recursion=spec.recursion,
        rcode=spec.rcode,
        expect=tuple(canonical(spec.type, text) for text in spec.expect),
        at_least=at_least,
        is_tcp=spec.transport == "tcp",
    )


def _name(spec: written.DnsSpec) -> str:
    """Tell the name asked about; of an address the one that its PTR stands under."""
    if spec.type != "PTR":
        return spec.name
    try:
        return ip_address(spec.name).reverse_pointer
    except ValueError:
        return spec.name
