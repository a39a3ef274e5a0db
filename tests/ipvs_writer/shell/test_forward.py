"""nf_tables, which the lab's kernel does not offer for IPv4, on this host's kernel.

What answers is a datagram without a question: that needs no IPVS.
"""

import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ipvs_writer.forwarding import (
    DOCKER_28,
    DOCUMENT,
    Network,
    choose_packet_filter,
    forwarding,
    rule,
)

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can lay networks on this kernel"),
    pytest.mark.skipif(shutil.which("nft") is None, reason="nft (nftables) is not installed"),
]

LOOK = """
import asyncio, json, sys
from libra_ipvs_writer.shell.forward import Forward
from libra_schemas.config import Config
from libra_schemas.intent.prepared import prepare

forward = Forward()
asyncio.run(forward.look(prepare(Config.model_validate(json.loads(sys.argv[1])), "a")))
print(forward.trouble or "", file=sys.stderr, end="")
"""
TABLE = """
add table inet own
add chain inet own deep
add chain inet own path { type filter hook forward priority 5; policy drop; }
add rule inet own path oifname "docker*" accept
add rule inet own path ip saddr 10.0.2.0/24 accept
add rule inet own path meta nfproto ipv6 accept
add rule inet own path iifname "eth1" jump deep
add rule inet own deep ip protocol tcp tcp sport 81 return
add rule inet own deep ip daddr 203.0.113.0/24 drop
"""


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    choose_packet_filter("nft", tmp_path, monkeypatch)
    with forwarding() as laid:
        yield laid


def test_nf_tables_is_read_and_mended(network: Network) -> None:
    director = network.director
    assert (trouble(network), arrives(network)) == ("", True)
    for line in ("-P FORWARD DROP", *filter(None, DOCKER_28.splitlines())):
        director.run("iptables", *line.split())
    assert not arrives(network)
    mend = rule(trouble(network))
    assert mend == "iptables -I DOCKER-USER -s 10.0.1.0/24 -j ACCEPT"
    director.run(*mend.split())
    assert (trouble(network), arrives(network)) == ("", True)
    for line in filter(None, TABLE.splitlines()):
        director.run("nft", line)
    assert not arrives(network)
    said = trouble(network)
    assert "the policy of inet own path is DROP" in said
    assert rule(said) == "nft insert rule inet own path ip saddr 10.0.1.0/24 accept"
    director.run(*rule(said).split())
    assert (trouble(network), arrives(network)) == ("", True)


def trouble(network: Network) -> str:
    """Look at the packet filter as the writer does, on the director; give what it says."""
    return network.director.run(sys.executable, "-c", LOOK, json.dumps(DOCUMENT)).stderr


def arrives(network: Network) -> bool:
    """Send the client a datagram from a real server; tell whether it gets there."""
    kind = socket.AF_INET, socket.SOCK_DGRAM
    with network.client.call(socket.socket, *kind) as there:
        there.bind(("192.0.2.100", 0))
        there.settimeout(1.0)
        with network.real["n1"].call(socket.socket, *kind) as here:
            here.sendto(b"answer", there.getsockname())
        with contextlib.suppress(TimeoutError):
            return there.recv(64) == b"answer"
    return False
