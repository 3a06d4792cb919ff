"""What is installed for a user is all of it: an editable install hides a package that nobody declared."""

import tomllib

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
