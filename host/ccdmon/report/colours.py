"""Colours that report and live page share."""

from ccdmon.model.kinds import EventKind

INK = "#1f2933"
EVENT_COLOURS: dict[EventKind, str] = {
    "hard_short": "#d1242f",
    "partial_short": "#e69f00",
    "soft_short": "#d98200",
    "contact_loss": "#8250a5",
    "fake_stable": "#7a4b2a",
    "limit": "#b35900",
    "sensor_fault": "#616e7c",
}
