"""The numbers of linux/ip_vs.h, against what ipvsadm sends, Linux answers and the header says."""

import re
from pathlib import Path

import pytest
from tests.ipvs_writer.golden import GOLDEN

from libra_ipvs_writer import header
from libra_ipvs_writer.netlink import U32, attributes, family_request, inside, name, u16, u32

HEADER = Path("/usr/include/linux/ip_vs.h")
ADD = "-A -t 192.0.2.10:80 -s wrr -p 300 -M 255.255.255.0"
ADD_UDP = "-A -u [2001:db8::10]:53 -s sh -b sh-fallback,sh-port -o"
ADD_MARK = "-A -f 7 -6 -s mh -b mh-port"
ADD_DEST = "-a -t 192.0.2.10:80 -r 10.0.1.11:8080 -m -w 3 -x 100 -y 50"
ADD_TUNNEL = "-a -f 7 -6 -r 10.0.1.9 -i --tun-type gue --tun-port 6080 --tun-csum"
SHORT = {
    "SCHED_NAME": "SCHED",
    "PE_NAME": "PE",
    "FWD_METHOD": "FWD",
    "U_THRESH": "UPPER",
    "L_THRESH": "LOWER",
    "ACTIVE_CONNS": "ACTIVE",
    "INACT_CONNS": "INACTIVE",
    "PERSIST_CONNS": "PERSISTENT",
    "ADDR_FAMILY": "FAMILY",
    "TIMEOUT_TCP": "TCP",
    "TIMEOUT_TCP_FIN": "TCP_FIN",
    "TIMEOUT_UDP": "UDP",
    "MCAST_IFN": "INTERFACE",
    "SYNC_ID": "SYNCID",
    "SYNC_MAXLEN": "MAXLEN",
    "MCAST_GROUP": "GROUP",
    "MCAST_GROUP6": "GROUP6",
    "MCAST_PORT": "PORT",
    "MCAST_TTL": "TTL",
}
"""The header's names -> ours, where ours are shorter."""


def sent(command: str, kind: int = header.CMD_ATTR_SERVICE) -> dict[int, bytes]:
    return inside(GOLDEN[command][">"][-1], kind)


@pytest.mark.parametrize(
    ("command", "number"),
    [
        (ADD, header.NEW_SERVICE),
        ("-D -t 192.0.2.10:80", header.DEL_SERVICE),
        (ADD_DEST, header.NEW_DEST),
        ("-e -t 192.0.2.10:80 -r 10.0.1.11:8080 -m -w 0", header.SET_DEST),
        ("-d -t 192.0.2.10:80 -r 10.0.1.11:8080", header.DEL_DEST),
        ("-Sn", header.GET_SERVICE),
        ("--set 900 120 300", header.SET_CONFIG),
        ("-L --timeout", header.GET_CONFIG),
        ("--start-daemon master --mcast-interface lo --syncid 7", header.NEW_DAEMON),
        ("--stop-daemon master", header.DEL_DAEMON),
        ("-L --daemon", header.GET_DAEMON),
    ],
)
def test_a_command_has_the_number_that_ipvsadm_sends(command: str, number: int) -> None:
    assert GOLDEN[command][">"][0][:2] == bytes([number, header.VERSION])


def test_a_dump_asks_for_services_then_for_the_destinations_of_each() -> None:
    asked = [payload[0] for payload in GOLDEN["-Sn"][">"]]
    assert asked == [header.GET_SERVICE, *[header.GET_DEST] * 3]
    answered = {payload[0] for payload in GOLDEN["-Sn"]["<"]}
    assert answered == {header.NEW_SERVICE, header.NEW_DEST}


def test_the_attributes_of_a_service_stand_where_ipvsadm_puts_them() -> None:
    web = sent(ADD)
    assert u16(web, header.SVC_AF) == header.AF[4]
    assert u16(web, header.SVC_PROTOCOL) == header.PROTOCOL_NUMBERS["tcp"]
    assert web[header.SVC_ADDR] == bytes([192, 0, 2, 10]) + bytes(12)
    assert web[header.SVC_PORT] == (80).to_bytes(2, "big")
    assert name(web, header.SVC_SCHED) == "wrr"
    assert u32(web, header.SVC_FLAGS) == header.F_PERSISTENT
    assert u32(web, header.SVC_TIMEOUT) == 300
    assert web[header.SVC_NETMASK] == bytes([255, 255, 255, 0])
    mark = sent(ADD_MARK)
    assert u32(mark, header.SVC_FWMARK) == 7
    assert u16(mark, header.SVC_AF) == header.AF[6]
    assert u32(mark, header.SVC_FLAGS) == header.SCHEDULER_FLAGS["flag-2"]


