"""Dialogues by which a server of a well-known protocol shows that it works.

The one rule: what is said leaves no error in the server's log where that can be had: it ends as
its protocol ends, and locks nobody out.
"""

from __future__ import annotations

import struct
from typing import Final

from libra_health.checks.tcp import Exchange, TcpSpec

_GREETING: Final = Exchange(reader="220")
_BIND: Final = bytes.fromhex("300c 020101 6007 020103 0400 8000")
"""LDAPMessage 1: an anonymous bind, version 3 (RFC 4511 section 4.2)."""
_UNBIND: Final = bytes.fromhex("3005 020102 4200")
"""LDAPMessage 2 (RFC 4511 section 4.3)."""
_SSL_REQUEST: Final = struct.pack("!II", 8, 80877103)
_LOGIN_BODY: Final = struct.pack("<IIB23x", 0x8201, 1 << 20, 33) + b"libra\0\0"
"""User `libra` without a password: long password, protocol 4.1, secure connection, UTF-8.

A login that is turned away is a whole handshake. One broken off counts towards max_connect_errors,
and the server then blocks this node.
"""
_LOGIN: Final = struct.pack("<I", len(_LOGIN_BODY) | 1 << 24) + _LOGIN_BODY
_COM_QUIT: Final = bytes.fromhex("010000 00 01")

PRESETS: Final[dict[str, TcpSpec]] = {
    "smtp": TcpSpec((_GREETING,), farewell=b"QUIT\r\n"),
    "imap": TcpSpec((Exchange(reader="imap"),), farewell=b"a LOGOUT\r\n"),
    "pop3": TcpSpec((Exchange(reader="pop3"),), farewell=b"QUIT\r\n"),
    "ftp": TcpSpec((_GREETING,), farewell=b"QUIT\r\n"),
    "ldap": TcpSpec((Exchange(_BIND, reader="ldap"),), farewell=_UNBIND),
    "redis": TcpSpec((Exchange(b"PING\r\n", reader="redis"),), farewell=b"QUIT\r\n"),
    "mysql": TcpSpec(
        (Exchange(reader="mysql"), Exchange(_LOGIN, reader="mysql login")), farewell=_COM_QUIT
    ),
    "postgresql": TcpSpec((Exchange(_SSL_REQUEST, reader="postgresql"),)),
}
"""Config word -> what is run."""
