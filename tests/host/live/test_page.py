"""The live page in a real browser: what it shows is what was recorded, and only the token can act."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ccdmon
from ccdmon.run import folder as run_folder
from tests import browser
from tests.browser import model
from tests.host.live_rig import cell, opened, page, rig_file
from tests.host.pty_board import PtyBoard
from tests.host.record.test_recording import events, recorder, samples, state, wait_for
from tests.host.whole_run import open_run
from tests.host.wire_stream import CONFIG, recorded_run, stream

TOKEN = "only-for-this-test"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if (lacking := browser.missing()) is not None:
        pytest.skip(f"no browser for the live page: {lacking}")
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def board(tmp_path: Path) -> Iterator[PtyBoard]:
    with PtyBoard(tmp_path / "port", source=cell(), temperature_dC=234) as board:
        yield board


def click(driver: Any, name: str) -> None:
    """Press a button of the page as its own code would."""
    assert model(
        driver, name, "(m.trigger_event(new (Bokeh.require('core/bokeh_events').ButtonClick)()), true)"
    )


def text(driver: Any, name: str) -> str:
    return str(model(driver, name, "m.text") or "")


FIELD = "Bokeh.index.find_one(m).shadow_el.querySelector('input')"


def unlock(driver: Any, token: str) -> None:
    """Type the control token and press the button."""
    wait_for(lambda: model(driver, "rig0-token", f"!!{FIELD}"), "the field of the token")
    assert model(driver, "rig0-token", f"({FIELD}.value = {token!r}, true)")
    click(driver, "rig0-unlock")


def on_screen(driver: Any, name: str) -> str:
    """What the browser shows of a model, whatever way its words came."""
    return str(model(driver, name, "Bokeh.index.find_one(m).shadow_el.textContent"))


def test_values_on_the_page_equal_the_recording(driver: Any, tmp_path: Path) -> None:
    folder = recorded_run(tmp_path / "run", stream(4000))
    run = open_run(folder)
    with page(folder) as address:
        opened(driver, address)
        assert not model(driver, "rig0-temperature", "m.visible"), "no panel for what nobody measures"
        move = "Bokeh.documents[0].get_model_by_name('rig0-x').setv({start: 500, end: 520})"
        assert model(driver, "rig0-window", f"(m.active = null, {move}, true)")
        inside = "Array.from(m.data.time_s).filter((t) => t > 500 && t < 520).length"
        finest = f"{inside} == 39 && m.data.time_s.length < 60"
        wait_for(lambda: model(driver, "rig0-rows", finest), "single rows of the part that is looked at")
        shown = model(driver, "rig0-rows", "[Array.from(m.data.time_s), Array.from(m.data.voltage_V)]")
        half_cycles = on_screen(driver, "rig0-half-cycles-table")
        changed = "(m.data = {...m.data, cycle: m.data.cycle.map(() => 777)}, true)"
        assert "777" not in half_cycles and model(driver, "rig0-half-cycles", changed)
        wait_for(
            lambda: "777" in on_screen(driver, "rig0-half-cycles-table"),
            "a table whose length stays is drawn anew",
        )
    times, voltages = (np.array(column) for column in shown)
    rows = np.rint(times / 0.5).astype(int)
    np.testing.assert_allclose(times, run.trace.test_time_s[rows])
    np.testing.assert_allclose(voltages, run.trace.voltage_V[rows], atol=1e-6)


def test_a_trip_appears_stays_after_reload_and_is_reset_with_the_token_only(
    driver: Any, board: PtyBoard, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    rig = rig_file(tmp_path, "one")
    with (
        recorder(board.name, folder, "--rig-file", str(rig)) as process,
        page_when(folder) as address,
    ):
        opened(driver, address)
        assert "TRIP" not in text(driver, "rig0-banner")
        first = on_screen(driver, "rig0-readouts")
        wait_for(lambda: on_screen(driver, "rig0-readouts") not in (first, ""), "newer values on the screen")
        measured = "Array.from(m.data.temperature_degC).some((t) => Math.abs(t - 23.4) < 1e-4)"
        wait_for(lambda: model(driver, "rig0-rows", measured), "the temperature of the board")
        assert "board temperature23.4 °C" in on_screen(driver, "rig0-readouts")
        assert "25 °C (declared)" in on_screen(driver, "rig0-readouts")
        assert model(driver, "rig0-temperature", "m.visible")
        click(driver, "rig0-trip")  # without the token: nothing
        click(driver, "rig0-yes")
        board.trip()
        wait_for(lambda: "TRIP 1: hard short: " in text(driver, "rig0-banner"), "banner")
        before = model(driver, "rig0-rows", "m.data.time_s[0]")
        opened(driver, address)
        assert model(driver, "rig0-rows", "m.data.time_s[0]") == before, "history is there after a reload"
        assert "TRIP 1" in text(driver, "rig0-banner")
        assert [e["command"] for e in events(folder) if e["action"] == "command"] == []
        unlock(driver, TOKEN)
        wait_for(lambda: model(driver, "rig0-reset-trip", "m.visible"), "unlocked buttons")
        click(driver, "rig0-reset-trip")
        wait_for(lambda: model(driver, "rig0-yes", "m.visible"), "question")
        click(driver, "rig0-yes")
        wait_for(lambda: board.trip_id == 0, "reset trip")
        wait_for(lambda: text(driver, "rig0-banner") == "", "banner gone")
        assert state(folder)["trip"] is None
        process.kill()


def page_when(folder: Path) -> Any:
    """The page, once the recorder has heard of its board."""
    wait_for(lambda: samples(folder, 4000), "samples")
    return page(folder, token=TOKEN)


def test_a_finished_run_opens_whole_and_has_no_dead_controls(driver: Any, tmp_path: Path) -> None:
    with page(recorded_run(tmp_path / "run"), token=TOKEN) as address:
        opened(driver, address)
        wait_for(lambda: model(driver, "rig0-controls", "m.visible") is False, "no controls")
        assert model(driver, "rig0-trip", "m.visible") is False


def test_a_wrong_token_unlocks_nothing(driver: Any, board: PtyBoard, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with recorder(board.name, folder), page_when(folder) as address:
        opened(driver, address)
        unlock(driver, "wrong-token")
        wait_for(lambda: "not the token" in text(driver, "rig0-control-message"), "refusal")
        assert model(driver, "rig0-trip", "m.visible") is False
        assert model(driver, "rig0-token", f"{FIELD}.value") == "", "it leaves the field at once"


def test_what_files_and_boards_say_is_text_not_markup(driver: Any, tmp_path: Path) -> None:
    evil = "<img src=x onerror=window.hacked=1>"
    folder = recorded_run(tmp_path / "<b>run")
    run_folder.rewrite_config(
        folder,
        {
            **CONFIG,
            "cell": {**CONFIG["cell"], "electrolyte": evil, "name": "</div><script>window.hacked=1</script>"},
        },
    )
    with page(folder) as address:
        opened(driver, address)
        wait_for(lambda: "&lt;img" in text(driver, "rig0-title"), "title")
        assert driver.execute_script("return window.hacked") is None


def test_everything_comes_from_this_machine(driver: Any, tmp_path: Path) -> None:
    with page(recorded_run(tmp_path / "run")) as address:
        driver.get_log("performance")
        opened(driver, address)
        asked = [json.loads(line["message"])["message"] for line in driver.get_log("performance")]
    addresses = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
    assert addresses
    assert [a for a in addresses if not a.startswith((address, "data:", "blob:", "chrome"))] == []


def test_a_keyboard_and_a_screen_reader_get_at_the_plots(driver: Any, tmp_path: Path) -> None:
    with page(recorded_run(tmp_path / "run", stream(4000))) as address:
        opened(driver, address)
        plots = "Bokeh.index.find_one(m).el"
        wait_for(lambda: model(driver, "rig0-plots", f"{plots}.tabIndex === 0"), "plots that take the focus")
        assert "Arrow keys" in str(model(driver, "rig0-plots", f"{plots}.getAttribute('aria-label')"))
        assert driver.execute_script("return document.querySelector('main h1').textContent") == "ccdmon: run"
        buttons = f"{plots}.shadowRoot.querySelectorAll('[aria-pressed=true]')"
        pressed = f"Array.from({buttons}, (button) => button.textContent)"
        assert model(driver, "rig0-window", pressed) == ["all"]
        span = "m.end - m.start"
        before = model(driver, "rig0-x", span)
        assert model(
            driver, "rig0-plots", f"{plots}.dispatchEvent(new KeyboardEvent('keydown', {{key: '+'}}))"
        )
        assert model(driver, "rig0-x", span) == pytest.approx(0.6 * before)
        wait_for(
            lambda: model(driver, "rig0-window", f"{pressed}.length === 0"), "no window pressed any more"
        )


def test_what_is_shown_is_saved_with_the_labels_of_a_trace(driver: Any, tmp_path: Path) -> None:
    keep = "URL.createObjectURL = (saved) => { window.saved = saved; return '#'; };"
    read = "window.saved.text().then(arguments[arguments.length - 1]);"
    with page(recorded_run(tmp_path / "run", stream(4000))) as address:
        opened(driver, address)
        driver.execute_script(keep)
        click(driver, "rig0-save-csv")
        (tmp_path / "shown.bdf.csv").write_text(driver.execute_async_script(read))
        rows = model(driver, "rig0-rows", "m.data.time_s.length")
        driver.execute_script("window.saved = null")
        click(driver, "rig0-save-picture")
        wait_for(
            lambda: driver.execute_script("return window.saved && window.saved.size > 1000"), "a picture"
        )
    trace = ccdmon.read(tmp_path / "shown.bdf.csv", area_cm2=0.785)
    assert len(trace) == rows
    assert 0 < np.abs(trace.current_A).max() < 0.1
