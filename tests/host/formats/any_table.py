"""Tables in random dialects, for `test_any_table.py` and, in numbers, `python -m tests.host.formats.any_table
--cases 20000`.

Each is written from known SI values; what the reader makes of it must be those, or a refusal in one line.
"""

import argparse
import random
import tempfile
from pathlib import Path

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.impedance.files import read_spectra
from ccdmon.formats.importer import read_trace
from tests.host.formats import real_labels as real

FACTORS = {
    "s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "d": 86400.0, "V": 1.0, "mV": 1e-3, "A": 1.0, "mA": 1e-3, "uA": 1e-6, "nA": 1e-9,  # noqa: E501
    "Hz": 1.0, "kHz": 1e3, "ohm": 1.0, "mohm": 1e-3, "kohm": 1e3,
}  # fmt: skip
UNITS = {"time": ("s", "min", "h", "ms"), "voltage": ("V", "mV"), "current": ("A", "mA", "uA"),
         "frequency": ("Hz", "kHz"), "resistance": ("ohm", "kohm")}  # fmt: skip
LABELS = {
    "time": real.labels(real.TIMES), "voltage": real.labels(real.VOLTAGES), "current": real.labels(real.CURRENTS),
    "frequency": real.labels(real.FREQUENCIES), "real": real.labels(real.REALS),
    "imaginary": real.labels(real.IMAGINARIES), "minus": real.labels(real.MINUS_IMAGINARIES), "other": real.labels(real.OTHERS),  # noqa: E501
}  # fmt: skip
# What a table without units may be taken in, for everybody writes them so; the note says it.
CUSTOMARY = {"frequency": "Hz", "resistance": "ohm"}
PREAMBLES = ("Test report", "Cell: A7, 0.785 cm2", "Date of test;30.11.2026", "Operator:\tus", "", "Temperature 25", "Kanal: 3",  # noqa: E501
             "Comment: voltage limit 5 V, current 1 mA", "设备: 5V10mA")  # fmt: skip


class Column:
    """One column: its label, the unit of its cells, and whether anything tells it."""

    def __init__(self, rng: random.Random, role: str, quantity: str, values: np.ndarray) -> None:
        self.role, self.values = role, values
        self.label, told = rng.choice(LABELS[role])
        self.unit = (
            told or (CUSTOMARY.get(quantity) if rng.random() < 0.5 else None) or rng.choice(UNITS[quantity])
        )
        self.told = told is not None or self.unit == CUSTOMARY.get(quantity)

    def cells(self) -> list[float]:
        """The numbers as they stand in the file."""
        return [float(f"{value / FACTORS[self.unit]:.9g}") for value in self.values]


def written(number: float, mark: str, thousands: str, rng: random.Random) -> str:
    """One cell."""
    text = rng.choice(
        (f"{number:.9g}", f"{number:.9f}" if 1e-2 < abs(number) < 1e7 else f"{number:.9e}", f"{number:.9e}")
    )
    whole, dot, rest = text.partition(".")
    if thousands and "e" not in text and len(whole.lstrip("-")) > 3:
        whole = f"{int(whole):,}".replace(",", thousands)
    return whole + (mark if dot else "") + rest


def table(rng: random.Random, columns: list[Column]) -> bytes:
    """The file."""
    others = rng.sample(LABELS["other"], rng.randint(0, 3))
    separator = rng.choice("\t;,|" if rng.random() < 0.95 else "\t")
    mark = "." if separator == "," else rng.choice(".,")
    thousands = {".": ",", ",": "."}[mark] if separator != "," and rng.random() < 0.1 else ""
    order: list[Column | tuple[str, str | None]] = [*columns, *others]
    rng.shuffle(order)
    rows = len(columns[0].values)
    cells = [
        [written(value, mark, thousands, rng) for value in one.cells()] if isinstance(one, Column)
        else [written(rng.uniform(0, 50), mark, "", rng) for _ in range(rows)]
        for one in order
    ]  # fmt: skip
    lines = [rng.choice(PREAMBLES) for _ in range(rng.choice((0, 0, 0, 1, 3, 12)))]
    quote = rng.choice(("", "", '"'))
    lines.append(
        separator.join(
            _quoted(one.label if isinstance(one, Column) else one[0], separator, quote) for one in order
        )
    )
    if rng.random() < 0.3:  # units below the labels, as all who write them do: of every column
        brackets = rng.choice(("{}", "[{}]", "({})"))
        lines.append(
            separator.join(
                brackets.format(one.unit if isinstance(one, Column) else one[1] or "-") for one in order
            )
        )
        for one in columns:
            one.told = True
    lines += [separator.join(row[k] for row in cells) for k in range(rows)]
    encoding = rng.choice(("utf-8", "utf-8-sig", "utf-16", "gb18030", "latin-1", "cp1252"))
    end = rng.choice(("\n", "\r\n"))
    try:
        return (end.join(lines) + rng.choice(("", end))).encode(encoding)
    except UnicodeEncodeError:
        return (end.join(lines) + end).encode("utf-8")


