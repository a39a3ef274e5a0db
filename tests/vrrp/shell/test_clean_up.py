"""The sockets by which the guard speaks in place of a dead machine."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address

import pytest

from libra_vrrp.codec import Datagram, encode_packet
from libra_vrrp.guarding import HandOver, LastWord
from libra_vrrp.routing import Entry, Kind
from libra_vrrp.rtnetlink import Target
from libra_vrrp.shell import clean_up, questions
from libra_vrrp.shell.clean_up import CleanUp
from libra_vrrp.shell.privileges import MACHINE, lacking

pytestmark = pytest.mark.skipif(lacking(MACHINE) is not None, reason="raw sockets need root")

HERE = IPv4Address("127.0.0.1")
TARGETS = (Target(1, IPv4Address("192.0.2.10")),)


@pytest.fixture
def made() -> Iterator[CleanUp]:
    one = CleanUp()
    yield one
    for each in (one._raw, one._raw6, one._netlink, one._questions):
        if each is not None:
            each.close()


def test_last_words_do_not_come_back_to_this_host(made: CleanUp) -> None:
    assert made._raw.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) == 0
    if made._raw6 is not None:
        assert made._raw6.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP) == 0


def test_what_failed_once_is_tried_again_on_another_socket(
    made: CleanUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, remove, before = [0], made._remove, made._netlink

    def fails_first(targets: tuple[Target, ...]) -> None:
        asked[0] += 1
        if asked[0] == 1:
            raise TimeoutError
        remove(targets)

    monkeypatch.setattr(made, "_remove", fails_first)
    made.perform(HandOver(TARGETS))
    assert (asked, made._netlink is before, before.fileno()) == ([2], False, -1)


def test_without_a_descriptor_to_be_had_the_last_words_are_said_all_the_same(
    made: CleanUp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found by review: the guard, which everything relies on, died of it."""

    def exhausted() -> socket.socket:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with closing(socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)) as heard:
        heard.bind((str(HERE), 0))
        heard.settimeout(60)
        os.dup2(heard.fileno(), made._netlink.fileno(), inheritable=False)
        monkeypatch.setattr(clean_up, "_netlink", exhausted)
        packet = encode_packet(Datagram(HERE, HERE, b"last words"))
        monkeypatch.setattr(questions, "_netlink", exhausted)
        os.dup2(heard.fileno(), made._questions._socket.fileno(), inheritable=False)
        entry = Entry(Kind.RULE, bytes(12))
        made.perform(HandOver(TARGETS, (LastWord(0, str(HERE), packet),), (entry,)))
        assert heard.recv(100)[20:] == b"last words"
    assert capsys.readouterr().err.count("addresses may be left to the end of their lease") == 2
    assert made._netlink.fileno() >= 0
