"""Headless Chromium for the tests of the live page, and for its screenshots: Debian's, driven by selenium.

Nothing is downloaded: where browser or driver is missing `find` says what to install.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--force-device-scale-factor=1",
)  # fmt: skip


def missing() -> str | None:
    """What has to be installed before a browser can be opened; None: nothing."""
    names = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(names)} not found: apt-get install chromium chromium-driver" if names else None


@contextmanager
def chromium(profile: Path, width: int = 1400, height: int = 1300) -> Iterator[Any]:
    """A selenium driver with a fresh profile."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def model(driver: Any, name: str, expression: str) -> Any:
    """Value of a JavaScript expression of the page's model of that name, `m`; None while there is none."""
    found = f"const d = window.Bokeh && Bokeh.documents[0]; const m = d && d.get_model_by_name({name!r});"
    return driver.execute_script(f"{found} return m ? ({expression}) : null")


def cpu_s() -> float:
    """Processor time that the pages of all browsers of this user have taken, s."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        except OSError:  # it ended
            continue
    return total / os.sysconf("SC_CLK_TCK")
