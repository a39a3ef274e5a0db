import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.health.authority import Authority

from libra_health.certificate import SHOWN, names_of, told_names


def issued(where: Path, *names: str) -> bytes:
    text = Path(Authority(where).issue(*names)).read_text()
    begin = text.index("-----BEGIN CERT")
    end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(text[begin:end])


def test_names_and_addresses_are_told(tmp_path: Path) -> None:
    der = issued(tmp_path, "a.example", "*.b.example", "192.0.2.1", "2001:db8::1")
    assert names_of(der) == [b"a.example", b"*.b.example", b"192.0.2.1", b"2001:db8::1"]
    assert told_names(der) == "it is for a.example, *.b.example, 192.0.2.1, 2001:db8::1"


def test_of_many_names_a_few_are_told(tmp_path: Path) -> None:
    der = issued(tmp_path, *(f"n{number}.example" for number in range(SHOWN + 3)))
    assert told_names(der).endswith(f"n{SHOWN - 1}.example and 3 more")


def test_a_certificate_without_names_is_told_so(tmp_path: Path) -> None:
    ca = ssl.PEM_cert_to_DER_cert(Path(Authority(tmp_path).ca).read_text())
    assert told_names(ca) == "it has no names of servers"


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x80", b"\x30\x00", b"\x30\x05\x30\x01"])
def test_what_is_no_certificate_has_none(der: bytes) -> None:
    assert names_of(der) is None
    assert told_names(der) == ""


def test_an_address_that_is_none_has_none() -> None:
    names = b"\x30\x03\x87\x01\x01"
    extension = b"\x06\x03\x55\x1d\x11" + bytes((4, len(names))) + names
    listed = bytes((0x30, len(extension))) + extension
    outer = bytes((0x30, len(listed))) + listed
    signed = bytes((0xA3, len(outer))) + outer
    der = bytes((0x30, len(signed))) + signed
    assert names_of(bytes((0x30, len(der))) + der) is None


def test_a_certificate_changed_anywhere_gives_names_or_none(tmp_path: Path) -> None:
    der = issued(tmp_path, "a.example", "192.0.2.1")
    for place in range(len(der)):
        for octet in (0x00, 0x30, 0x80, 0x84, 0xFF):
            assert told_names(der[:place] + bytes((octet,)) + der[place + 1 :]).isprintable()


@given(st.binary(max_size=80))
def test_any_bytes_give_names_or_none(der: bytes) -> None:
    assert told_names(b"\x30" + bytes((len(der),)) + der).isprintable()
