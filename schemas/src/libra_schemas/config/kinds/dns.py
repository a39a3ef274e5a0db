"""Check `dns`: ask a name server one question."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt

from libra_schemas.answers import checked_name
from libra_schemas.model import Strict

Rcode = Literal[
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
]  # fmt: skip


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class DnsSpec(Strict):
    """One question; passes where response code and answers are as expected."""

    name: Annotated[str, AfterValidator(checked_name)] = "."
    """What is asked about; with type PTR an address will do. A server that is authoritative only
    refuses the default, the root: name a zone that it serves, with `recursion: false`.
    """
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "SOA"
    """The type of the records asked for."""
    transport: Literal["udp", "tcp"] = "udp"
    """How the question is sent; an answer cut short by UDP is asked for again by TCP."""
    recursion: StrictBool = True
    """Whether the server is asked to ask others (the flag RD)."""
    rcode: Rcode = "NOERROR"
    """The response code that passes."""
    expect: Annotated[
        tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])
    ] = ()
    """Records that must be among the answers, in any order, as a zone file writes them:
    `192.0.2.1`, `10 mail.example.net`; the text of a TXT without quotes.
    """
    at_least: Annotated[StrictInt, Field(ge=0, le=100)] | None = None
    """How many answers of the type there must be; without it 1 where `rcode` is NOERROR."""
