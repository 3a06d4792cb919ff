"""What is installed for a user is all of it: an editable install hides a package that nobody declared."""

import tomllib
from graphlib import TopologicalSorter

import pytest

from tests.conftest import PROJECT_DIR

NEVER_IMPORTED = {"ccdmon_board", "ccdmon_hil.data"}  # deployed to a board, or data of `ccdmon_hil`


def test_every_folder_with_modules_is_a_declared_package() -> None:
    setuptools = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        ".".join([name, *path.parent.relative_to(PROJECT_DIR / folder).parts])
        for name, folder in setuptools["package-dir"].items()
        if name not in NEVER_IMPORTED
        for path in (PROJECT_DIR / folder).rglob("*.py")
    }
    declared = {name for name in setuptools["packages"] if name.split(".")[0] not in NEVER_IMPORTED}
    assert found - NEVER_IMPORTED == declared


def test_no_import_goes_in_a_circle() -> None:
    grimp = pytest.importorskip("grimp", reason="the optional extra ccdmon[lint] is not installed")
    graph = grimp.build_graph(
        "ccdmon", "ccdmon_hil", "ccd_fastcore", "ccdmon_fw", exclude_type_checking_imports=True
    )
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises where there is one, and names it


def test_no_folder_is_too_full_to_look_through() -> None:
    folders = {
        path.parent for top in ("host", "hil", "firmware") for path in (PROJECT_DIR / top).rglob("*.py")
    }
    full = {folder: sum(1 for _ in folder.glob("*.py")) for folder in folders}
    assert max(full.values()) <= 26, max(full, key=lambda folder: full[folder])