def _quoted(label: str, separator: str, quote: str) -> str:
    quote = '"' if separator in label else quote
    return f"{quote}{label}{quote}" if '"' not in label else label


def trace_case(seed: int, path: Path) -> str:
    """'read' or 'refused'; AssertionError for a wrong reading."""
    rng = random.Random(seed)
    count = rng.randint(4, 30)
    time_s = np.cumsum([rng.choice((0.5, 1.0, 10.0, 60.0)) for _ in range(count)])
    columns = [
        Column(rng, "time", "time", time_s),
        Column(rng, "voltage", "voltage", np.array([rng.uniform(-1.5, 4.2) for _ in range(count)])),
        Column(rng, "current", "current", np.array([rng.choice((-1, 0, 1)) * rng.uniform(1e-5, 0.1) for _ in range(count)])),  # noqa: E501
    ]  # fmt: skip
    path.write_bytes(table(rng, columns))
    try:
        trace = read_trace(path)
    except InputError as error:
        assert "\n" not in str(error)
        return "refused"
    got = (trace.test_time_s, trace.voltage_V, trace.current_A)
    for column, values in zip(columns, got, strict=True):
        assert len(values) == count, f"{len(values)} rows of {count}"
        told = any(f"'{column.label}' tells no unit" in note for note in trace.notes)
        if not np.allclose(
            values, column.values, rtol=2e-5, atol=2e-6 * float(np.max(np.abs(column.values)))
        ):
            assert told, f"{column.label}: {values[:3]} for {column.values[:3]}"
    return "read"


def spectrum_case(seed: int, path: Path) -> str:
    """As `trace_case`, for impedance."""
    rng = random.Random(seed)
    count = rng.randint(8, 30)
    frequency = np.geomspace(10 ** rng.uniform(4, 6), 10 ** rng.uniform(-2, 1), count)
    ohm, farad = 10 ** rng.uniform(1, 4), 10 ** rng.uniform(-8, -4)
    z = rng.uniform(0.5, 20) + ohm / (1 + 2j * np.pi * frequency * ohm * farad)
    minus = rng.random() < 0.5
    columns = [
        Column(rng, "frequency", "frequency", frequency),
        Column(rng, "real", "resistance", z.real),
        Column(rng, "minus" if minus else "imaginary", "resistance", -z.imag if minus else z.imag),
    ]
    path.write_bytes(table(rng, columns))
    try:
        spectra = read_spectra(path)
    except InputError as error:
        assert "\n" not in str(error)
        return "refused"
    assert len(spectra) == 1 and len(spectra[0]) == count, f"{[len(s) for s in spectra]} points of {count}"
    assumed = [column for column in columns if not column.told]
    if not assumed:
        assert np.allclose(spectra[0].frequency_Hz, frequency, rtol=2e-5)
        assert np.allclose(spectra[0].impedance_ohm, z, rtol=2e-5, atol=2e-5 * float(np.max(np.abs(z))))
    return "read"


def main() -> int:
    """Count the cases; the first wrong ones are shown and make the exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.host.formats.any_table")
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts = {"read": 0, "refused": 0, "wrong": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.txt"
        for seed in range(options.seed, options.seed + options.cases):
            try:
                counts[(trace_case if seed % 3 else spectrum_case)(seed, path)] += 1
            except Exception as error:  # noqa: BLE001  counted, whatever it is
                counts["wrong"] += 1
                if counts["wrong"] <= 12:
                    print(
                        f"seed {seed}: {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
                    )
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return int(counts["wrong"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
