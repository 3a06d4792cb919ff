"""See `measure.py`."""

from ccdmon_hil.latency.measure import main

if __name__ == "__main__":
    raise SystemExit(main())
