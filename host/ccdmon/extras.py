"""What to install for a part that ccdmon does without: advice that works wherever ccdmon itself came from."""

import re
from importlib.metadata import PackageNotFoundError, requires

_EXTRA = re.compile(r"""\bextra\s*==\s*["']([\w-]+)["']""")


def how_to_install(extra: str) -> str:
    """The command that installs the libraries of one of ccdmon's extras, by their own names and bounds.

    It never names ccdmon: where it came from, a package index may not have it.
    """
    try:
        stated = requires("ccdmon") or []
    except PackageNotFoundError:  # run from its sources, never installed
        return f'pip install ".[{extra}]" in the folder of ccdmon\'s sources'
    libraries = [
        requirement.split(";")[0].strip()
        for requirement in stated
        if (found := _EXTRA.search(requirement)) and found[1] == extra
    ]
    return "pip install " + " ".join(f'"{library}"' for library in libraries)
