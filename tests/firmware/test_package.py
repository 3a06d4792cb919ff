"""What is deployed is what is there."""

import json
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def test_mip_package_names_every_module_of_the_board() -> None:
    urls = json.loads((FIRMWARE / "package.json").read_text())["urls"]
    named = {target for target, _ in urls}
    there = {str(file.relative_to(FIRMWARE)) for file in FIRMWARE.rglob("*.py")}
    off_board = {"manifest.py", "ccdmon_fw/cpython.py"}
    descriptions = {
        name for name in there if name.startswith("boards/")
    }  # put beside main.py by `ccdmon flash`
    assert named == there - off_board - descriptions
    assert all((FIRMWARE / source).is_file() for _, source in urls)


def test_the_manifest_freezes_the_whole_package() -> None:
    """The manifest language is Python with functions of its own (MicroPython's tools/manifestfile.py)."""
    said: list[tuple[object, ...]] = []
    names = {
        "include": lambda path: said.append(("include", path)),
        "package": lambda name, opt=None: said.append(("package", name, opt)),
    }
    exec((FIRMWARE / "manifest.py").read_text(), names)
    assert said == [("include", "$(PORT_DIR)/boards/manifest.py"), ("package", "ccdmon_fw", 3)]
    assert (FIRMWARE / "ccdmon_fw" / "__init__.py").is_file(), "`package` looks beside the manifest"
