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


@pytest.mark.parametrize(
    ("secret", "text", "told"),
    [
        (b"Bearer tok-123", b"Bearer token 'tok-123'?", b"Bearer token '***'?"),
        (b"Bearer tok-123", b"X: Bearer tok-123", b"X: ***"),
        (b"Bearer tok-123", b"bearer tok-12", b"bearer ***"),
        (b"Bearer tok-123", b"bearer tok-1", b"bearer tok-1"),
        (b"Bearer tok-1234", b"X: Bearer tok-123", b"X: ***"),
        (b"Bearer tok-1234", b"X: tok-123", b"X: ***"),
        (b"Bearer tok-1234", b"tok-123 of old", b"tok-123 of old"),
        (b"aaaaaaaaab", b"aaaaaaaaaaaa", b"aaa***"),
        (b'session="k33p-me"; a=b', b"session k33p-me of a", b"session *** of a"),
        (b"Basic dXNlcjpwdw==", b"dXNlcjpwdw, dXNlcj", b"***, ***"),
        (b"s3cret", b"s3cre", b"s3cre"),
    ],
)
def test_parts_of_a_secret_that_tell_it_are_hidden(secret: bytes, text: bytes, told: bytes) -> None:
    assert hidden(text, secret) == told


def test_the_longest_secret_is_hidden_first() -> None:
    assert hidden(b"abc abcdef", b"abc", b"abcdef") == b"*** ***"


def test_what_is_sent_says_which_secrets_it_holds() -> None:
    assert held(b"AUTH abc", b"abc", b"", b"x") == (b"abc",)
