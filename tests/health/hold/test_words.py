from libra_health.hold.words import TRIES, Doubt, Phase


def test_a_doubt_begins_with_all_its_attempts_and_no_refusal() -> None:
    assert Doubt("connection ended") == Doubt("connection ended", TRIES, 0, 0.0)


def test_phases_are_the_words_of_the_metrics() -> None:
    assert {phase.value for phase in Phase} == {"waiting", "connecting", "holding"}
