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
    ],
)
def test_no_telling_part_of_a_url_is_repeated(said: str) -> None:
    told = hidden(said, parts_of(URL))
    for telling in ("T0000001", "b-ucket", "b%2Ducket", "s3cr3tkey", "hunter2"):
        assert telling not in told
    assert "…" in told


def test_a_secret_is_hidden_plain_and_in_base64_and_the_rest_stays() -> None:
    encoded = b64encode(b"hunter2").decode()
    assert hidden(f"535 bad {encoded} or hunter2", ["hunter2", ""]) == "535 bad … or …"
    assert hidden("404 Not Found", parts_of("http://h/hook")) == "404 Not Found"
