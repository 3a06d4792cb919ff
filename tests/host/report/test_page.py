"""The report: self-contained, complete, and true to the trace; spikes survive the downsampling."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from ccdmon.analysis.impedance.comparison import compare
from ccdmon.errors import InputError
from ccdmon.model.spectrum import Spectrum, make_spectrum
from ccdmon.model.trace import Cell, Trace
from ccdmon.report import words as report_words
from ccdmon.report.context import Context, methods
from ccdmon.report.drawing import GAP_COLOUR
from ccdmon.report.figures import write_figures
from ccdmon.report.marks import broken, gaps_s
from ccdmon.report.page import html, write_reports
from ccdmon.report.plot import envelope, momentary_resistance_ohm, overview, zoom
from ccdmon.report.terminal import print_report
from ccdmon.run.monitoring import Monitoring
from ccdmon.run.sample_clock import ClockAccount
from tests.web_pages import html_faults

CELL = Cell(0.785, "symmetric", "LLZO")


def shorted_trace(rows: int = 400) -> Trace:
    """Half-cycles of 50 rows, 10 ohm, shorted from row 320 on."""
    n = np.arange(rows)
    current_A = np.where(n // 50 % 2 == 0, 1e-3, -1e-3)
    voltage_V = np.where(n < 320, current_A * 10, current_A * 0.01)
    return Trace(n * 1.0, voltage_V, current_A, cell=CELL, source=Path("cell <7>.bdf.csv"))


def document(area_cm2: float | None = 0.785) -> dict[str, Any]:
    """A document of the contract's form, written by hand; the numbers are told apart in the page."""
    known = area_cm2 is not None
    cycle = {
        "index": 0, "cycle": 1, "start_s": 0.0, "end_s": 50.0,
        "current_A": 1e-3, "current_density_mA_cm2": 1.274 if known else None,
        "capacity_mAh": 0.0139, "capacity_mAh_cm2": 0.0177 if known else None, "voltage_mean_V": 0.01,
        "resistance_start_ohm": 10.0, "resistance_end_ohm": 10.0,
        "resistance_start_ohm_cm2": 7.85 if known else None, "resistance_end_ohm_cm2": 7.86 if known else None,
        "noise_V": 1e-5,
    }  # fmt: skip
    event = {
        "kind": "hard_short", "start_s": 320.0, "end_s": None, "row": 320, "cycle": 4,
        "current_density_mA_cm2": 1.274 if known else None, "recovered": False, "provisional": False,
        "evidence": {"resistance_before_ohm": 10.0, "ratio": 0.00123},
    }  # fmt: skip
    return {
        "schema": "ccdmon.report/1", "verdict": "failed",
        "protocol": {"kind": "time_control", "levels_mA_cm2": [1.274 if known else None], "levels_A": [1e-3],
                     "half_cycle_s": 50.0, "half_cycle_mAh_cm2": None, "cycles_per_level": 1},
        "half_cycles": [cycle], "events": [event],
        "ccd": {"endured_mA_cm2": 0.637 if known else None, "failed_at_mA_cm2": 1.274 if known else None,
                "endured_A": 5e-4, "failed_at_A": 1e-3, "lower_bound": False, "limited_by": "hard_short",
                "capacity_per_half_cycle_mAh_cm2": 0.0177 if known else None,
                "cumulative_capacity_mAh_cm2": 0.1234 if known else None, "half_cycle_s": 50.0,
                "temperature_degC": 61.5, "pressure_MPa": 4.75, "area_cm2": area_cm2, "eis": "unvalidated"},
    }  # fmt: skip


MONITORING = Monitoring("pico", "0.1.0 on rpi_pico", 321, "hard_short", "open", 1, 1129, 3, 2)


@pytest.fixture(scope="module")
def page() -> str:
    return html(document(), shorted_trace(), MONITORING, "cell <7> & co")


def test_page_is_self_contained_and_well_formed(page: str) -> None:
    assert not re.search(r'(src|href)="(?!#)', page), "nothing is loaded from elsewhere"
    assert "<script" not in page
    assert "cell &lt;7&gt; &amp; co" in page
    for svg in re.findall(r"<svg.*?</svg>", page, re.S):
        ElementTree.fromstring(svg)
    assert page.count("<svg") == 3


