"""Where faults are brought about: on a trace that is played, and inside the firmware on `unix` and on the Pico."""
