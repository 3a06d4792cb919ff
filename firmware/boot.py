# The gate pin first: whatever happens after this, no current flows until the firmware is armed. On a chip that is not
# known nothing is touched: the pull-down holds the gate open, and `ccdmon_fw/chips/known.py` says why nothing runs.
import sys

if sys.implementation._machine.split(" with ")[-1] in ("RP2040", "RP2350"):
    import machine

    machine.Pin(22, machine.Pin.OUT, value=0)
