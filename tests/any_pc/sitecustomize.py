"""Takes from ccdmon what only Unix has, in this process: Python loads it where its folder is on PYTHONPATH.

The libraries keep theirs: how they do without is theirs to test. Single names, as of `socket`, are banned by the lint.
"""

import builtins
from typing import Any

ABSENT_MODULES = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}
PACKAGES = ("ccdmon.", "ccd_fastcore.")

_import = builtins.__import__


def _import_as_elsewhere(name: str, globals: Any = None, *rest: Any, **more: Any) -> Any:
    importer = (globals or {}).get("__name__", "")
    if name.split(".")[0] in ABSENT_MODULES and importer.startswith(PACKAGES):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return _import(name, globals, *rest, **more)


builtins.__import__ = _import_as_elsewhere
