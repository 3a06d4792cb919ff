"""Tables of impedance: frequency with real and imaginary part, or with magnitude and phase, under any names and units.

The same reader as for tests in time (`ccdmon.formats.tables`) with other roles. Without a unit hertz, ohm and
degrees are
assumed, and that is said: everybody writes them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from ccdmon.errors import InputError
from ccdmon.formats.cyclers.biologic_mpt import controlled_on, header_line
from ccdmon.formats.cyclers.column_map import ColumnMap, find_entry
from ccdmon.formats.cyclers.columns import Chosen, choose, mapped
from ccdmon.formats.cyclers.recognise import unlabelled
from ccdmon.formats.impedance.sweeps import spectra_of
from ccdmon.formats.tables.labels import split_label
from ccdmon.formats.tables.layout import HEAD_LINES, Layout, find_layouts, labels_found, layout_at, split_line
from ccdmon.formats.tables.rows import RowReader, block_of
from ccdmon.model.spectrum import ComplexArray, Spectrum
from ccdmon.model.trace import FloatArray

OPTION = "--eis-columns"
MAP_ROLES = {"f": "frequency", "re": "real", "im": "imaginary", "-im": "minus_imaginary", "mag": "magnitude",
             "phase": "phase", "-phase": "minus_phase", "spectrum": "spectrum"}  # fmt: skip
ADVICE = "--eis-columns f=#1,re=#2,im=#3 (or -im=#3 where the file holds -Im(Z), or mag=#2,phase=#3[deg])"
_UNITS = {"frequency": "Hz", "real": "ohm", "imaginary": "ohm", "minus_imaginary": "ohm", "magnitude": "ohm"}
_BETWEEN = {
    "real": ("re(zwe-ce)",),
    "minus_imaginary": ("-im(zwe-ce)",),
    "magnitude": ("|zwe-ce|",),
    "phase": ("phase(zwe-ce)",),
}
_IMAGINARY, _PHASE = frozenset(("minus_imaginary", "imaginary")), frozenset(("minus_phase", "phase"))
ZVIEW_MARKS = ("ZPLOT2 ASCII", "ZPlotW Data File", "Z60W Data File", "ZView Calculated Data File")
_ZVIEW = tuple(
    map(split_label, ("Freq(Hz)", "Ampl", "Bias", "Time(Sec)", "Z'(a)", "Z''(b)", "GD", "Err", "Range"))
)
_MOST_RAD = 1.6  # a phase of more than a quarter turn cannot be in radians


@dataclass
class SpectraRead:
    """The spectra of a file in its order, and what was assumed."""

    spectra: list[Spectrum]
    notes: list[str]


def is_spectrum(roles: frozenset[str]) -> bool:
    """Whether columns of these roles make spectra."""
    cartesian = "real" in roles and bool(roles & {"imaginary", "minus_imaginary"})
    polar = "magnitude" in roles and bool(roles & {"phase", "minus_phase"})
    return "frequency" in roles and (cartesian or polar)


def read_lines(
    head: Sequence[str], more: Iterable[bytes], name: str, map_: ColumnMap | None = None
) -> SpectraRead:
    """The spectra of a text's lines. Raises `InputError`: file, line and column, what to do."""
    layout, map_, ignored = _found(head, name, map_)
    chosen = choose_columns(layout, name, map_, controlled_on(head[: layout.at + 1]))
    gamry = head[0].strip() == "EXPLAIN" if head else False
    head = list(map(_tabbed, head)) if gamry else list(head)
    reader = RowReader(
        layout,
        {role: column.at for role, column in chosen.columns.items()},
        {},
        name,
        needed=[role for role in chosen.columns if role not in ("spectrum", "cycle")],
        above=[line.strip() for line in head[layout.at + 1 : layout.first] if line.strip()],
        row_begin="\t" if gamry else "",
        decimal=chosen.decimal,
    )
    for _ in reader.feed(chain([block_of(head[layout.first :])], more)):
        pass
    rows = reader.finish()
    part = np.zeros(len(rows))
    for at, begin in enumerate(rows.parts):
        part[begin.row :] = at
    return made(rows.floats, chosen, name, [part], ignored + rows.notes)


