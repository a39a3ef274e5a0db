import re

import pytest
import yaml

from libra_schemas.keepalived import ABSENT, OURS
from libra_schemas.render.config_examples import EXAMPLES
from libra_schemas.render.config_page import PARTS, config_page
from libra_schemas.render.descriptions import descriptions, models
from libra_schemas.render.json_schema import config_schema
from libra_schemas.suggestions import LATER

PAGE = config_page(config_schema())


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("model", sorted(models()))
def test_every_key_of_every_model_has_a_row(model: str) -> None:
    for key, text in descriptions(models()[model]).items():
        row = rf"^\| `([\w\[\].]+\.)?{re.escape(key)}` \| .+ \| .+ \| {re.escape(text)} \|$"
        assert re.search(row, PAGE, re.MULTILINE), f"{model}.{key}"


@pytest.mark.parametrize(
    ("title", "row"),
    [
        ("Instances", "| `garp.delay` | duration | `5s` | Time from the first frames to"),
        ("Instances", "| `vrid` | number 1 to 255 | **required** | The virtual router's"),
        ("Instances", "| `addresses[].interface` | as `eth0` | **required** | "),
        ("Instances", "| `track.services.NAME.weight` | number -253 to 253 | `-20` | Below"),
        ("Services", "| `check` | [check](#checks) or a list of them | none | "),
        ("Checks", "| `timeout` | duration | `500ms` | Longest time"),
        ("Sinks", "| `email.from` | as `ops@example.net` | **required** | "),
        ("Top level", "| `sync` | [sync](#connection-sync) | its keys' defaults | "),
    ],
)
def test_a_row_says_values_and_default(title: str, row: str) -> None:
    assert f"\n{row}" in section(title)


def test_a_model_with_a_part_of_its_own_stands_there_only() -> None:
    assert "`backends.NAME.weight`" not in PAGE
    assert PAGE.count("\n| `weight` |") == 1


def test_what_a_later_release_has_is_said_where_it_will_be() -> None:
    assert {place for part in PARTS for place in part.later} == set(LATER)
    assert "Not in this release yet: `ballast`, `unlogged_after`." in section("IPVS")
    assert "`track.programs`" in section("Instances")


def test_every_link_leads_to_a_part() -> None:
    titles = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    anchors = {title.lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]*)\)", PAGE)) <= anchors


def test_the_examples_stand_there_as_they_are_tested() -> None:
    assert re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) == list(EXAMPLES.values())
    assert all(yaml.safe_load(text) for text in EXAMPLES.values())


def test_every_word_of_keepalived_is_there_once() -> None:
    table = section("Coming from keepalived")
    words = re.findall(r"`(\w+)`", table)
    assert sorted(words) == sorted(OURS | ABSENT)
    assert "| `lb_algo`, `lvs_sched` | scheduler |" in table
