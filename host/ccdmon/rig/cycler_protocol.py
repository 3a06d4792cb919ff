"""The rig file's test as a file for the cycler, by aurora-unicycler (the extra `ccdmon[cycler]`).

One description serves both sides: levels, half-cycles, rests and limits stand in the rig file, the monitor takes its
limits from it and the cycler its steps. The cycler's own safety limits are the rig's, so that it stops by itself at
a voltage that the board would cut off at. A cycler cannot see a short; that stays the board's affair.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ccdmon.errors import InputError
from ccdmon.extras import how_to_install
from ccdmon.model.kinds import SYMMETRIC
from ccdmon.model.program import Segment
from ccdmon.rig.rig_file import ProtocolTable, Rig

BIOLOGIC_RANGES_V = (2.5, 5.0, 10.0)
SAFETY_DELAY_S = 1.0  # the shortest that cyclers share
CURRENT_MARGIN = 1.05


def write_protocol(rig: Rig, cycler: str, path: Path | None) -> str:
    """The file's text for one of `CYCLERS`; written to `path` where one is given.

    Raises `InputError` for a rig without area or protocol, a current the cycler has not, or a missing library.
    """
    protocol = unicycler(rig)
    if rig.protocol is not None and rig.protocol.impedance != "none" and cycler not in WITH_IMPEDANCE:
        raise InputError(
            f"{cycler}: aurora-unicycler writes no impedance for it, only for {', '.join(WITH_IMPEDANCE)}; "
            'set [protocol] impedance = "none" and take the spectra by hand'
        )
    try:
        text = CYCLERS[cycler](protocol, rig)
    except (ValueError, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{cycler} cannot run this test ({' '.join(str(error).split())})") from error
    if path is not None:
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: cannot write ({error.strerror}); choose another folder") from error
    return text


def unicycler(rig: Rig) -> Any:
    """The test as an `aurora_unicycler.CyclingProtocol`; repeated cycles as loops. Raises `InputError`."""
    try:
        import aurora_unicycler as library
    except ImportError:
        raise InputError(f"aurora-unicycler is missing; {how_to_install('cycler')}") from None
    described, area_cm2 = rig.protocol, rig.cell.electrode_area_cm2
    if described is None:
        advice = "add one, or remove the '#' before the one that 'ccdmon init' wrote"
        raise InputError(f"rig {rig.name}: its file has no [protocol]; {advice}")
    if area_cm2 is None:
        raise InputError(f"{rig.name}: [cell] electrode_area_cm2 is missing; a cycler takes mA, not mA/cm2")
    largest_mA = max(described.levels_mA_cm2) * area_cm2
    full_mA = 1e3 * rig.front_end.current_full_scale_A
    if largest_mA >= full_mA:
        raise InputError(
            f"{rig.name}: the largest level is {largest_mA:g} mA, and the rig measures up to {full_mA:g} mA: fewer "
            "levels, or another shunt (`ccdmon init --current`)"
        )
    most_mA = CURRENT_MARGIN * largest_mA if rig.limits.current_A is None else rig.limits.current_A * 1e3
    limit_V = rig.limits.voltage_V
    return library.CyclingProtocol(
        sample=library.SampleParams(name=rig.cell.name or rig.name),
        record=library.RecordParams(time_s=described.row_interval_s),
        safety=library.SafetyParams(
            max_voltage_V=limit_V,
            min_voltage_V=-limit_V if rig.cell.configuration == SYMMETRIC else None,
            max_current_mA=most_mA,
            min_current_mA=-most_mA,
            delay_s=SAFETY_DELAY_S,
        ),
        method=list(_steps(library, described, area_cm2)),
    )


def _steps(library: Any, described: ProtocolTable, area_cm2: float) -> Iterator[Any]:
    """One cycle for each level, looped where the level has several; then a rest after the last cycle does no harm."""
    segments = described.program().segments
    scan = list(_impedance(library, described))
    yield from scan
    for level in range(len(described.levels_mA_cm2)):
        own = [segment for segment in segments if segment.level == level]
        cycles = sorted({segment.cycle for segment in own})
        one = [segment for segment in own if segment.cycle == cycles[0]]
        begin = _initial(one)
        for segment in one[:begin]:
            yield _step(library, segment, area_cm2)
        looped = len(cycles) > 1
        if looped:
            yield library.Tag(tag=f"level{level + 1}")
        for segment in one[begin:]:
            yield _step(library, segment, area_cm2)
        if looped:
            yield library.Loop(loop_to=f"level{level + 1}", cycle_count=len(cycles))
        if described.impedance == "each_level" or level == len(described.levels_mA_cm2) - 1:
            yield from scan


def _impedance(library: Any, described: ProtocolTable) -> Iterator[Any]:
    """A rest and a spectrum round the open circuit's voltage; nothing where none is wanted."""
    if described.impedance == "none":
        return
    if described.impedance_rest_s:
        yield library.OpenCircuitVoltage(until_time_s=described.impedance_rest_s)
    yield library.ImpedanceSpectroscopy(
        amplitude_V=described.impedance_amplitude_V,
        start_frequency_Hz=described.impedance_from_Hz,
        end_frequency_Hz=described.impedance_to_Hz,
        points_per_decade=described.impedance_points_per_decade,
    )


def _initial(segments: list[Segment]) -> int:
    """How many of the segments are the test's first rest, which is not repeated."""
    return next(index for index, segment in enumerate(segments) if not segment.rest)


def _step(library: Any, segment: Segment, area_cm2: float) -> Any:
    if segment.rest:
        return library.OpenCircuitVoltage(until_time_s=segment.duration_s)
    return library.ConstantCurrent(
        current_mA=round(segment.current_density_mA_cm2 * area_cm2, 9), until_time_s=segment.duration_s
    )


def _biologic(protocol: Any, rig: Rig) -> str:
    limit_V = rig.limits.voltage_V
    range_V = next((value for value in BIOLOGIC_RANGES_V if value >= limit_V), BIOLOGIC_RANGES_V[-1])
    text: str = protocol.to_biologic_mps(range_V=(-range_V, range_V))
    return text


# cycler: (its file's text from a protocol)
CYCLERS: dict[str, Callable[[Any, Rig], str]] = {
    "biologic": _biologic,
    "neware": lambda protocol, _rig: str(protocol.to_neware_xml()),
    "tomato": lambda protocol, _rig: str(protocol.to_tomato_mpg2()),
    "pybamm": lambda protocol, _rig: "\n".join(protocol.to_pybamm_experiment()) + "\n",
    "unicycler": lambda protocol, _rig: str(protocol.to_json()) + "\n",
}
WITH_IMPEDANCE = ("biologic", "unicycler")  # as of aurora-unicycler 0.4: the others raise
ENDINGS = {"biologic": ".mps", "neware": ".xml", "tomato": ".json", "pybamm": ".txt", "unicycler": ".json"}
