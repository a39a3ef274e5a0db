import errno

import pytest

from libra_health.errands import FileRead, FileUnread
from libra_health.outcome import Errored, Reason
from libra_health.passwords import held, hidden, password_of


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"s3cret\n", b"s3cret"),
        (b"s3cret\r\n", b"s3cret"),
        (b" a b \n\n", b" a b \n"),
        (b"x", b"x"),
    ],
)
def test_a_password_is_the_file_without_its_last_newline(content: bytes, password: bytes) -> None:
    assert password_of("/x", FileRead(content, 1.0)) == password


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (FileRead(b"\n", 0.0), Errored(Reason.LOCAL, "/x holds no password")),
        (FileUnread(errno.ENOENT), Errored(Reason.LOCAL, "cannot read /x: ENOENT")),
        (FileUnread(errno.EACCES), Errored(Reason.PERMISSION, "cannot read /x: EACCES")),
        (FileUnread(9999), Errored(Reason.LOCAL, "cannot read /x: 9999")),
    ],
)
def test_without_a_password_the_trouble_is_ours(
    event: FileRead | FileUnread, outcome: Errored
) -> None:
    assert password_of("/x", event) == outcome


def test_a_secret_that_comes_back_is_hidden() -> None:
    assert hidden(b"no s3cret here, s3cret", b"s3cret", b"") == b"no *** here, ***"


def test_what_is_sent_says_which_secrets_it_holds() -> None:
    assert held(b"AUTH abc", b"abc", b"", b"x") == (b"abc",)
