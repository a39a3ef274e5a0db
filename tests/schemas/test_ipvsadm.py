"""Lines that ipvsadm 1.31 printed for real tables; tests/kernel compares many more."""

import pytest

from libra_schemas.ipvsadm import render
from libra_schemas.table import Destination, Service, ServiceKey, ServiceTable, Tunnel

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)


def lines(*tables: ServiceTable) -> list[str]:
    return render({each.key: each for each in tables}).splitlines()


def test_an_empty_table_prints_nothing() -> None:
    assert render({}) == ""


@pytest.mark.parametrize(
    ("service", "line"),
    [
        pytest.param(Service(WEB, "rr"), "-A -t 192.0.2.10:80 -s rr", id="plain"),
        pytest.param(
            Service(WEB, "wlc", persistence=300, prefix=24),
            "-A -t 192.0.2.10:80 -s wlc -p 300 -M 255.255.255.0",
            id="persistent",
        ),
        pytest.param(
            Service(ServiceKey.of("udp", "2001:db8::1", 53), "sh", ("flag-1", "flag-2")),
            "-A -u [2001:db8::1]:53 -s sh -b sh-fallback,sh-port",
            id="sh",
        ),
        pytest.param(
            Service(WEB, "mh", ("flag-2", "flag-3")),
            "-A -t 192.0.2.10:80 -s mh -b mh-port",
            id="mh-knows-no-third-flag",
        ),
        pytest.param(
            Service(ServiceKey.of("sctp", "::ffff:192.0.2.1", 9), "rr", ("flag-1", "flag-3")),
            "-A --sctp-service [::ffff:192.0.2.1]:9 -s rr -b flag-1,flag-3",
            id="sctp",
        ),
        pytest.param(
            Service(ServiceKey.marked(7, 6), "mh", persistence=60, prefix=64, engine="sip"),
            "-A -f 7 -6 -s mh -p 60 -M 64 --pe sip",
            id="mark6",
        ),
        pytest.param(
            Service(ServiceKey.of("udp", "::192.0.2.1", 53), "rr", one_packet=True),
            "-A -u [::192.0.2.1]:53 -s rr -o",
            id="one-packet",
        ),
    ],
)
def test_a_service_line_has_every_attribute(service: Service, line: str) -> None:
    assert lines(ServiceTable(service)) == [line]


@pytest.mark.parametrize(
    ("destination", "line"),
    [
        pytest.param(Destination("10.0.0.1", 80, "dr", 3), "-r 10.0.0.1:80 -g -w 3", id="dr"),
        pytest.param(Destination("10.0.0.1", 80, "nat", 0), "-r 10.0.0.1:80 -m -w 0", id="nat"),
        pytest.param(
            Destination("10.0.0.1", 80, "tun", tunnel=Tunnel()),
            "-r 10.0.0.1:80 -i -w 1 --tun-type ipip",
            id="ipip",
        ),
        pytest.param(
            Destination("10.0.0.1", 80, "tun", tunnel=Tunnel("gue", 6080, "remcsum")),
            "-r 10.0.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum",
            id="gue",
        ),
        pytest.param(
            Destination("2001:db8::9", 80, "tun", tunnel=Tunnel("gre")),
            "-r [2001:db8::9]:80 -i -w 1 --tun-type gre --tun-nocsum",
            id="gre",
        ),
    ],
)
def test_a_real_server_line_has_its_forwarding(destination: Destination, line: str) -> None:
    table = ServiceTable.of(Service(WEB), [destination])
    assert lines(table)[1] == f"-a -t 192.0.2.10:80 {line}"


def test_services_and_real_servers_are_sorted_as_ipvsadm_sorts_them() -> None:
    several = [
        ServiceKey.marked(9),
        ServiceKey.marked(2, 6),
        ServiceKey.of("udp", "192.0.2.1", 53),
        ServiceKey.of("tcp", "2001:db8::1", 80),
        ServiceKey.of("tcp", "192.0.2.1", 443),
        ServiceKey.of("tcp", "192.0.2.1", 80),
        ServiceKey.of("tcp", "10.0.0.1", 80),
    ]
    order = [line.split(" -s ")[0] for line in lines(*(ServiceTable(Service(k)) for k in several))]
    assert order == [
        "-A -t 192.0.2.1:80",
        "-A -t 192.0.2.1:443",
        "-A -t 10.0.0.1:80",
        "-A -u 192.0.2.1:53",
        "-A -t [2001:db8::1]:80",
        "-A -f 2 -6",
        "-A -f 9",
    ]


def test_a_difference_of_half_the_address_space_wraps_as_in_c() -> None:
    table = ServiceTable.of(
        Service(WEB), [Destination("10.0.0.1", 80), Destination("192.0.2.1", 80)]
    )
    assert [line.split()[4] for line in lines(table)[1:]] == ["192.0.2.1:80", "10.0.0.1:80"]
