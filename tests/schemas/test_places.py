from libra_schemas.places import NOWHERE, Broken, Finding, Places, dotted

PLACES = Places(
    "libra.yaml",
    keys={("services",): (3, 1), ("services", "web"): (4, 3)},
    values={(): (1, 1), ("services",): (4, 3), ("services", "web"): (4, 8)},
)


def test_a_wrong_value_stands_where_the_value_does() -> None:
    assert PLACES.of(Finding(("services", "web"), "bad")) == (4, 8)


def test_a_wrong_key_stands_where_the_key_does() -> None:
    assert PLACES.of(Finding(("services", "web"), "bad", on_key=True)) == (4, 3)


def test_what_the_file_does_not_say_stands_at_its_nearest_ancestor() -> None:
    assert PLACES.of(Finding(("services", "web", "address", "port"), "missing")) == (4, 3)


def test_a_value_without_a_key_is_an_ancestor_too() -> None:
    places = Places(values={("list", 0): (7, 5)})
    assert places.of(Finding(("list", 0, "x"), "missing")) == (7, 5)


def test_a_path_of_nothing_known_stands_at_the_root() -> None:
    assert PLACES.of(Finding(("nodes",), "missing")) == (1, 1)


def test_without_a_file_the_position_is_unknown() -> None:
    assert str(NOWHERE.problem(Finding(("a", "b"), "bad", "do better"))) == "a.b: bad (do better)"


def test_a_problem_names_file_line_and_column() -> None:
    problem = PLACES.problem(Finding(("services", "web"), "bad"))
    assert str(problem) == "libra.yaml:4:8: services.web: bad"


def test_a_path_is_spelled_with_dots_and_brackets() -> None:
    assert dotted(("notify", "ops", "match", 0)) == "notify.ops.match[0]"


def test_what_lies_in_a_broken_place_is_broken_and_what_holds_one_is_touched() -> None:
    broken = Broken.of([("services", "web")])
    assert broken.covers(("services", "web", "address"))
    assert not broken.covers(("services",))
    assert broken.touches(("services",))
    assert not broken.touches(("services", "dns"))


def test_nothing_follows_from_what_is_broken_elsewhere() -> None:
    broken = Broken.of([("services", "web", "check")])
    finding = Finding(("services", "web", "backends"), "bad", read=(("services", "web", "check"),))
    assert finding.rests_on(broken)
    assert not Finding(finding.path, "bad").rests_on(broken)
