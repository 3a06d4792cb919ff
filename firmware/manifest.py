# Freezes the firmware into a MicroPython image: FROZEN_MANIFEST of the rp2 port's build.
include("$(PORT_DIR)/boards/manifest.py")  # noqa: F821 - names of MicroPython's manifest language
package("ccdmon_fw", opt=3)  # noqa: F821
