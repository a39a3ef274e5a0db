from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_runtime.yaml_config import load_config, parse, read_config
from libra_schemas.errors import ConfigError

EXAMPLES = Path(__file__).parents[2] / "examples"
VALID = """\
version: 1
nodes:
  a: {address: 10.0.0.2}
services:
  web:
    address: 192.0.2.10:80
    backends:
      w1: 10.0.1.11:80
"""


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(dedent(text), "libra.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: str(path.name))
def test_every_example_loads(path: Path) -> None:
    config, document = read_config(path)
    assert set(document.get("services", ())) == set(config.services)


def test_every_problem_has_file_line_and_column() -> None:
    text = """\
        version: 1
        nodes:
          a: {address: 10.0.0.2}
        services:
          web:
            address: 192.0.2.10:80
            schedular: rr
            backends:
              w1: 10.0.1.11:99999
              w1: 10.0.1.12:80
        notify:
          ops: {program: {command: [/bin/true]}, match: [backend.dwn]}
        """
    assert complaints(text) == [
        "libra.yaml:7:5: services.web.schedular: unknown key 'schedular' (did you mean scheduler?)",
        "libra.yaml:9:11: services.web.backends.w1: port 99999 is outside 1-65535",
        "libra.yaml:10:7: services.web.backends.w1: this key stands here twice (first in line 9)",
        ("libra.yaml:12:50: notify.ops.match[0]: no event type is backend.dwn"
        " (did you mean backend.down?)"),
    ]  # fmt: skip


def test_a_key_that_stands_twice_is_an_error_by_itself() -> None:
    (complaint,) = complaints(VALID + "      w1: 10.0.1.12:80\n")
    assert complaint.startswith("libra.yaml:9:7: services.web.backends.w1: this key stands here tw")


def test_what_yaml_1_1_took_for_booleans_numbers_and_dates_is_text() -> None:
    names = "{on: 10.0.1.1:80, no: 10.0.1.2:80, 1: 10.0.1.3:80, 2026-01-01: 10.0.1.4:80}"
    text = VALID.replace("backends:\n      w1: 10.0.1.11:80", f"backends: {names}")
    _, document = load_config(text, "libra.yaml")
    assert list(document["services"]["web"]["backends"]) == ["on", "no", "1", "2026-01-01"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-5", -5),
        ("010", 10),
        ("0x1f", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1.5e3", 1500.0),
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        (".inf", ".inf"),
        ("'12'", "12"),
        ("2026-01-01", "2026-01-01"),
        ("9" * 5000, "9" * 5000),
        ("[1, a]", [1, "a"]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, read: Any) -> None:
    assert parse(f"what: {written}\n", "libra.yaml").document == {"what": read}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "libra.yaml:1:1: the file is empty (start with version: 1)"),
        ("a: &x [1, *x]", "libra.yaml:1:1: too deep or too large (an alias within itself?)"),
        ("version: 1\n---\nversion: 1", "libra.yaml:2:1: no YAML: expected a single document"),
        ("a: [2001:db8::1]:80", "libra.yaml:1:17: no YAML: "),
        ("a: \x00", "libra.yaml:1:1: no YAML: "),
        ("[a]: 1", "libra.yaml:1:1: a key is plain text"),
        (
            "a: !!binary xx",
            "libra.yaml:1:4: a: the tag tag:yaml.org,2002:binary means nothing here",
        ),
        ("a: !!int x", "libra.yaml:1:4: a: 'x' is no int (leave the tag out)"),
        pytest.param("[" * 100_000, "libra.yaml:1:", id="a very deep hole"),
        ("a: !x {}", "libra.yaml:1:4: a: the tag !x means nothing here"),
    ],
)
def test_what_is_no_yaml_of_ours_is_told(text: str, complaint: str) -> None:
    assert any(each.startswith(complaint) for each in complaints(text))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (
            "nodes:\n\ta: {address: 10.0.0.2}\n",
            "(YAML indents with spaces, and this line has a tab)",
        ),
        ("a: [2001:db8::1]:80", '(addresses in brackets such as "[2001:db8::10]:80" need quotes)'),
        ("a: {b: 1\n", "expected ',' or '}'"),
    ],
)
def test_a_hint_fits_the_line(text: str, hint: str) -> None:
    assert [each.endswith(hint) for each in complaints(text)] == [True]


