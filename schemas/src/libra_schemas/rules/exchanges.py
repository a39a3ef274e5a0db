"""Checks that send and expect: said once, in one way, and never nothing."""

from collections.abc import Iterator

from libra_schemas.config import Config, ExchangeSpec, TcpSpec, UdpSpec
from libra_schemas.places import Finding, Path
from libra_schemas.rules.checks import written

DATAGRAM_LIMIT = 65507
"""Bytes that a UDP datagram over IPv4 holds at most (RFC 768, RFC 791)."""

_SHORT = ("send", "send_hex", "expect", "expect_hex")


def _tcp(config: Config) -> Iterator[tuple[Path, TcpSpec]]:
    for path, check in written(config):
        if check.tcp is not None:
            yield (*path, "tcp"), check.tcp


def _udp(config: Config) -> Iterator[tuple[Path, UdpSpec]]:
    for path, check in written(config):
        if check.udp is not None:
            yield (*path, "udp"), check.udp


def presets(config: Config) -> Iterator[Finding]:
    """Check that a dialogue is given by its preset, by its steps or in the short form."""
    for path, spec in _tcp(config):
        whole = next((key for key in ("preset", "exchanges") if getattr(spec, key) is not None), "")
        for key in ("exchanges", *_SHORT):
            if whole not in {"", key} and getattr(spec, key) is not None:
                message = f"{whole} is the whole dialogue"
                hint = f"leave out {key} or {whole}"
                yield Finding((*path, key), message, hint, read=((*path, whole),))


def spelled_twice(config: Config) -> Iterator[Finding]:
    """Check that what is sent or expected is given as text or in hex."""
    for path, spec in _spoken(config):
        for key in ("send", "expect"):
            in_hex = f"{key}_hex"
            if getattr(spec, key) is not None and getattr(spec, in_hex) is not None:
                hint = f"leave out {key} or {in_hex}"
                read = ((*path, key),)
                yield Finding((*path, in_hex), f"{key} is given already", hint, read=read)


def _spoken(config: Config) -> Iterator[tuple[Path, TcpSpec | UdpSpec | ExchangeSpec]]:
    for path, tcp in _tcp(config):
        yield path, tcp
        yield from (((*path, "exchanges", n), one) for n, one in enumerate(tcp.exchanges or ()))
    yield from _udp(config)


def empty_steps(config: Config) -> Iterator[Finding]:
    """Check that every step of a dialogue sends or expects something."""
    for path, spec in _tcp(config):
        for index, step in enumerate(spec.exchanges or ()):
            place = (*path, "exchanges", index)
            if not any(getattr(step, key) for key in _SHORT):
                read = tuple((*place, key) for key in _SHORT)
                yield Finding(place, "a step sends or expects something", read=read)


def datagrams(config: Config) -> Iterator[Finding]:
    """Check that a datagram can be sent."""
    for path, spec in _udp(config):
        text, in_hex = (spec.send or "").encode(), spec.send_hex or ""
        for key, count in (("send", len(text)), ("send_hex", len(in_hex) // 2)):
            if count > DATAGRAM_LIMIT:
                message = f"{count} bytes are more than the {DATAGRAM_LIMIT} of a datagram"
                yield Finding((*path, key), message)
