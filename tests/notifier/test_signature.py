"""What a webhook's receiver can check."""

import hashlib
import hmac

from libra_notifier.signature import headers, sign


def test_the_signature_is_hmac_sha256_over_timestamp_and_body() -> None:
    expected = hmac.new(b"key", b'1700000000.{"a":1}', hashlib.sha256).hexdigest()
    assert sign(b"key", 1700000000, b'{"a":1}') == f"sha256={expected}"


def test_the_signature_is_the_one_that_openssl_makes() -> None:
    # printf '1.x' | openssl dgst -sha256 -hmac key
    known = "fc4913c41a7bf793267e2a384f3261c9436ec2cd097bd745e7b0d99113f510ec"
    assert sign(b"key", 1, b"x") == f"sha256={known}"


def test_another_time_or_body_is_another_signature() -> None:
    assert len({sign(b"key", 1, b"x"), sign(b"key", 2, b"x"), sign(b"key", 1, b"y")}) == 3


def test_headers_carry_type_key_time_and_signature() -> None:
    assert headers("ops-1", 1, b"x", b"key") == {
        "Content-Type": "application/cloudevents+json",
        "Idempotency-Key": "ops-1",
        "Libra-Timestamp": "1",
        "Libra-Signature": sign(b"key", 1, b"x"),
    }


def test_without_a_secret_nothing_pretends_to_be_signed() -> None:
    assert "Libra-Signature" not in headers("ops-1", 1, b"x", None)
