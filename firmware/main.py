# Started by MicroPython after boot.py. Another board: put a module `board` of its own beside this file.
import gc

import micropython

# While modules load: what stays would lie scattered among garbage, with no free place of 10 kB.
gc.threshold(16_384)
while True:
    try:
        micropython.kbd_intr(-1)  # the console carries frames from now on: a byte 3 is no Ctrl-C
        try:
            import board
        except ImportError:
            from ccdmon_fw import board
        from ccdmon_fw import app

        break
    except KeyboardInterrupt:  # one that came before the line above
        pass

gc.threshold(-1)
app.run(board)
