"""What mends a file that is no YAML, or no config of ours at all."""

import re

_BLOCK = re.compile(
    r"^[ \t]*(global_defs|vrrp_(?:instance|script|sync_group)|virtual_server(?:_group)?)\b[^:\n]*{",
    re.MULTILINE,
)
"""The beginning of a block of keepalived.conf(5)."""
_OURS = re.compile(r"^version:", re.MULTILINE)
KEEPALIVED = (
    "is a keepalived.conf, which LibrA does not read",
    "write a file of LibrA's own: docs/from-keepalived.md shows one beside the other",
)
NO_COLON = "could not find expected ':'"
_GLUED = re.compile(r"\s*(?:- )?([A-Za-z_]+:)([^\s:]+)\s*$")
_ESCAPE = "found unknown escape character"
_QUOTES = "in double quotes \\ begins an escape: use single quotes"
_TABS = "YAML indents with spaces, and this line has a tab"
_BRACKETS = 'addresses in brackets such as "[2001:db8::10]:80" need quotes'


def keepalived_begins(text: str) -> int:
    """Tell the line, from 1, where a file of keepalived's begins its first block, 0 for none."""
    found = _BLOCK.search(text)
    return text.count("\n", 0, found.start(1)) + 1 if found and not _OURS.search(text) else 0


def hint_for(here: str, problem: str) -> str:
    """Say what mends the line *here*, "" where nobody knows."""
    if problem == NO_COLON and (glued := _GLUED.match(here)):
        return f"a space is missing after {glued[1]}"
    if "\t" in here:
        return _TABS
    if problem == _ESCAPE:
        return _QUOTES
    return _BRACKETS if "[" in here else ""
