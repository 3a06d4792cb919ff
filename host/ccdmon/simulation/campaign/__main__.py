"""See `measure.py`."""

from ccdmon.simulation.campaign.measure import main

if __name__ == "__main__":
    raise SystemExit(main())
