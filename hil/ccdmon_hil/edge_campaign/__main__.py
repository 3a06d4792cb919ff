"""See `measure.py`."""

from ccdmon_hil.edge_campaign.measure import main

if __name__ == "__main__":
    raise SystemExit(main())
