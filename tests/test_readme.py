"""The README promises nothing that is not there."""

import re
from pathlib import Path

import pytest

from libra_runtime.yaml_config import load_config

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(ROOT.glob("*/README.md")),
]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def test_it_stays_short() -> None:
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert dead == []


def test_its_config_is_one_that_libra_accepts() -> None:
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert example is not None
    config, _ = load_config(example[1], "README.md")
    assert set(config.services) == {"web"}


def test_every_verb_it_names_is_in_the_makefile() -> None:
    verbs = set(re.findall(r"make ([a-z-]+)", README))
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert verbs
    assert verbs <= made


def test_every_section_of_the_design_that_is_cited_is_there() -> None:
    sections = re.findall(r"^## (§\d+) ", (ROOT / "docs/design.md").read_text(), re.MULTILINE)
    pages = [
        page
        for top in sorted(ROOT.iterdir())
        if not top.name.startswith(".")
        for page in (top.rglob("*") if top.is_dir() else [top])
        if page.suffix in {".py", ".md"}
    ]
    citation = re.compile(r"design (§\d+|section \d+)", re.IGNORECASE)
    cited = {section for page in pages for section in citation.findall(page.read_text())}
    assert "§3" in cited
    assert cited <= set(sections)
