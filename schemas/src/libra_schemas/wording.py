"""Messages: what a value of the config should have been, without pydantic's jargon.

Rule: a message says what is expected and never repeats a value that could be a secret.
"""

from typing import Any

from pydantic_core import ErrorDetails

from libra_schemas.config.fields import SWITCHES
from libra_schemas.config.service import FLAGS, SCHEDULERS
from libra_schemas.forms import form_of
from libra_schemas.places import Path
from libra_schemas.shapes import bounds_at
from libra_schemas.suggestions import nearest

_EXPECTED = {
    "address": "an IP address such as 10.0.0.2 or 2001:db8::2",
    "addresses": "an address such as 192.0.2.10/24, or one elsewhere such as"
    " {address: 10.0.1.1/24, interface: eth1}",
    "bind": "an address such as 10.0.0.2, or one per node such as {a: 10.0.0.2, b: 10.0.0.3}",
    "check": "a kind such as tcp, a check such as {http: {path: /healthz}}, or a list of them",
    "group": "an IP address such as 224.0.0.81",
    "interface": "an interface such as eth0, or one per node such as {a: eth0, b: eth1}",
    "interfaces": "an interface such as eth1, or one such as {name: eth2, weight: -30}",
    "max_down": "a number of backends such as 2, a share such as 50%, or both limits such as"
    " {most: 50%, within: 5m}",
    "most": "a number of backends such as 2, or a share such as 50%",
    "preempt": "true, false, when-synced or a delay such as 30s",
    "priority": "a number from 1 to 255, or one per node such as {a: 150, b: 100}",
    "unicast": "an address per node such as {a: 10.0.0.1, b: 10.0.0.2}, true or false",
    "sysctls": "a whole number or text",
    "weight": "a whole number from -253 to 253 but not 0, or fault",
}
"""What a value of several possible kinds may be, by the nearest key."""

_NAME = "a name starts with a letter or digit and holds at most 63 letters, digits, - and _"

_PATTERNS = (
    ("[A-Za-z0-9][A-Za-z0-9_-]", _NAME),
    (r"[^\s/]{1,15}", "an interface name has 1 to 15 characters, no space and no slash"),
    ("x00-", "a process name has 1 to 255 characters and no slash: the file name of its program"),
    ("100)%", "expected a share from 1% to 100%"),
    ("[1-5][0-9]{2}", "expected an HTTP status or a range such as 200-299"),
    (r"[a-z]+)\.(", "expected an event type or a pattern such as backend.down or vrrp.*"),
    ("@", "expected a mail address such as ops@example.com"),
    (
        "A-Za-z0-9_]{0,127}",
        "a variable's name holds letters, digits and _ and starts with no digit",
    ),
    ("A-Za-z0-9_.-]{0,31}", "a user's name holds at most 32 letters, digits, -, _ and ."),
    ("[a-z0-9_]+", "a sysctl of net.ipv4.vs has lowercase letters, digits and _ only"),
)

_KINDS = {
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "dict_type": "expected a mapping of keys to values",
    "model_type": "expected a mapping of keys to values",
    "tuple_type": "expected a list",
    "string_type": "expected text",
    "too_short": "needs at least {min_length} entry",
    "too_long": "holds more than {max_length} entries",
}

_NUMBERS = frozenset(
    {"int_type", "int_parsing", "int_from_float", "int_parsing_size", "finite_number"}
    | {"greater_than_equal", "less_than_equal"}
)

_ALSO_CALLED = {
    "direct": "dr", "gate": "dr", "gatewaying": "dr", "route": "dr", "routing": "dr",
    "masq": "nat", "masquerade": "nat", "masquerading": "nat",
    "ipip": "tun", "tunnel": "tun", "tunneling": "tun", "tunnelling": "tun",
}  # fmt: skip
"""What other programs call a value of ours."""


def expected(path: Path) -> str:
    """Say what a value of several possible kinds may be."""
    keys = [part for part in reversed(path) if part in _EXPECTED]
    return _EXPECTED[str(keys[0])] if keys else "another kind of value"


def say(path: Path, error: ErrorDetails) -> tuple[str, str]:
    """Say what is wrong with a value, and a hint ("" without one)."""
    context: dict[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            message, _, hint = str(context["error"]).partition("; ")
            return message, hint
        case "host_name":
            return error["msg"], f"`getent hosts {context['name']}` tells it"
        case "literal_error":
            return _one_of(path, error["input"], context["expected"])
        case "string_pattern_mismatch":
            return _of_pattern(context["pattern"]), ""
        case kind if kind in _NUMBERS:
            return _number(path), ""
        case "string_type" if isinstance(error["input"], int | float):
            return _KINDS["string_type"], "quotes make text of it"
        case kind if kind in _KINDS:
            hint = _switch(error["input"]) if "bool" in kind else as_in(path)
            return _KINDS[kind].format(**context), hint
        case _:
            return error["msg"], ""


def _switch(value: Any) -> str:
    """Say what to write in place of a word that YAML 1.1 took for true or false."""
    instead = SWITCHES.get(value.lower()) if isinstance(value, str) else None
    return f"YAML 1.2 reads {value} as text: write {instead}" if instead else ""


def as_in(path: Path) -> str:
    """Show what may be written at *path*, as a hint."""
    form = form_of(path)
    return f"as in {form}" if form else ""


def say_of_key(error: ErrorDetails) -> str:
    """Say what is wrong with the name that a mapping's key is."""
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    return _of_pattern(context.get("pattern", ""))


def _of_pattern(pattern: str) -> str:
    return next((text for part, text in _PATTERNS if part in pattern), f"must match {pattern}")


def _number(path: Path) -> str:
    match bounds_at(path):
        case (int(least), int(greatest)):
            return f"expected a whole number from {least} to {greatest}"
        case (int(least), None):
            return f"expected a whole number of at least {least}"
        case _:
            return "expected a whole number"


def _one_of(path: Path, value: Any, listed: str) -> tuple[str, str]:
    if path[-1] == "version":
        return f"expected version {listed}", ""
    words = {"scheduler": SCHEDULERS, "flags": FLAGS}.get(str(path[-1]))
    known = words or tuple(word.strip("'") for word in listed.replace(" or ", ", ").split(", "))
    hint = nearest(value, known) if isinstance(value, str) else ""
    other = _ALSO_CALLED.get(str(value).lower(), "")
    hint = f"did you mean {other}?" if other in known else hint
    return f"expected one of {', '.join(known)}", hint