@given(st.text())
def test_any_text_is_a_config_or_told(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(text, "libra.yaml")
    assert all(problem.line for problem in caught.value.problems)


def test_an_alias_stands_for_what_it_names() -> None:
    text = VALID + "    check: &c {tcp: {}, every: 2s}\n  db:\n    address: 192.0.2.10:5432\n"
    config, _ = load_config(text + "    check: *c\n", "libra.yaml")
    assert config.services["db"].check == config.services["web"].check


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("nodes:\n", "nodes: !mine\n", id="a tag of one's own"),
        pytest.param("address: 10.0.0.2", "address: !!int x", id="a tag that lies"),
        pytest.param("  a: {address: 10.0.0.2}", "  {[a]: 10.0.0.2}", id="a key that is a list"),
    ],
)
def test_what_could_not_be_read_is_told_once(before: str, after: str) -> None:
    assert before in VALID
    assert len(complaints(VALID.replace(before, after))) == 1


def test_an_alias_bomb_is_no_config(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libra_runtime.yaml_config._MOST_VALUES", 100)
    levels = ["a0: &a0 [1, 2, 3, 4]"]
    levels += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 10)]
    (complaint,) = complaints("\n".join(levels))
    assert "too deep or too large" in complaint


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        read_config(tmp_path / "missing.yaml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "libra.yaml"
    path.write_bytes(b"version: \xff")
    with pytest.raises(ConfigError, match="not UTF-8: byte 9"):
        read_config(path)


def test_a_colon_without_its_space_is_told_where_it_stands() -> None:
    text = VALID.replace("    backends:", "    forward:nat\n    backends:")
    assert complaints(text) == [
        (
            "libra.yaml:7:5: no YAML: while scanning a simple key, could not find expected ':'"
            " (a space is missing after forward:)"
        )
    ]


def test_what_was_glued_to_a_colon_is_not_repeated() -> None:
    text = VALID.replace("    backends:", "    password:hunter2\n    backends:")
    (said,) = complaints(text)
    assert "a space is missing after password:" in said
    assert "hunter2" not in said


def test_a_backslash_in_double_quotes_is_told_with_what_to_use() -> None:
    text = VALID + '    check: {tcp: {expect: "[0-9] \\d+"}}\n'
    assert complaints(text) == [
        (
            "libra.yaml:9:34: no YAML: while parsing a quoted scalar, found unknown escape"
            " character (in double quotes \\ begins an escape: use single quotes)"
        )
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("! a comment\n\nglobal_defs {\n  router_id a\n}\n", 3),
        ("vrrp_instance front {\n  state MASTER\n}\n", 1),
        ('include "x"\n  virtual_server 192.0.2.1 80 {\n  }\n', 2),
    ],
)
def test_a_file_of_keepalived_is_recognised(text: str, line: int) -> None:
    assert complaints(text) == [
        (
            f"libra.yaml:{line}:1: is a keepalived.conf, which LibrA does not read (write a file of"
            " LibrA's own: docs/from-keepalived.md shows one beside the other)"
        )
    ]


def test_a_word_of_keepalived_in_a_config_of_ours_is_none_of_its_files() -> None:
    load_config(VALID + "# as in virtual_server 192.0.2.1 80 {\n# virtual_server {\n", "libra.yaml")
    (complaint,) = complaints(VALID + "virtual_server: {x: 1}\n")
    assert "keepalived's virtual_server is here services" in complaint
