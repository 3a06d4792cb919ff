"""See `play_all.py`."""

from ccdmon_hil.campaign.play_all import main

if __name__ == "__main__":
    raise SystemExit(main())
