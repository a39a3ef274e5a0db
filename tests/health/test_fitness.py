"""What keeps health from checking is told in one sentence; what is wrong with backends is not."""

import pytest

from libra_health.checks.icmp import IcmpSpec
from libra_health.checks.tcp import TcpSpec
from libra_health.fitness import LATE, Shortage, trouble
from libra_health.outcome import Errored, Reason
from libra_health.probes import Probe
from libra_health.wire import Origin, Target

TCP = Probe(Target("10.0.1.11", 80), TcpSpec(), 1.0, 1.0)
MARKED = Probe(Target("192.0.2.10", 80, Origin("", "", 7)), TcpSpec(), 1.0, 1.0)
ICMP = Probe(Target("10.0.1.12"), IcmpSpec(), 1.0, 1.0)


def test_nothing_is_wrong_where_every_check_runs_in_time() -> None:
    assert trouble({}, LATE) is None


def test_checks_that_do_not_begin_are_stuck() -> None:
    assert trouble({}, 12.3) == "the checks are stuck: the next one is 12 s late"


@pytest.mark.parametrize(
    ("probe", "why", "sentence"),
    [
        pytest.param(
            ICMP,
            Errored(Reason.PERMISSION, "EACCES"),
            "icmp check of 10.0.1.12 cannot be run here: EACCES; for icmp "
            "net.ipv4.ping_group_range must include this service's group, or it needs CAP_NET_RAW",
            id="icmp",
        ),
        pytest.param(
            MARKED,
            Errored(Reason.PERMISSION, "EPERM"),
            "tcp check of 192.0.2.10:80 cannot be run here: EPERM; a firewall mark takes "
            "CAP_NET_RAW on Linux 5.17 and newer, CAP_NET_ADMIN before",
            id="mark",
        ),
        pytest.param(
            TCP,
            Errored(Reason.PERMISSION, "cannot read /etc/libra/pw: EACCES"),
            "tcp check of 10.0.1.11:80 cannot be run here: cannot read /etc/libra/pw: EACCES; "
            "the user of health (uid 64641, gid 64640 where LibrA is installed) must be able to "
            "read it and to enter the directories it lies in",
            id="file",
        ),
        pytest.param(
            TCP,
            Errored(Reason.NO_ROUTE, "ENETUNREACH"),
            "tcp check of 10.0.1.11:80 cannot be run here: ENETUNREACH; "
            "this node has no route there",
            id="route",
        ),
        pytest.param(
            Probe(Target("10.0.1.11", 80, Origin("", "eth9")), TcpSpec(), 1.0, 1.0),
            Errored(Reason.NO_ROUTE, "ENODEV"),
            "tcp check of 10.0.1.11:80 cannot be run here: ENODEV; "
            "this node has no interface eth9 (`interface`)",
            id="interface",
        ),
        pytest.param(
            Probe(Target("10.0.1.11", 80, Origin("192.0.2.77")), TcpSpec(), 1.0, 1.0),
            Errored(Reason.PORTS, "EADDRNOTAVAIL"),
            "tcp check of 10.0.1.11:80 cannot be run here: EADDRNOTAVAIL; "
            "this node has not the address 192.0.2.77 (`bind`), or no free port left",
            id="bind",
        ),
        pytest.param(
            Probe(Target("fe80::1", 80), TcpSpec(), 1.0, 1.0),
            Errored(Reason.LOCAL, "EINVAL"),
            "tcp check of [fe80::1]:80 cannot be run here: EINVAL; a link-local address says "
            "nothing without the link it is on: name its `interface`",
            id="link",
        ),
        pytest.param(
            TCP,
            Errored(Reason.PORTS, "EADDRNOTAVAIL"),
            "tcp check of 10.0.1.11:80 cannot be run here: EADDRNOTAVAIL; "
            "this node has no free port left",
            id="ports",
        ),
        pytest.param(
            TCP,
            Errored(Reason.LOCAL, "EINVAL"),
            "tcp check of 10.0.1.11:80 cannot be run here: EINVAL",
            id="no hint",
        ),
    ],
)
def test_a_check_that_cannot_be_run_here_is_named(
    probe: Probe, why: Errored, sentence: str
) -> None:
    assert trouble({probe: why}, 0.0) == sentence


def test_of_many_one_is_named_and_the_others_are_counted() -> None:
    why = Errored(Reason.LOCAL, "EINVAL")
    assert trouble({TCP: why, ICMP: why}, 0.0) == (
        "tcp check of 10.0.1.11:80 (and 1 more) cannot be run here: EINVAL"
    )


@pytest.mark.parametrize(
    ("short", "sentence"),
    [
        pytest.param(
            Shortage(1, 1024, 900),
            "1 hold is not kept, so that probes can run: raise the limit of open files",
            id="others have them",
        ),
        pytest.param(
            Shortage(512, 20000, 20512),
            "512 holds are not kept, so that probes can run: "
            "raise the limit of open files from 20000 to 20512",
            id="there are too few",
        ),
    ],
)
def test_holds_that_gave_way_are_told_after_what_is_worse(short: Shortage, sentence: str) -> None:
    assert trouble({}, 0.0, short) == sentence
    worse = trouble({TCP: Errored(Reason.LOCAL, "EINVAL")}, 0.0, short)
    assert worse is not None
    assert worse.startswith("tcp check")
