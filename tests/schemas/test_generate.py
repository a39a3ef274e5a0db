import json
from pathlib import Path

import pytest

from libra_schemas import generate
from libra_schemas.render.markdown import BEGIN, filled

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", list(generate.documents()))
def test_a_committed_file_is_what_the_models_say(path: str) -> None:
    expected = generate.documents()[path]
    assert (ROOT / path).read_text(encoding="utf-8") == expected, "make generate"


def test_no_generated_file_outlives_its_model() -> None:
    committed = {
        str(path.relative_to(ROOT)) for path in (ROOT / "schemas/generated").rglob("*.json")
    }
    assert committed == {path for path in generate.documents() if path.startswith("schemas/")}


def test_the_readmes_table_is_what_the_models_say() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert BEGIN in readme
    assert filled(readme) == readme


def test_main_writes_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "README.md").write_text("<!-- events -->\n<!-- /events -->\n")
    monkeypatch.setattr("sys.argv", ["generate", str(tmp_path)])
    generate.main()
    assert (
        json.loads((tmp_path / "schemas/generated/asyncapi.json").read_text())["asyncapi"]
        == "3.0.0"
    )
    assert "| `backend` " in (tmp_path / "README.md").read_text()


def test_main_writes_where_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["generate"])
    generate.main()
    assert (tmp_path / "docs/events.md").exists()
