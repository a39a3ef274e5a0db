from libra_health.asked.exec import asked
from libra_health.checks.exec import ExecSpec, Weighing
from libra_health.wire import Origin, Target
from libra_schemas import config as written

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def test_a_program_is_told_what_to_look_at() -> None:
    spec = asked(written.ExecSpec(command=("/bin/look", "-q")), Target("192.0.2.1", 80))
    assert spec == ExecSpec(
        ("/bin/look", "-q"),
        (
            ("PATH", PATH),
            ("LANG", "C.UTF-8"),
            ("LIBRA_ADDRESS", "192.0.2.1"),
            ("LIBRA_FAMILY", "ipv4"),
            ("LIBRA_PORT", "80"),
        ),
    )


def test_it_is_told_where_to_leave_from_and_of_no_port_where_there_is_none() -> None:
    target = Target("2001:db8::1", 0, Origin("2001:db8::2", "eth1", 7))
    environment = dict(asked(written.ExecSpec(command=("/bin/look",)), target).environment)
    assert {name: value for name, value in environment.items() if name.startswith("LIBRA_")} == {
        "LIBRA_ADDRESS": "2001:db8::1",
        "LIBRA_FAMILY": "ipv6",
        "LIBRA_BIND": "2001:db8::2",
        "LIBRA_INTERFACE": "eth1",
        "LIBRA_FWMARK": "7",
    }


def test_the_operators_variables_user_and_weight_are_taken_over() -> None:
    own = written.ExecSpec(
        command=("/bin/look",),
        environment={"PATH": "/opt/bin", "DEPTH": "2"},
        user="daemon",
        weight="status",
    )
    spec = asked(own, Target("192.0.2.1"))
    assert dict(spec.environment)["PATH"] == "/opt/bin"
    assert dict(spec.environment)["DEPTH"] == "2"
    assert (spec.user, spec.weight) == ("daemon", Weighing.STATUS)