@pytest.mark.parametrize(
    "text",
    [
        "0.637", "1.27", "time control", "50 s", "0.0177 mAh cm⁻²", "0.1234 mAh cm⁻²", "61.5 °C", "4.75 MPa",
        "0.785 cm²", "unvalidated", "LLZO", "Hard short".lower(), "data row 320", "0.00123", "1 sample",
        "hard short, row 321", "1,129", "7.85", "7.86", "rpi_pico",
    ],
)  # fmt: skip
def test_everything_the_review_asks_for_is_said(page: str, text: str) -> None:
    assert text in page


def test_every_id_is_one_figures_own_and_every_reference_meets_one(page: str) -> None:
    assert html_faults(page) == []
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) > 100 and set(re.findall(r"url\(#([^)]+)", page)) <= set(ids)
    twice = page.replace(f'id="{ids[0]}"', f'id="{ids[1]}"', 1)
    assert f"id given 2 times: {ids[1]}" in html_faults(twice)
    assert page.count('<svg role="img" aria-label="') == page.count("<svg") >= 2


def test_negative_numbers_of_the_page_have_a_minus_sign() -> None:
    found = document()
    found["half_cycles"][0]["voltage_mean_V"] = found["events"][0]["current_density_mA_cm2"] = -1.25
    text = re.sub(r"<svg.*?</svg>", "", html(found, shorted_trace(), None, "2026-11-30 a-1"), flags=re.DOTALL)
    assert ", −1.25 mA cm⁻²" in text and ">−1250<" in text
    assert not re.search(r"[> ]-[0-9]", text)


def test_without_an_area_the_page_says_so_and_speaks_of_amperes() -> None:
    page = html(document(None), replace(shorted_trace(), cell=Cell()), None, "t")
    assert "electrode area is not known" in page
    assert "0.5 mA" in report_words.ccd_sentence(document(None))
    assert "None" not in page
    assert "nan" not in page.lower().replace("nanum", "")


@pytest.mark.parametrize("area_cm2", [0.785, None])
def test_a_cell_that_fails_after_a_larger_current_was_endured_is_told_as_such(area_cm2: float | None) -> None:
    restarted = document(area_cm2)
    assert "; failed at 1" in report_words.ccd_sentence(restarted)
    ccd = restarted["ccd"]
    for unit in ("mA_cm2", "A"):
        ccd[f"endured_{unit}"], ccd[f"failed_at_{unit}"] = ccd[f"failed_at_{unit}"], ccd[f"endured_{unit}"]
    assert "; failed later, at the smaller current of 0." in report_words.ccd_sentence(restarted)


def test_the_plot_marks_the_event_and_the_trip() -> None:
    svg = overview(shorted_trace(), document(), trip_row=321).svg()
    assert "hard short" in svg
    assert "gate opened" in svg
    assert "gate opened" not in overview(shorted_trace(), document()).svg()
    assert "first shorted sample" in zoom(shorted_trace(), 320, 321).svg()


def test_where_nothing_was_recorded_the_line_breaks_and_the_figure_says_so() -> None:
    trace = shorted_trace()
    late = replace(trace, test_time_s=trace.test_time_s + 100.0 * (trace.numbers >= 200))
    drawing = overview(late, document())
    assert drawing.caption == "The whole test; grey where nothing was recorded."
    assert drawing.svg().count(GAP_COLOUR) == 3, "a band in each panel"
    x, y = broken(late.test_time_s, late.voltage_V, gaps_s(late))
    assert np.isnan(x).nonzero()[0].tolist() == np.isnan(y).nonzero()[0].tolist() == [200]
    whole = overview(trace, document())
    assert whole.caption == "The whole test."
    assert GAP_COLOUR not in whole.svg()


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_the_shortest_traces_are_drawn(rows: int) -> None:
    assert overview(shorted_trace().rows(0, rows), {"events": [], "half_cycles": []}).svg()


