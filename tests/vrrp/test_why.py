"""The words for why a state was entered."""

from libra_vrrp.why import Why


def test_a_word_is_written_as_it_is_named() -> None:
    assert [why.value for why in Why] == [why.name.lower() for why in Why]
