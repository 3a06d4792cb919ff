"""What only a monitored run knows."""

from dataclasses import dataclass

from ccdmon.run.sample_clock import ClockAccount


@dataclass(frozen=True)
class Monitoring:
    """What only a monitored run knows: the firmware's cutoff and the link's losses; None: not known."""

    rig: str
    firmware: str
    trip_row: int | None = None  # None with a reason: the sample of the trip did not arrive
    trip_reason: str | None = None
    gate: str | None = None
    latency_samples: int | None = None
    samples: int | None = None
    lost_samples: int | None = None
    crc_errors: int | None = None
    segments: int | None = None  # stretches of rows that only the host's clock joins
    clock: ClockAccount | None = None  # None: the device was never asked for its clock
