# Started by MicroPython after boot.py. Another board: put a module `board` of its own beside this file.
try:
    import board
except ImportError:
    from ccdmon_fw import board

from ccdmon_fw import app

app.run(board)
