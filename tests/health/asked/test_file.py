from libra_health.asked.file import asked
from libra_health.checks.file import FileSpec, Missing
from libra_health.wire import Target
from libra_schemas import config as written


def test_all_of_it_is_taken_over() -> None:
    own = written.FileSpec(path="/run/w1", weight=True, missing="down", older_than=60.0)
    assert asked(own, Target("192.0.2.1")) == FileSpec(
        "/run/w1", is_weight=True, missing=Missing.DOWN, older_than=60.0
    )


def test_what_nobody_wrote_says_nothing() -> None:
    assert asked(written.FileSpec(path="/run/w1"), Target("192.0.2.1")) == FileSpec("/run/w1")