def test_one_packet_and_both_scheduler_flags_are_the_bits_that_ipvsadm_sets() -> None:
    flags = header.SCHEDULER_FLAGS
    dns = sent(ADD_UDP)
    assert u32(dns, header.SVC_FLAGS) == header.F_ONE_PACKET | flags["flag-1"] | flags["flag-2"]
    assert u16(dns, header.SVC_PROTOCOL) == header.PROTOCOL_NUMBERS["udp"]
    assert u32(dns, header.SVC_NETMASK) == header.FULL_PREFIX[6]


def test_the_attributes_of_a_destination_stand_where_ipvsadm_puts_them() -> None:
    w1 = sent(ADD_DEST, header.CMD_ATTR_DEST)
    assert w1[header.DEST_ADDR] == bytes([10, 0, 1, 11]) + bytes(12)
    assert w1[header.DEST_PORT] == (8080).to_bytes(2, "big")
    assert u32(w1, header.DEST_FWD) & header.FORWARD_MASK == 0
    assert [
        u32(w1, each) for each in (header.DEST_WEIGHT, header.DEST_UPPER, header.DEST_LOWER)
    ] == [3, 100, 50]
    assert u16(w1, header.DEST_FAMILY) == header.AF[4]
    tunnel = sent(ADD_TUNNEL, header.CMD_ATTR_DEST)
    assert tunnel[header.DEST_TUN_TYPE] == b"\x01"
    assert tunnel[header.DEST_TUN_PORT] == (6080).to_bytes(2, "big")
    assert u16(tunnel, header.DEST_TUN_FLAGS) == 1


def test_linux_answers_with_the_counters_that_are_read() -> None:
    service, *_, destination = GOLDEN["-Sn"]["<"]
    held = inside(service, header.CMD_ATTR_SERVICE)
    found = inside(destination, header.CMD_ATTR_DEST)
    counters = {header.STATS_CONNS, header.STATS_INPKTS, header.STATS_OUTPKTS}
    octets = {header.STATS_INBYTES, header.STATS_OUTBYTES}
    for stats in (held[header.SVC_STATS64], found[header.DEST_STATS64]):
        assert attributes(stats).keys() >= counters | octets
        assert len(attributes(stats)[header.STATS_CONNS]) == 2 * U32.size
    now = (header.DEST_ACTIVE, header.DEST_INACTIVE, header.DEST_PERSISTENT)
    assert [u32(found, each) for each in now] == [0, 0, 0]
    for stats in (held[header.SVC_STATS], found[header.DEST_STATS]):
        assert len(attributes(stats)[header.STATS_CONNS]) == U32.size


def test_timeouts_and_daemons_stand_where_ipvsadm_puts_them() -> None:
    timeouts = attributes(GOLDEN["--set 900 120 300"][">"][0][4:])
    kinds = (header.CMD_ATTR_TCP, header.CMD_ATTR_TCP_FIN, header.CMD_ATTR_UDP)
    assert [u32(timeouts, kind) for kind in kinds] == [900, 120, 300]
    started = sent("--start-daemon master --mcast-interface lo --syncid 7", header.CMD_ATTR_DAEMON)
    assert u32(started, header.DAEMON_STATE) == 1
    assert name(started, header.DAEMON_INTERFACE) == "lo"
    assert u32(started, header.DAEMON_SYNCID) == 7


def test_the_family_is_asked_for_by_its_name() -> None:
    assert family_request(header.FAMILY).endswith(b"IPVS\0\0\0\0")


def test_every_operation_has_a_command_of_its_own() -> None:
    assert len(set(header.COMMANDS.values())) == len(header.COMMANDS) == 6
    assert {header.PROTOCOL_NAMES[each] for each in (6, 17, 132)} == {"tcp", "udp", "sctp"}


@pytest.mark.skipif(not HEADER.exists(), reason="no kernel headers here (linux-libc-dev)")
def test_every_number_is_the_one_of_the_kernels_header() -> None:
    theirs = numbers(HEADER.read_text())
    ours = {
        each: value
        for each, value in vars(header).items()
        if isinstance(value, int) and not each.startswith(("F_", "FORWARD", "VERSION"))
    }
    assert len(ours) > 50
    assert ours.items() <= theirs.items()


def numbers(text: str) -> dict[str, int]:
    """Read the enumerations of the header, by our names."""
    found: dict[str, int] = {}
    for body in re.findall(r"enum \{(.*?)\}", text, re.DOTALL):
        bare = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
        words = [word.partition("=")[0].strip() for word in bare.split(",")]
        for number, word in enumerate(words):
            found[_ours(word)] = number
    return found


def _ours(word: str) -> str:
    if word.startswith("IPVS_CMD_") and not word.startswith("IPVS_CMD_ATTR_"):
        return word.removeprefix("IPVS_CMD_")
    group, _, rest = word.removeprefix("IPVS_").partition("_ATTR_")
    prefix = "CMD_ATTR" if group == "CMD" else group
    return f"{prefix}_{SHORT.get(rest, rest)}"
