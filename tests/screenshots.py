"""Pictures of the live page: `python -m tests.screenshots --out DIR`.

One rig before and after a trip, four rigs on one page, as a browser of 1400 or 1600 pixels shows them. Printed with
them: how long a trip took from the board to the page, and how smoothly the page with four rigs was drawn.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests import browser
from tests.browser import model
from tests.host.live_rig import cell, opened, page, rig_file
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import recorder, samples, wait_for

SETTLE_S = 12.0
WATCHED_S = 10.0
_COUNT_FRAMES = """
window.frames_ms = []; let last = performance.now();
const next = () => {
  const now = performance.now();
  frames_ms.push(now - last);
  last = now;
  requestAnimationFrame(next);
};
requestAnimationFrame(next);
"""


@contextlib.contextmanager
def rigs(place: Path, count: int) -> Any:
    """(boards, address of the page) of so many rigs that record."""
    with contextlib.ExitStack() as stack:
        boards, folders = [], []
        for n in range(count):
            board = stack.enter_context(
                PtyBoard(place / f"port{n}", source=cell(26.0 if n == 0 else 1e9), temperature_dC=234)
            )
            folder, rig = place / f"cell-{n + 1}", rig_file(place, str(n + 1))
            stack.enter_context(recorder(board.name, folder, "--rig-file", str(rig)))
            boards.append(board)
            folders.append(folder)
        for folder in folders:
            wait_for(lambda folder=folder: samples(folder, 2000), "samples")
        yield boards, stack.enter_context(page(*folders, token="token-of-pictures"))


def one_rig(driver: Any, place: Path, out: Path) -> None:
    """Before and after a trip, and how long it took to show."""
    with rigs(place, 1) as ((board,), address):
        opened(driver, address)
        time.sleep(SETTLE_S)
        driver.save_screenshot(str(out / "live-one-rig.png"))
        began_s = time.monotonic()
        board.trip()
        wait_for(lambda: model(driver, "rig0-banner", "m.text.includes('TRIP')"), "trip")
        print(f"a trip is on the page after {time.monotonic() - began_s:.2f} s")
        time.sleep(2.0)
        driver.save_screenshot(str(out / "live-trip.png"))


def four_rigs(driver: Any, place: Path, out: Path) -> None:
    """Four rigs at 2 kHz on one page, and the time between two frames of the browser."""
    with rigs(place, 4) as (_, address):
        opened(driver, address)
        time.sleep(SETTLE_S)
        driver.execute_script(_COUNT_FRAMES)
        before_s = browser.cpu_s()
        time.sleep(WATCHED_S)
        busy = (browser.cpu_s() - before_s) / WATCHED_S
        frames_ms = sorted(driver.execute_script("return frames_ms"))
        driver.save_screenshot(str(out / "live-four-rigs.png"))
    median, late = (frames_ms[int(share * len(frames_ms))] for share in (0.5, 0.95))
    print(f"four rigs: {len(frames_ms) / WATCHED_S:.0f} frames a second, median {median:.0f} ms, 95 % {late:.0f} ms, "
          f"longest {frames_ms[-1]:.0f} ms; the page takes {busy:.0%} of a processor")  # fmt: skip


def main() -> int:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    if (lacking := browser.missing()) is not None:
        print(lacking, file=sys.stderr)
        return 2
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "one").mkdir()
        (place / "four").mkdir()
        with browser.chromium(place / "profile", 1400, 1250) as driver:
            one_rig(driver, place / "one", args.out)
        with browser.chromium(place / "profile", 1600, 1500) as driver:
            four_rigs(driver, place / "four", args.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
