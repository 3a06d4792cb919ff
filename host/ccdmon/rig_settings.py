"""A rig file's limits as the integers that the firmware takes: one way for `arm`, `replay` and `doctor`."""

from ccdmon.front_end import Linear
from ccdmon.rig_file import Rig
from ccdmon_fw import limits


def settings_of(rig: Rig, sample_interval_s: float) -> list[int]:
    """The firmware's settings in the order of `limits.SETTINGS`; `sample_interval_s` as the board states it.

    The board compares codes, so a limit is taken back through the calibration; of an offset it takes the tighter
    side. Raises ValueError where the firmware's own arithmetic refuses the rig.
    """
    scales, wanted = rig.front_end_scales(), rig.limits
    return list(
        limits.detector_settings(
            scales.voltage_full_scale_V,
            scales.current_full_scale_A,
            sample_interval_s,
            configuration=rig.cell.configuration,
            voltage_limit_V=_nominal(wanted.voltage_V, scales.voltage),
            current_limit_A=None if wanted.current_A is None else _nominal(wanted.current_A, scales.current),
            pressure_full_scale_Pa=scales.pressure_full_scale_Pa,
            pressure_limit_Pa=(
                None if wanted.pressure_max_Pa is None else _nominal(wanted.pressure_max_Pa, scales.pressure)
            ),
            settle_s=wanted.settle_s,
            confirm_samples=wanted.confirm_samples,
        )
    )


def _nominal(limit: float, channel: Linear) -> float:
    """What an uncalibrated channel shows when either sign of the true value reaches `limit`, at the earliest."""
    return (limit - abs(channel.offset)) / channel.gain
