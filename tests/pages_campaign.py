"""Each page as a desktop, a phone, a dark screen and a printer show it: `python -m tests.pages_campaign --out DIR`.

The live page with two rigs, one of them tripped and unlocked, the report of a run, a population of cells, the fleet;
with `--axe axe.min.js` (axe-core, of npm) what it finds on each, without, the pictures and the parser alone. Exit
code 1 where anything is wrong or a page is wider than its window.
"""

import argparse
import base64
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ccdmon.cli import main as ccdmon
from tests import browser
from tests.browser import model
from tests.host.fleet.test_server import served
from tests.host.live.test_page import unlock
from tests.host.live_rig import opened
from tests.screenshots import rigs
from tests.web_pages import html_faults

TOKEN = "token-of-pictures"
# width, height, scheme, medium
VIEWS = {"desktop": (1400, 1000, "light", ""), "phone": (390, 844, "light", ""),
         "dark": (1400, 1000, "dark", ""), "print": (794, 1123, "light", "print")}  # fmt: skip
_RUN_AXE = """
const done = arguments[0];
axe.run(document, {resultTypes: ["violations"]}).then((found) => done(found.violations.map((one) =>
  `${one.impact} ${one.id}: ${one.help} (${one.nodes.map((node) => node.target.join(" ")).join("; ")})`)));
"""


def views(driver: Any, name: str, address: str, out: Path, axe: str | None, settle_s: float) -> Iterator[str]:
    """Pictures into `out`; what is wrong."""
    for view, (width, height, scheme, media) in VIEWS.items():
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": view == "phone"}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
        driver.get(address)
        time.sleep(settle_s)
        if name == "page":
            unlock(driver, TOKEN)
            time.sleep(1.0)
        wide = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            yield f"{name}, {view}: {wide} pixels wider than its window"
        if axe is not None and view != "print":
            driver.execute_script(axe)
            yield from (f"{name}, {view}: {found}" for found in driver.execute_async_script(_RUN_AXE))
        whole = {"format": "png", "captureBeyondViewport": True}
        picture = driver.execute_cdp_cmd("Page.captureScreenshot", whole)["data"]
        (out / f"{name}-{view}.png").write_bytes(base64.b64decode(picture))
    # As from a desktop: the page was laid out for its screen.
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    time.sleep(settle_s)
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    (out / f"{name}.pdf").write_bytes(base64.b64decode(printed["data"]))


def files_of(place: Path) -> dict[str, Path]:
    """The report of a demonstration, a page of some cells."""
    assert ccdmon(["demo", "--rig", "unix", "--out", str(place / "demo")]) == 0
    cells = place / "cells"
    cells.mkdir()
    for seed in range(24):
        kind = "hard_short" if seed % 3 else "healthy"
        ramp = ["--protocol", "time_control", "--half-cycle-s", "600", "--row-interval-s", "10", "--levels", "10",
                "--first-ma-cm2", "0.2", "--step-ma-cm2", "0.2"]  # fmt: skip
        ccdmon(
            [
                "simulate",
                "--scenario",
                kind,
                "--seed",
                str(seed),
                *ramp,
                "--out",
                str(cells / f"{seed}.bdf.csv"),
            ]
        )
    ccdmon(["analyze", str(cells), "--catalogue", str(place / "cat")])
    assert ccdmon(["population", str(place / "cat"), "--by", "configuration"]) == 0
    return {"report": place / "demo" / "report.html", "population": place / "cat" / "population.html"}


@contextlib.contextmanager
def live(place: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the page of two rigs, one of them tripped, and of their fleet."""
    with rigs(place, 2) as (boards, address), served(str(place)) as port:
        boards[0].trip()
        yield address, f"http://127.0.0.1:{port}/"


def main() -> int:
    """Write the pictures, print what is wrong."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--axe", type=Path, metavar="FILE", help="axe.min.js of axe-core")
    args = parser.parse_args()
    if (lacking := browser.missing()) is not None:
        print(lacking, file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    axe = None if args.axe is None else args.axe.read_text(encoding="utf-8")
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as name, browser.chromium(Path(name) / "profile") as driver:
        for page, path in files_of(Path(name)).items():
            wrong += [f"{page}: {fault}" for fault in html_faults(path.read_text(encoding="utf-8"))]
            wrong += views(driver, page, path.as_uri(), args.out, axe, 1.0)
        (Path(name) / "rigs").mkdir()
        with live(Path(name) / "rigs") as (address, fleet):
            wrong += views(driver, "fleet", fleet, args.out, axe, 1.0)
            opened(driver, address)
            wrong += views(driver, "page", address, args.out, axe, 10.0)
            assert model(driver, "rig0-banner", "m.text.includes('TRIP')")
    print("\n".join(wrong) if wrong else f"nothing wrong; pictures in {args.out}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
