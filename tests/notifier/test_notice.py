"""The idempotency key."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libra_notifier.notice import idempotency_key


def test_the_key_names_the_sink_and_the_event(make: Any) -> None:
    assert make.notice().key == "ops-id-1"


def test_two_sinks_are_told_under_two_keys() -> None:
    assert idempotency_key("ops", "1") != idempotency_key("boss", "1")


@given(st.text(min_size=1, max_size=64))
def test_whatever_the_id_the_key_fits_into_a_header_and_never_changes(event_id: str) -> None:
    key = idempotency_key("ops", event_id)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", key)
    assert key == idempotency_key("ops", event_id)


def test_a_trailing_line_feed_does_not_reach_the_header() -> None:
    assert "\n" not in idempotency_key("ops", "x\n")
