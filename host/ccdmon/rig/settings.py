"""A rig file's limits as the integers that the firmware takes: one way for `arm`, `replay` and `doctor`."""

from typing import Any

from ccdmon.model.front_end import Linear
from ccdmon.rig.rig_file import Rig
from ccdmon_fw import limits


def settings_of(rig: Rig, sample_interval_s: float) -> list[int]:
    """The firmware's settings in the order of `limits.SETTINGS`; `sample_interval_s` as the board states it.

    Raises ValueError where the firmware's own arithmetic refuses the rig.
    """
    scales = rig.front_end_scales()
    if rig.sampling.period_us is not None:
        sample_interval_s = rig.sampling.period_us * 1e-6
    settings = limits.detector_settings(
        scales.voltage_full_scale_V,
        scales.current_full_scale_A,
        sample_interval_s,
        configuration=rig.cell.configuration,
        pressure_full_scale_Pa=scales.pressure_full_scale_Pa,
        **physical_limits(rig),
    )
    known = dict(zip(limits.SETTINGS, settings, strict=True))
    return list({**known, **_edge(rig, sample_interval_s)}.values())


def _edge(rig: Rig, sample_interval_s: float) -> dict[str, int]:
    """The settings that are not the detector's: sampling, gate, self-test, host."""
    gate, host = rig.gate, rig.host_trips
    wanted = {
        "sample_period_us": round(sample_interval_s * 1e6),
        "host_timeout_ms": None if host.host_timeout_s is None else round(host.host_timeout_s * 1e3),
        "host_reasons": int(host.soft_short or host.fake_stable or host.contact_loss),
        "gate_drive": ("level", "pump").index(gate.drive),
        "gate_feedback": ("none", "closes", "opens").index(gate.feedback),
        "external_trip": ("none", "loop").index(gate.external_trip),
        "self_test_ms": gate.self_test_ms,
        "overrun_limit": rig.sampling.overrun_limit,
    }
    if gate.self_test_current_A is not None:
        scales = rig.front_end_scales()
        share = gate.self_test_current_A / scales.current.gain / scales.current_full_scale_A
        wanted["self_test_current_units"] = max(1, int(share * limits.UNITS_FULL_SCALE))
    return {name: value for name, value in wanted.items() if value is not None}


def physical_limits(rig: Rig) -> dict[str, Any]:
    """The limits and actions as keyword arguments of `limits.detector_settings`; what the rig does not say is left out.

    The board compares codes, so a limit is taken back through the calibration; of an offset it takes the tighter
    side.
    """
    scales, wanted = rig.front_end_scales(), rig.limits
    voltage, current, pressure = scales.voltage, scales.current, scales.pressure
    physical = {
        "voltage_limit_V": _nominal(wanted.voltage_V, voltage),
        "voltage_min_V": _lower(wanted.voltage_min_V, voltage),
        "current_limit_A": _nominal(wanted.current_A, current),
        "pressure_limit_Pa": _nominal(wanted.pressure_max_Pa, pressure),
        "pressure_min_Pa": _lower(wanted.pressure_min_Pa, pressure),
        "voltage_rate_limit_V_s": _rate(wanted.voltage_rate_V_s, voltage),
        "current_rate_limit_A_s": _rate(wanted.current_rate_A_s, current),
        "pressure_rate_limit_Pa_s": _rate(wanted.pressure_rate_Pa_s, pressure),
        "resistance_min_ohm": wanted.resistance_min_ohm,
        "area_cm2": rig.cell.electrode_area_cm2,
        "converter_bits": rig.front_end.converter_bits,
        "voltage_zero_V": -voltage.offset / voltage.gain,
        "settle_s": wanted.settle_s,
        "soft_persist_s": wanted.soft_persist_s,
        "confirm_samples": wanted.confirm_samples,
        "actions": dict(rig.rules) or None,
    }
    return {name: value for name, value in physical.items() if value is not None}


def _nominal(limit: float | None, channel: Linear) -> float | None:
    """What an uncalibrated channel shows when either sign of the true value reaches `limit`, at the earliest."""
    return None if limit is None else (limit - abs(channel.offset)) / channel.gain


def _lower(limit: float | None, channel: Linear) -> float | None:
    """What an uncalibrated channel shows when the true value falls to `limit`."""
    return None if limit is None else (limit - channel.offset) / channel.gain


def _rate(limit: float | None, channel: Linear) -> float | None:
    return None if limit is None else limit / channel.gain
