"""What is deployed is what is there."""

import json
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"


def test_mip_package_names_every_module_of_the_board() -> None:
    urls = json.loads((FIRMWARE / "package.json").read_text())["urls"]
    named = {target for target, _ in urls}
    there = {str(file.relative_to(FIRMWARE)) for file in FIRMWARE.rglob("*.py")}
    off_board = {"manifest.py", "ccdmon_fw/cpython.py", "ccdmon_fw/layout.py"}
    descriptions = {
        name for name in there if name.startswith("boards/")
    }  # put beside main.py by `ccdmon flash`
    assert named == there - off_board - descriptions
    assert all((FIRMWARE / source).is_file() for _, source in urls)


def test_the_manifest_freezes_the_whole_package() -> None:
    """The manifest language is Python with functions of its own (MicroPython's tools/manifestfile.py)."""
    said: list[tuple[object, ...]] = []
    names = {
        name: lambda path, opt=None, name=name: said.append((name, path, opt))
        for name in ("freeze", "package", "module")
    }
    exec((FIRMWARE / "manifest.py").read_text(), names)
    assert said == [
        ("freeze", "$(PORT_DIR)/modules", None),
        ("package", "ccdmon_fw", 3),
        ("module", "boot.py", 3),
        ("module", "main.py", 3),
    ]
    for _, name, _ in said[1:]:
        assert (FIRMWARE / str(name)).exists(), "all but the port's own lie beside the manifest"
