"""Everything the live page says in words, as HTML: all that comes from files, boards and rigs is escaped here."""

import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ccdmon.live.health import Complaint
from ccdmon.run.state_line import clock, engineering, resistance_ohm

_GREEN, _RED, _GREY, _AMBER = "#1a7f37", "#d1242f", "#57606a", "#9a6700"
_MUTED = "var(--muted)"  # of data/live.html


def badge(text: str, colour: str) -> str:
    """A coloured word."""
    return (
        f'<span style="background:{colour};color:#fff;border-radius:10px;padding:2px 9px;white-space:nowrap;'
        f'font-size:12px;font-weight:600;margin-left:6px">{escape(text)}</span>'
    )


def title(
    folder: str, cell: Mapping[str, Any], state: Mapping[str, Any], tripped: bool, *, well: bool = True
) -> str:
    """Name of the rig, its cell, and the states of recording, gate and link; nothing is green where not `well`."""
    known = [str(cell[key]) for key in ("name", "electrolyte", "configuration") if cell.get(key)]
    if cell.get("electrode_area_cm2"):
        known.append(f"{cell['electrode_area_cm2']:g} cm²")
    badges = _badges(state, tripped)
    if not well:
        badges = badges.replace(_GREEN, _GREY) + badge("not followed", _RED)
    return (
        f'<h2 style="font-size:17px;font-weight:600;margin:0">{escape(folder)}'
        f'<span style="font-weight:400;color:{_MUTED};font-size:13px;margin-left:10px">'
        f"{escape(' · '.join(known))}</span>"
        f"{badges}</h2>"
    )


def _badges(state: Mapping[str, Any], tripped: bool) -> str:
    if not state.get("recording"):
        return badge("not recording", _GREY) + (badge("tripped", _RED) if tripped else "")
    gate = str(state.get("gate", "unknown"))
    shown = badge("recording", _GREEN)
    shown += badge(f"gate {gate}", {"closed": _GREEN, "open": _RED if tripped else _AMBER}.get(gate, _GREY))
    shown += badge("link up", _GREEN) if state.get("link") == "up" else badge("link lost", _RED)
    return shown + (badge("disk full", _RED) if state.get("disk") else "")


def wrong_banner(complaints: Sequence[Complaint]) -> str:
    """All that is wrong, in red, with since when; empty where all is well."""
    if not complaints:
        return ""
    lines = "".join(
        f"<div>{escape(complaint.part)}: {escape(complaint.text)}{_since(complaint.since_unix_s)}</div>"
        for complaint in complaints
    )
    return (
        f'<div role="alert" style="background:{_RED};color:#fff;font-size:14px;font-weight:600;padding:8px 16px;'
        f'border-radius:6px">{lines}</div>'
    )


def state_complaints(state: Mapping[str, Any]) -> list[Complaint]:
    """What the recorder itself says is wrong."""
    found = []
    if failures := state.get("failures"):
        listed = ", ".join(f"{part} ({count})" for part, count in dict(failures).items())
        found.append(Complaint("recorder", f"goes on, but failed beside the frames: {listed}", 0.0))
    if waiting := state.get("not_notified"):
        found.append(Complaint("notifications", f"{waiting} not sent yet: nobody was told of a trip", 0.0))
    if state.get("moved"):
        found.append(Complaint("folder", "was moved or deleted while it is recorded", 0.0))
    return found


def _since(unix_s: float) -> str:
    return f" (since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(unix_s))})" if unix_s else ""


def trip_banner(trip: Mapping[str, Any] | None) -> str:
    """The latched trip, large; empty without one."""
    if trip is None:
        return ""
    at = trip.get("test_time_s")
    when = f" at {clock(at)}" if at is not None else ""
    return (
        f'<div role="alert" style="background:{_RED};color:#fff;font-size:18px;font-weight:700;padding:10px 16px;'
        f'border-radius:6px">TRIP {escape(str(trip["trip_id"]))}: '
        f"{escape(str(trip.get('what', trip['rule'].replace('_', ' '))))}{when}. The gate is open.</div>"
    )