def _tabbed(line: str) -> str:
    """A row of a Gamry file that somebody's editor gave blanks for tabs."""
    return "\t" + "\t".join(line.split()) if line.startswith(" ") else line


def read_arrays(
    labels: Sequence[str], arrays: Sequence[np.ndarray], name: str, map_: ColumnMap | None = None
) -> SpectraRead:
    """As `read_lines`, for labelled columns in memory."""
    layout = Layout(0, tuple(split_label(label) for label in labels), ",", 0)
    chosen = choose_columns(layout, name, map_, None)
    floats = {
        role: np.ascontiguousarray(arrays[column.at], dtype=np.float64)
        for role, column in chosen.columns.items()
    }
    return made(floats, chosen, name, [], [])


def _found(
    head: Sequence[str], name: str, map_: ColumnMap | None
) -> tuple[Layout, ColumnMap | None, list[str]]:
    """(table, the map if it is meant for it, notes); without labels a map must name the columns. Raises `InputError`.

    A map serves both files of a pair: one whose labels tell what is what, and which has none of the map's, needs it
    not.
    """
    at = header_line(head[:HEAD_LINES])
    layouts = [layout_at(head, at)] if at is not None else list(find_layouts(head, is_spectrum))
    if layouts and map_ is not None and not _is_meant(map_, layouts[0]) and _is_told(layouts[0], head, name):
        return layouts[0], None, [f"its labels tell its columns: {OPTION} is not used for it"]
    if layouts:
        return layouts[0], map_, []
    if map_ is not None:
        return _mapped_layout(head, name, map_), map_, []
    half = next(find_layouts(head, lambda roles: "frequency" in roles and len(roles) > 1), None)
    if half is not None and any(c.isalpha() for c in "".join(label.text for label in half.labels)):
        raise InputError(
            f"{name}: line {half.at + 1} names a frequency, but no real and imaginary part, and no magnitude and phase "
            f"(found: {half.shown}); name them with {OPTION} f=...,re=...,im=..."
        )
    if (bare := _without_labels(head, name)) is not None:
        if len(bare.labels) == len(_ZVIEW) and any(mark in line for mark in ZVIEW_MARKS for line in head[:1]):
            return (
                replace(bare, labels=_ZVIEW),
                None,
                ["no labels: taken as the nine columns that ZView writes"],
            )
        raise InputError(
            f"{name}: no labels above the numbers of line {bare.first + 1}; say which column is what with {ADVICE}"
        )
    first = next((line for line in head if line.strip()), "")
    if first.startswith(("EC-Lab ASCII", "BT-Lab ASCII")):
        raise InputError(f"{name}: line 2 should say 'Nb header lines : N'; export the file again")
    if first.strip() == "EXPLAIN":
        raise InputError(f"{name}: no ZCURVE table; export an impedance experiment")
    shown = " ".join(first.split())[:60]
    raise InputError(
        f"{name}: no columns of a frequency and an impedance (it begins: {shown}); "
        f"name them with {OPTION} f=...,re=...,im=..."
    )


def _without_labels(head: Sequence[str], name: str) -> Layout | None:
    """The first rows of three numbers and more where no line of as many words stands above them; else None."""
    try:
        found = unlabelled(head, name)
    except InputError:
        return None
    above = next((line for line in reversed(head[: found.first]) if line.strip()), "")
    words = len(split_line(above, found.separator)) == len(found.labels) and any(map(str.isalpha, above))
    return None if words or len(found.labels) < 3 else found


def _is_told(layout: Layout, head: Sequence[str], name: str) -> bool:
    """Whether the labels tell the columns and their units."""
    try:
        choose_columns(layout, name, None, controlled_on(head[: layout.at + 1]))
    except InputError:
        return False
    return True


def _is_meant(map_: ColumnMap, layout: Layout) -> bool:
    return all(entry.number is None and find_entry(entry, layout.labels) for entry in map_.entries)


