"""The tree keeps its promises: every pure module has its test, no module grows past its bound."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests"
PACKAGES = sorted(ROOT.glob("*/src/libra_*")) + sorted(ROOT.glob("*/*/src/libra_*"))
LONGEST = 250

NOT_PURE = frozenset({"__init__.py", "__main__.py", "settings.py"})
WITHOUT_TWIN: frozenset[str] = frozenset()
"""Pure modules that need no test of their own, each with its reason. None does."""


def modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


def is_pure(package: Path, module: Path) -> bool:
    """Tell whether the house style calls *module* pure: the schemas, and services outside shell."""
    inside = module.relative_to(package)
    of_core = package.name == "libra_schemas" or "services" in package.parts
    return of_core and "shell" not in inside.parts and inside.name not in NOT_PURE


def twin(package: Path, module: Path) -> Path:
    """Name the test of *module*: tests/vrrp/test_fsm.py of libra_vrrp/fsm.py."""
    inside = module.relative_to(package)
    return TESTS / package.name.removeprefix("libra_") / inside.with_name(f"test_{inside.name}")


def test_every_package_is_seen() -> None:
    assert {package.name for package in PACKAGES} >= {
        "libra_schemas", "libra_runtime", "libra_health", "libra_vrrp", "libra_ipvs_writer",
        "libra_notifier", "libra_console", "libra_cli", "libra_lab",
    }  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.name))
def test_no_pure_module_lacks_its_twin(package: Path) -> None:
    pure = [module for module in modules(package) if is_pure(package, module)]
    missing = {
        str(module.relative_to(package.parent))
        for module in pure
        if not twin(package, module).exists()
    }
    assert missing - WITHOUT_TWIN == set()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: str(package.name))
def test_no_module_is_longer_than_a_reader_can_hold(package: Path) -> None:
    lengths = {
        str(module.relative_to(package.parent)): len(module.read_text().splitlines())
        for module in modules(package)
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


@pytest.mark.parametrize("module", sorted(TESTS.glob("kernel/test_*.py")), ids=lambda p: p.stem)
def test_no_test_of_the_kernel_is_left_out_of_every_suite(module: Path) -> None:
    marks = {"pytest.mark.kernel", "pytest.mark.network", "pytest.mark.campaign"}
    assert sum(mark in module.read_text() for mark in marks) == 1
