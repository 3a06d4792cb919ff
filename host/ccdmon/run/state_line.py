"""The state of a recording in two lines of text, for a terminal."""

from collections.abc import Mapping
from typing import Any

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))


def engineering(value: float | None, unit: str) -> str:
    """Four digits with the prefix that leaves one to three before the point; a dash for None."""
    if value is None:
        return f"– {unit}"
    size, prefix = next((pair for pair in _PREFIXES if abs(value) >= pair[0]), _PREFIXES[-1])
    return f"{value / size:.4g} {prefix}{unit}" if value else f"0 {unit}"


def clock(seconds: float | None) -> str:
    """`3d 04:05:06`; a dash for None."""
    if seconds is None:
        return "–"
    days, rest = divmod(int(seconds), 86400)
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days}d {text}" if days else text


def resistance_ohm(state: Mapping[str, Any]) -> float | None:
    """|V/I| of the newest row, None at rest."""
    voltage_V, current_A = state.get("voltage_V"), state.get("current_A")
    return abs(voltage_V / current_A) if voltage_V is not None and current_A else None


def state_line(state: Mapping[str, Any]) -> str:
    """`Recording.state()` as two lines that fit 80 columns: what is measured; gate, link, samples, disk, time left."""
    trip = state.get("trip")
    measured = [
        clock(state["elapsed_s"]),
        engineering(state.get("voltage_V"), "V"),
        engineering(state.get("current_A"), "A"),
        engineering(resistance_ohm(state), "Ω"),
        *([engineering(state["pressure_Pa"], "Pa")] if state.get("pressure_Pa") is not None else []),
        *([f"{state['temperature_degC']:.1f} °C"] if state.get("temperature_degC") is not None else []),
    ]
    kept = [
        f"TRIP {trip['trip_id']} {_what(trip)}" if trip else f"gate {state['gate']}",
        *([] if state["link"] == "up" else [f"LINK LOST{_since(state.get('silent_s'))}"]),
        *(["NOT ARMED, NO SAMPLES"] if state.get("not_recording") else []),
        *(["DISK FULL"] if state["disk"] else []),
        *([f"{state['not_notified']} MESSAGES NOT SENT"] if state.get("not_notified") else []),
        f"{state['samples']} samples",
        f"{state['missing_samples']} missing",
        *([f"{state['free_bytes'] / 1e9:.3g} GB free"] if state.get("free_bytes") is not None else []),
        *([f"{clock(state['stop_in_s'])} left"] if state["stop_in_s"] is not None else []),
    ]
    return " · ".join(measured) + "\n" + " · ".join(kept)


def _what(trip: Mapping[str, Any]) -> str:
    return str(trip.get("what") or str(trip["rule"]).replace("_", " "))


def _since(silent_s: float | None) -> str:
    """What is measured is of then."""
    return "" if silent_s is None else f" {clock(silent_s)}"
