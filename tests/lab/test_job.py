from hypothesis import given
from hypothesis import strategies as st

from libra_lab.job import Job, carried, outermost


def test_a_job_survives_its_way_into_the_lab() -> None:
    job = Job(
        argv=["sh", "-c", "echo 'ä'"],
        cwd="/work",
        environment={"PATH": "/bin"},
        writable=["/work"],
        visible=["/srv/x"],
        modules="/m",
        terminal=True,
        size=(50, 120),
    )
    assert Job.decode(job.encode()) == job


def test_only_what_the_lab_needs_is_carried_in() -> None:
    environment = {
        "PATH": "/bin",
        "LIBRA_NODE": "a",
        "KEEP": "1",
        "PYTEST_ADDOPTS": "-x",
        "TMPDIR": "/home/me/tmp",
        "AWS_SECRET": "s",
        "MAKEFLAGS": "-j",
    }
    assert set(carried(environment)) == {"PATH", "LIBRA_NODE", "KEEP", "PYTEST_ADDOPTS"}
    assert carried(environment, ["TMPDIR"])["TMPDIR"] == "/home/me/tmp"


def test_a_directory_inside_another_is_not_mounted_twice() -> None:
    assert outermost(["/a/b", "/a", "/ab", "/a/b/c/", "/a"]) == ["/a", "/ab"]


def test_the_root_directory_is_never_writable_as_a_whole() -> None:
    assert outermost(["/"]) == []


paths = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(
        lambda parts: "/" + "/".join(parts)
    )
)


@given(paths)
def test_every_path_lies_in_exactly_one_outermost_directory(given_paths: list[str]) -> None:
    kept = outermost(given_paths)
    for path in given_paths:
        assert sum(path == top or path.startswith(f"{top}/") for top in kept) == 1
