"""Host side of ccdmon: records a rig, analyses its traces, reports the critical current density."""

__version__ = "0.1.0"
