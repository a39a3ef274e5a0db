"""What receivers repeat of our secrets is not told."""

from base64 import b64encode

import pytest

from libra_notifier.hiding import hidden, parts_of

URL = "https://me:hunter2@chat.example/services/T0000001/b%2Ducket?token=s3cr3tkey&x=1"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param("Cannot POST /services/T0000001/b%2Ducket?token=s3cr3tkey&x=1", id="a line"),
        pytest.param(f"no such page: {URL}", id="the URL"),
        pytest.param("unknown team T0000001, bucket b-ucket, token s3cr3tkey", id="parts"),
        pytest.param("credentials hunter2", id="credentials"),
        pytest.param(f"Authorization: Basic {b64encode(b'me:hunter2').decode()}", id="as sent"),
    ],
)
def test_no_telling_part_of_a_url_is_repeated(said: str) -> None:
    told = hidden(said, parts_of(URL))
    for telling in ("T0000001", "b-ucket", "b%2Ducket", "s3cr3tkey", "hunter2"):
        assert telling not in told
    assert "…" in told


@pytest.mark.parametrize("url", ["https://h.example", "https://h.example/", "https://h/x?a=1"])
def test_what_tells_nothing_of_a_url_stays(url: str) -> None:
    said = "Who? Me? a=1 /? /x?a"
    assert hidden(said, parts_of(url)) == said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(r'{"got": "a/b\"c&d"}', '{"got": "…"}', id="JSON"),
        pytest.param(r'{"got": "a\/b\"c&d"}', '{"got": "…"}', id="JSON, slashes escaped"),
        pytest.param("<p>a/b&quot;c&amp;d</p>", "<p>…</p>", id="HTML"),
        pytest.param("?key=a%2Fb%22c%26d", "?key=…", id="a URL"),
    ],
)
def test_an_escaped_secret_is_hidden(said: str, told: str) -> None:
    assert hidden(said, ['a/b"c&d']) == told


def test_a_name_that_is_a_token_is_hidden_and_a_short_one_stays() -> None:
    assert (
        hidden("no such user ghp_0123456", parts_of("https://ghp_0123456@h/")) == "no such user …"
    )
    assert hidden("me and you", parts_of("https://me:hunter2@h/")) == "me and you"


def test_a_secret_is_hidden_plain_and_in_base64_and_the_rest_stays() -> None:
    encoded = b64encode(b"hunter2").decode()
    assert hidden(f"535 bad {encoded} or hunter2", ["hunter2", ""]) == "535 bad … or …"
    assert hidden("404 Not Found", parts_of("http://h/hook")) == "404 Not Found"
