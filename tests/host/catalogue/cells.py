"""Small traces for a catalogue: some that last, one that shorts, and bad files."""

import json
from pathlib import Path

HEADER = "Test Time / s,Voltage / V,Current / A\n"
OPTIONS = {
    "area_cm2": None, "columns": None, "salvage": False, "eis_columns": None, "eis_select": None,
    "min_probability": 0.0,
}  # fmt: skip
ROWS_PER_HALF = 40


def write_cell(path: Path, *, ohm: float = 10.0, shorted: bool = False, electrolyte: str = "LLZO") -> Path:
    """A ramp of six levels, 1 mA each; `shorted`: the voltage is gone in the last one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [HEADER]
    for row in range(12 * ROWS_PER_HALF):
        half = row // ROWS_PER_HALF
        current_A = 0.001 * (half // 2 + 1) * (-1) ** half
        left = 1e-3 if shorted and row > 10.5 * ROWS_PER_HALF else 1.0
        noise_V = 1e-5 * (row * 7919 % 13 - 6)
        lines.append(f"{row},{current_A * ohm * left + noise_V:.7f},{current_A}\n")
    path.write_text("".join(lines))
    write_sidecar(path, electrolyte)
    return path


def write_sidecar(path: Path, electrolyte: str, **more: object) -> None:
    """The sidecar of `NAME.bdf.csv`, 1 cm2."""
    cell = {"electrode_area_cm2": 1.0, "configuration": "symmetric", "electrolyte": electrolyte, **more}
    name = path.name.removesuffix(".csv") + ".metadata.json"
    path.with_name(name).write_text(json.dumps({"cell": cell}))


def write_many(folder: Path, number: int = 6) -> Path:
    """So many cells: the third shorted, and one file that is no trace."""
    for k in range(number):
        write_cell(folder / f"c{k:02d}.bdf.csv", ohm=10.0 + k, shorted=k == 2)
    (folder / "bad.bdf.csv").write_text(HEADER + "0,zero,0.1\n")
    return folder
