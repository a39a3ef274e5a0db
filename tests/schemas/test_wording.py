from typing import Any

import pytest
from tests.schemas.conftest import Complain, Document

from libra_schemas.config.service import SCHEDULERS
from libra_schemas.wording import expected, say

ONE_OF_SCHEDULERS = f"expected one of {', '.join(SCHEDULERS)}"
A_DURATION = "expected a duration such as 500ms, 1s, 5m or 1h"
UNITS = "one number and its unit, ms, s, m, h or d, without a blank"
A_PATTERN = "expected an event type or a pattern such as backend.down or vrrp.*"
BACKENDS = "as in backends: {NAME: {address: 192.0.2.10:80}}"


@pytest.mark.parametrize(
    ("section", "changes", "complaint"),
    [
        ("web", {"quorum": 0}, "services.web.quorum: expected a whole number of at least 1"),
        ("web", {"quorum": "many"}, "services.web.quorum: expected a whole number of at least 1"),
        ("web", {"quorum": 1.5}, "services.web.quorum: expected a whole number of at least 1"),
        ("web", {"quorum": True}, "services.web.quorum: expected a whole number of at least 1"),
        ("web", {"quorum": "2"}, "services.web.quorum: expected a whole number of at least 1"),
        ("web", {"one_packet": "perhaps"}, "services.web.one_packet: expected true or false"),
        (
            "web",
            {"assume_up": True, "check": {"tcp": None, "data_path": "Yes"}},
            (
                "services.web.check.data_path: expected true or false"
                " (YAML 1.2 reads Yes as text: write true)"
            ),
        ),
        (
            "web",
            {"backends": 5},
            f"services.web.backends: expected a mapping of keys to values ({BACKENDS})",
        ),
        (
            "web",
            {"persistence": "soon"},
            f"services.web.persistence: {A_DURATION}, not 'soon' ({UNITS})",
        ),
        (
            "web",
            {"persistence": "2w"},
            f"services.web.persistence: {A_DURATION}, not '2w' ({UNITS})",
        ),
        (
            "web",
            {"forward": "natt"},
            "services.web.forward: expected one of nat, dr, tun (did you mean nat?)",
        ),
        (
            "web",
            {"forward": "masquerade"},
            "services.web.forward: expected one of nat, dr, tun (did you mean nat?)",
        ),
        (
            "web",
            {"forward": "direct"},
            "services.web.forward: expected one of nat, dr, tun (did you mean dr?)",
        ),
        ("front", {"vrid": 300}, "instances.front.vrid: expected a whole number from 1 to 255"),
        (
            "web",
            {"scheduler": "wcl"},
            f"services.web.scheduler: {ONE_OF_SCHEDULERS} (did you mean wlc?)",
        ),
        ("web", {"scheduler": 7}, f"services.web.scheduler: {ONE_OF_SCHEDULERS}"),
        ("front", {"version": 4}, "instances.front.version: expected version 2 or 3"),
        (
            "front",
            {"interface": "a/b"},
            f"instances.front.interface: expected {expected(('interface',))}",
        ),
        (
            "ops",
            {"match": ["backend"]},
            f"notify.ops.match[0]: {A_PATTERN}",
        ),
        (
            "ops",
            {"webhook": {"url_file": 5}},
            "notify.ops.webhook.url_file: expected text (quotes make text of it)",
        ),
    ],
)
def test_a_message_says_what_is_expected(
    document: Document, complaints: Complain, section: str, changes: Document, complaint: str
) -> None:
    parents = {"web": "services", "front": "instances", "ops": "notify"}
    document[parents[section]][section] |= changes
    assert complaints(document) == [complaint]


def test_a_kind_of_error_that_nobody_thought_of_is_said_as_pydantic_says_it() -> None:
    error: Any = {"type": "new_kind", "loc": (), "msg": "Something new", "input": 1}
    assert say(("a",), error) == ("Something new", "")


def test_a_pattern_that_nobody_thought_of_is_shown() -> None:
    context = {"pattern": "^x$"}
    error: Any = {"type": "string_pattern_mismatch", "input": 1, "ctx": context}
    assert say(("a",), error) == ("must match ^x$", "")


def test_a_value_of_unforeseen_kinds_is_told_so() -> None:
    assert expected(("nothing", 0)) == "another kind of value"