def weak_note(weak: Sequence[str]) -> str:
    """What leaves the cell less watched than it seems; empty where nothing does."""
    if not weak:
        return ""
    lines = "".join(f"<br>{escape(line)}" for line in weak)
    return (
        f'<div role="alert" style="background:{_AMBER};color:#fff;font-size:14px;padding:8px 16px;'
        f'border-radius:6px;margin-top:4px"><b>Not as watched as it seems</b>{lines}</div>'
    )


def readouts(
    state: Mapping[str, Any],
    newest: Mapping[str, Any],
    counts: Any,
    declared_degC: float | None,
    at_cell: bool,
) -> str:
    """Newest values, counters and what the recorder says of itself."""
    rows = [
        ("voltage", engineering(newest.get("voltage_V"), "V")),
        ("current", engineering(newest.get("current_A"), "A")),
        ("V / I", engineering(resistance_ohm(newest), "Ω")),
        (
            "pressure",
            engineering(newest["pressure_Pa"], "Pa") if newest.get("pressure_Pa") else "not measured",
        ),
        *_temperatures(newest.get("temperature_degC"), declared_degC, at_cell),
        ("test time", clock(newest.get("test_time_s"))),
        ("samples", f"{counts.samples:,}"),
        ("missing", f"{counts.missing_samples:,}"),
        ("damaged frames", f"{counts.crc_errors:,}"),
        ("dropped by the board", f"{state.get('device_dropped', counts.device_dropped) or 0:,}"),
        *([("late samples", f"{state['overruns']:,}")] if state.get("overruns") is not None else []),
        *([("free space", f"{state['free_bytes'] / 1e9:.1f} GB")] if state.get("free_bytes") else []),
        *([("time to stop", clock(state["stop_in_s"]))] if state.get("stop_in_s") is not None else []),
        *_host_trip(state),
    ]
    cells = "".join(
        f'<div style="color:{_MUTED}">{escape(name)}</div>'
        f'<div style="font-variant-numeric:tabular-nums;text-align:right">{escape(value.replace("-", "−"))}</div>'
        for name, value in rows
    )
    problems = [str(state[key]) for key in ("link_reason", "disk") if state.get(key)]
    warned = "".join(
        f'<div style="color:var(--red);margin-top:6px">{escape(text)}</div>' for text in problems
    )
    grid = "display:grid;grid-template-columns:auto auto;gap:2px 14px;font-size:13px"
    return f'<div style="{grid}">{cells}</div>{warned}'


def _temperatures(
    measured_degC: float | None, declared_degC: float | None, at_cell: bool
) -> Sequence[tuple[str, str]]:
    declared = "not measured" if declared_degC is None else f"{declared_degC:g} °C (declared)"
    if measured_degC is None:
        return [("temperature", declared)]
    measured = f"{measured_degC:.1f} °C"
    if declared_degC is None:
        return [("temperature" if at_cell else "board temperature", measured)]
    return [("board temperature", measured), ("cell temperature", declared)]


def _host_trip(state: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    latency_s = state.get("host_trip_latency_s")
    return [] if latency_s is None else [("host: sample to trip command", f"{latency_s * 1e3:.1f} ms")]


def verdict(report: Mapping[str, Any] | None) -> str:
    """The analysis so far, in one line."""
    if report is None:
        return f'<div style="color:{_MUTED}">no rows yet</div>'
    from ccdmon.report.words import ccd_sentence

    colour = {"healthy": _GREEN, "suspect": _AMBER, "failed": _RED}.get(report["verdict"], _GREY)
    words = f"{badge(report['verdict'].replace('_', ' '), colour)} {escape(ccd_sentence(report))}"
    return f'<div style="font-size:13px;text-indent:-6px">{words}</div>'