def _mapped_layout(head: Sequence[str], name: str, map_: ColumnMap) -> Layout:
    if all(entry.number is not None for entry in map_.entries):
        return unlabelled(head, name)
    for at, line in enumerate(head[:HEAD_LINES]):
        if not line.strip():
            continue
        layout = layout_at(head, at)
        if all(find_entry(entry, layout.labels) for entry in map_.entries):
            return layout
    wanted = ", ".join(entry.label for entry in map_.entries)
    found = labels_found(head)
    has = f"; it has {found}" if found else ""
    raise InputError(f"{name}: no line holds all the labels of {OPTION} ({wanted}){has}; mend the map")


def choose_columns(layout: Layout, name: str, map_: ColumnMap | None, controlled: str | None) -> Chosen:
    """The columns of a spectrum: real and imaginary part before magnitude and phase. Raises `InputError`."""
    preferred = _BETWEEN if (controlled or "").replace(" ", "").lower() == "ewe-ece" else {}
    taken = mapped(map_, layout, name) if map_ else Chosen()
    said = taken.columns.keys() - {"frequency", "spectrum"}
    there = said or frozenset(role for label in layout.labels for role in label.roles)
    cartesian = bool(said & _IMAGINARY) or ("real" in there and bool(said or there & _IMAGINARY))
    size, turn = ("real", _IMAGINARY) if cartesian else ("magnitude", _PHASE)
    roles = ["frequency", size, *([] if said & turn else sorted(turn, reverse=True)), "spectrum", "cycle"]
    chosen = choose(layout, roles, name, {}, preferred, "", taken.columns, option=OPTION)
    for one, other in (("minus_imaginary", "imaginary"), ("minus_phase", "phase")):
        if not map_ and one in chosen.columns and other in chosen.columns:
            del chosen.columns[other]
    if (
        "frequency" in taken.columns
        and "cycle" in chosen.columns
        and chosen.columns["cycle"].at == taken.columns["frequency"].at
    ):
        del chosen.columns["cycle"]
    chosen.decimal = taken.decimal
    chosen.notes = taken.notes + chosen.notes
    missing = {"frequency"} - chosen.columns.keys()
    if missing or not is_spectrum(frozenset(chosen.columns)):
        raise InputError(
            f"{name}: line {layout.at + 1}: no columns of a frequency and an impedance (found: {layout.shown}); "
            f"name them with "
            f"{OPTION} f=...,re=...,im=..."
        )
    assumed = [c.label.text for role, c in chosen.columns.items() if c.unitless and role in _UNITS]
    if assumed:
        chosen.notes.append(f"columns {', '.join(assumed)} tell no unit: taken in Hz and ohm")
    return chosen


def made(
    floats: dict[str, FloatArray], chosen: Chosen, name: str, counters: list[FloatArray], notes: list[str]
) -> SpectraRead:
    """The spectra from columns by role."""
    told = [*chosen.notes, *notes]
    value = {role: floats[role] * chosen.columns[role].scale.factor for role in floats}
    z: ComplexArray
    if "real" in value and ("imaginary" in value or "minus_imaginary" in value):
        minus = "minus_imaginary" in value
        imaginary = -value["minus_imaginary"] if minus else value["imaginary"]
        z = value["real"] + 1j * imaginary
    else:
        minus = "minus_phase" in value
        role = "minus_phase" if minus else "phase"
        phase_deg = (-1.0 if minus else 1.0) * value[role]
        if chosen.columns[role].unitless:
            known = phase_deg[np.isfinite(phase_deg)]
            if not known.size or float(np.abs(known).max()) <= _MOST_RAD:
                label = chosen.columns[role].label.text
                raise InputError(
                    f"{name}: column '{label}': nothing tells whether it is in deg or rad; "
                    f"say it with {OPTION} phase=...[deg]"
                )
            told.append(f"column '{chosen.columns[role].label.text}' tells no unit: taken in degrees")
        z = (value["magnitude"] * np.exp(1j * np.deg2rad(phase_deg))).astype(np.complex128)
    counters = counters + ([value["spectrum"]] if "spectrum" in value else [])
    spectra = spectra_of(value["frequency"], z, counters, [value["cycle"]] if "cycle" in value else [], name)
    return SpectraRead(spectra, told)
