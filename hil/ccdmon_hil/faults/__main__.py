"""See `bring_about.py`."""

from ccdmon_hil.faults.bring_about import main

if __name__ == "__main__":
    raise SystemExit(main())