def test_empty_columns_are_drawn() -> None:
    trace = shorted_trace()
    empty = replace(trace, voltage_V=np.full(400, np.nan), current_A=np.full(400, np.nan))
    assert overview(empty, {"events": [], "half_cycles": []}).svg()


def test_a_long_trace_keeps_its_spike_and_a_small_file() -> None:
    rows = 1_000_000
    y = np.sin(np.arange(rows) / 1e4)
    y[777_777] = 9.0
    x, drawn = envelope(np.arange(rows, dtype=float), y)
    assert len(drawn) <= 6400
    assert (x[drawn.argmax()], drawn.max()) == (777_777, 9.0)
    assert (np.diff(x) > 0).all()
    assert (x[0], x[-1]) == (0, rows - 1)


def test_momentary_resistance_is_blank_in_rests() -> None:
    current_A = np.array([0, 1e-3, -1e-3, 1e-6, np.nan])
    trace = Trace(np.arange(5.0), np.array([0.5, 0.01, -0.01, 0.5, 0.01]), current_A)
    ohm = momentary_resistance_ohm(trace)
    np.testing.assert_array_equal(np.isnan(ohm), [True, False, False, True, True])
    np.testing.assert_allclose(ohm[1:3], 10)


def test_the_same_input_gives_the_same_page() -> None:
    assert html(document(), shorted_trace(), None, "t") == html(document(), shorted_trace(), None, "t")


def test_files_are_written_and_the_json_is_the_document(tmp_path: Path) -> None:
    write_reports(document(), shorted_trace(), tmp_path / "new", None)
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == document()
    assert (tmp_path / "new" / "report.html").read_text().startswith("<!doctype html>")


def test_an_unwritable_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write_reports(document(), shorted_trace(), tmp_path / "file", None)


