"""The sockets by which the guard speaks in place of a dead machine."""

import socket

import pytest

from libra_vrrp.shell.clean_up import CleanUp
from libra_vrrp.shell.privileges import MACHINE, lacking


@pytest.mark.skipif(lacking(MACHINE) is not None, reason="raw sockets need root")
def test_last_words_do_not_come_back_to_this_host() -> None:
    clean_up = CleanUp()
    four, six = clean_up._raw, clean_up._raw6
    assert four.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) == 0
    if six is not None:
        assert six.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP) == 0
    for each in (four, six, clean_up._netlink):
        if each is not None:
            each.close()
