"""Those who come from keepalived are told what its words are called here."""

import pytest

from libra_schemas.keepalived import translated
from libra_schemas.suggestions import advise


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (("instances", "VI_1", "virtual_router_id"), "keepalived's virtual_router_id is here vrid"),
        (("services", "web", "lb_algo"), "keepalived's lb_algo is here scheduler"),
        (("services", "web", "check", "HTTP_GET"), "keepalived's HTTP_GET is here check: {http:"),
        (
            ("services", "web", "check", "https", "virtualhost"),
            "keepalived's virtualhost is here host, in check: {http: ...}",
        ),
        (("virtual_server",), "keepalived's virtual_server is here services"),
        (("instances", "VI_1", "track_bfd"), "keepalived's track_bfd is not here: LibrA speaks no"),
        (("bfd_instance",), "keepalived's bfd_instance is not here: LibrA speaks no BFD; ask"),
    ],
)
def test_a_word_of_keepalived_is_translated(path: tuple[str, ...], hint: str) -> None:
    message, advice = advise(path)
    assert message == f"unknown key {path[-1]!r}"
    assert advice.startswith(hint)


def test_who_asks_to_track_bfd_in_our_words_is_told_what_to_do_instead() -> None:
    message, advice = advise(("instances", "front", "track", "bfd"))
    assert message == "not in this release yet"
    assert "track: {programs:" in advice


def test_who_logs_in_somewhere_is_told_nothing_of_scripts() -> None:
    """Found by review: `user` of a check was told as whom the programs of VRRP run."""
    track = ("instances", "front", "track", "programs", "up", "user")
    assert "programs run as uid" in advise(track)[1]
    assert advise(("services", "web", "check", "http", "user"))[1].startswith("known here: ")


def test_our_own_words_are_not_translated() -> None:
    assert not translated("scheduler")
    assert advise(("services", "web", "schedular"))[1] == "did you mean scheduler?"