def test_terminal_text_fits_80_columns() -> None:
    console = Console(width=80, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        print_report(document(), CELL, "t.bdf.csv", console)
    text = captured.get()
    assert "…" not in text
    for part in ("failed", "0.637", "hard short", "data row 320", "7.85"):
        assert part in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (42.5, "42.5 s"), (600, "10 min"), (5400, "90 min"), (9000, "2.5 h")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert report_words.duration(seconds) == text


def test_numbers() -> None:
    assert report_words.number(None, "V") == "–"
    assert report_words.number(12345.0, "s") == "12345 s"
    assert report_words.number(1.23e-9) == "1.23e-09"


def spectrum(resistance_ohm: float) -> Spectrum:
    """A resistor and one arc."""
    frequency_Hz = np.logspace(6, -1, 36)
    arc = resistance_ohm / (1 + 2j * np.pi * frequency_Hz * resistance_ohm * 1e-6)
    return make_spectrum(frequency_Hz, resistance_ohm / 2 + arc)


CONTEXT = Context(
    compare(spectrum(70.0), spectrum(4.0)),
    {
        "rig": "bay 3",
        "protocol": {"kind": "time_control", "levels_mA_cm2": [0.1, 0.2], "half_cycle_s": 600.0},
        "versions": {"firmware_hash": "abc123"},
        "firmware": {"version": "0.1.0"},
        "time": {"x": 1.5},
    },
)


def test_impedance_comparison_methods_and_configuration_stand_in_the_page() -> None:
    page = html(document(), shorted_trace(), MONITORING, "t", CONTEXT)
    assert page.count("<svg") == 4
    for part in (
        "shorted: resistance fell to 0.06",
        "Total resistance before",
        "82.4 ± ",  # 105 ohm on 0.785 cm2
        "published oxide cells",
        "this cell",
        "A symmetric cell with LLZO as electrolyte (electrode area 0.785 cm²) was cycled galvanostatically under "
        "time control (50 s per half-cycle) at 1.274 mA cm⁻²",
        "at 61.5 °C and under a stack pressure of 4.75 MPa",
        "watched by firmware 0.1.0 (abc123)",
        "time.x",
        "time control, 10 min per half-cycle, 0.1, 0.2 mA cm⁻²",
    ):
        assert part in page, part
    for svg in re.findall(r"<svg.*?</svg>", page, re.S):
        ElementTree.fromstring(svg)


def test_methods_of_a_test_without_a_current_tell_of_no_protocol() -> None:
    without = document() | {"half_cycles": []}
    text = methods(without, shorted_trace(), CONTEXT)
    assert "was recorded while no constant current flowed long enough to be judged, at 61.5 °C" in text
    assert "galvanostatically" not in text


def test_methods_say_what_is_missing() -> None:
    known = document()
    known["ccd"] |= {"temperature_degC": None, "pressure_MPa": None}
    text = methods(known, shorted_trace(), Context())
    assert text.endswith("Not recorded: temperature, stack pressure.")
    assert "unvalidated" in text
    assert "firmware" not in text


def test_without_an_area_nothing_is_compared() -> None:
    trace = replace(shorted_trace(), cell=Cell(None, "symmetric", "LLZO"))
    page = html(document(None), trace, None, "t", CONTEXT)
    assert "published" not in page
    assert "Re(Z) / Ω<" in page


def test_figures_for_a_paper(tmp_path: Path) -> None:
    paths = write_figures(document(), shorted_trace(), tmp_path / "f", None, CONTEXT)
    assert {path.name for path in paths} == {
        f"{name}.{ending}"
        for name in ("overview", "short", "nyquist", "literature")
        for ending in ("svg", "png")
    }
    ElementTree.parse(tmp_path / "f" / "nyquist.svg")
    assert (tmp_path / "f" / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_a_panel_only_for_what_varies() -> None:
    n = np.arange(400.0)
    noisy = replace(shorted_trace(), temperature_degC=25 + 0.1 * np.sin(n), pressure_Pa=np.full(400, 5e6))
    assert "temperature" not in overview(noisy, document()).svg()
    warming = replace(noisy, temperature_degC=25 + n / 100, pressure_Pa=5e6 + 1e3 * n)
    svg = overview(warming, document()).svg()
    assert "temperature" in svg and "pressure" in svg


def test_what_was_set_and_what_was_not_measured_is_told_apart() -> None:
    known = document()
    known["ccd"].update(temperature_degC=25.0, pressure_MPa=None)
    told = dict(
        report_words.conditions(
            known, CELL, Context(config={"conditions": {"temperature_degC": 25.0}}).remarks
        )
    )
    assert told["Temperature"] == "25 °C (as set, not measured)"
    assert told["Stack pressure"] == "not measured"
    assert dict(report_words.conditions(known, CELL))["Temperature"] == "25 °C"
    measured = {"conditions": {"pressure_Pa": 1e6}, "front_end": {"pressure_full_scale_Pa": 1e7}}
    assert Context(config=measured).remarks == {}


def test_a_recording_that_began_anew_says_so() -> None:
    assert report_words.segments(1) == "1 segment"
    assert report_words.segments(2).startswith("2 segments; between them the board was armed anew")
    page = html(document(), shorted_trace(), replace(MONITORING, segments=3), "t")
    assert "3 segments; between them" in page


def test_how_well_the_host_time_is_known() -> None:
    line = report_words.clock_line(ClockAccount(9, 0.0123, 1, 0.004, 21.0, 1.5))
    assert line.startswith("within 12 ms, not known in 1 stretch (usually 4 ms; 9 readings")
    assert "crystal +21 ± 1.5 ppm" in line
    assert report_words.clock_line(ClockAccount(9, 0.01, 0, 0.004, -9.5e5, 100.0)).startswith("not known")
    assert report_words.clock_line(None) == report_words.DASH


def test_why_given_spectra_say_nothing_is_told() -> None:
    spectrum = make_spectrum(np.array([1e3, 1e2, 1e1]), np.array([10 - 1j, 11 - 2j, 12 - 3j]))
    for pair, why in (
        ((spectrum, spectrum), "3 points of the spectrum before are too few, 6 are needed"),
        ((spectrum, None), "there is no spectrum after the test"),
        ((None, None), "no impedance pair was given"),
    ):
        context = Context(compare(*pair))
        told = dict(report_words.conditions(document(None), CELL, context.remarks))["Impedance check"]
        assert told == f"unvalidated: {why}, so a fake-stable cell is not excluded"
        assert why in methods(document(None), shorted_trace(), context)
