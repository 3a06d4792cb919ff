# Freezes the firmware with boot.py and main.py into a MicroPython image: FROZEN_MANIFEST of the rp2 port's build.
# A board's description, settings and trips stay on the flash file system; a `ccdmon_fw` there goes first.
freeze("$(PORT_DIR)/modules")  # noqa: F821 - names of MicroPython's manifest language
package("ccdmon_fw", opt=3)  # noqa: F821
module("boot.py", opt=3)  # noqa: F821
module("main.py", opt=3)  # noqa: F821
