"""Rig `board` with a stimulus: what its host's side says without any board, and the DAC's bytes."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ccdmon.errors import DeviceError, InputError
from ccdmon_hil.rigs.chips.mcp4728 import Mcp4728
from ccdmon_hil.rigs.stimulus.player import CAPACITY_ROWS, SCRIPT, StimulusTarget
from ccdmon_hil.rigs.target import Codes, Edge
from ccdmon_hil.rigs.wiring import StimulusTable, Wiring, wiring_of

ROW: Codes = (40000, 32768, 16)
STROBED = 2
WIRING_FOLDER = Path(__file__).parents[4] / "hil" / "wiring"


class Bench(StimulusTarget):
    """Its second board is a list of what was asked, and a state."""

    def __init__(self) -> None:
        super().__init__(Wiring(port="loop://", stimulus=StimulusTable(kind="board", port="loop://")))
        self.asked: list[str] = []
        self.state: tuple[object, ...] = (0, 0, STROBED, 0, False, 0, [])

    def _ask(self, expression: str) -> object:
        self.asked.append(expression)
        return self.state


def test_rows_are_there_before_they_play_as_twelve_bits_a_channel() -> None:
    bench = Bench()
    assert bench.edge_settings(closed_loop=False) == {"gate_drive": 1, "sample_period_us": 500}
    bench.play(lambda row, _closed: ROW if row < 2 else None)
    # 0800 0800 0800 twice at rest, then 09c4 0800 0001 twice
    assert bench.asked == ["take(0, b'CAAIAAgACAAIAAgACcQIAAABCcQIAAAB')", "begin(500, 0)"]


def test_more_rows_than_it_holds_are_refused_with_a_way_out() -> None:
    bench = Bench()
    bench.play(lambda row, _closed: ROW if row < CAPACITY_ROWS else None)
    with pytest.raises(InputError, match=r"holds 8189 rows.*--rows 0:8189"):
        bench.play(lambda row, _closed: ROW if row <= CAPACITY_ROWS else None)


def test_in_a_closed_loop_a_row_goes_out_with_the_answer_to_the_one_before() -> None:
    bench, told = Bench(), []

    def source(row: int, closed: bool) -> Codes | None:
        told.append((row, closed))
        return ROW if row < 2 else None

    bench.edge_settings(closed_loop=True)
    bench.play(source, closed_loop=True)
    bench._follow()  # the gate is open yet, no sample came
    for sampled, level in ((1, 1), (2, 1), (3, 1), (4, 0)):
        bench.state = (sampled, level, STROBED, 0, False, 0, [1, 0, 70, 0, 4, 90])
        bench._follow()
    assert told == [(0, True), (1, True), (2, False)]
    assert bench.asked == [
        "take(0, b'CAAIAAgACAAIAAgA')", "begin(100000, 1)", "wait(0, 10)", "wait(0, 10)",
        "put(1, b'CAAIAAgA', 200)", "put(2, b'CcQIAAAB', 200)", "put(3, b'CcQIAAAB', 200)", "rest()",
    ]  # fmt: skip
    assert bench.edges == [Edge(True, 0, 70.0), Edge(False, 2, 90.0)]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ((7, 1, STROBED, 1, False, 0, []), "after row 7 one was late on the DAC; set a longer period"),
        ((7, 1, STROBED, 0, True, 0, []), "the DAC did not answer; check its wires"),
        ((0, 1, STROBED, 0, False, 8001, []), "no edge of the pump came; is it wired to GP13"),
    ],
)
def test_what_goes_wrong_at_the_wires_is_said(state: tuple[object, ...], said: str) -> None:
    bench = Bench()
    bench.state = state
    with pytest.raises(DeviceError, match=said):
        bench._follow()


class Strobed(list[int]):
    """The script's memory, with a strobe right before each look at it."""

    def __init__(self, words: list[int], strobe_at: int) -> None:
        super().__init__(words)
        self.now_us, self._strobe_at = 1000, strobe_at

    def __getitem__(self, at: Any) -> Any:
        self.now_us += 3
        self[self._strobe_at] = self.now_us
        return super().__getitem__(at)


def test_a_strobe_while_the_script_tells_its_state_is_no_silence() -> None:
    """One in some hundred answers to the host was interrupted there, and said that 2**30 us had passed."""
    parsed = ast.parse(SCRIPT.read_text())
    told = [node for node in parsed.body if isinstance(node, ast.FunctionDef) and node.name == "state"]
    words = [node for node in parsed.body if isinstance(node, ast.Assign) and "const(" in ast.unparse(node)]
    script: dict[str, Any] = {"const": int, "edges": [], "machine": SimpleNamespace(mem32={0x40044080: 0})}
    exec(compile(ast.Module([*words, *told], []), SCRIPT.name, "exec"), script)
    control = Strobed([0] * 11, script["_STROBE_US"])
    list.__setitem__(control, script["_PLAYS"], script["_STROBED"])
    script |= {"control": control, "time": SimpleNamespace(ticks_us=lambda: control.now_us)}
    assert script["state"]()[5] == 0


def test_the_example_is_a_bench_and_a_stimulus_needs_its_port(tmp_path: Path) -> None:
    assert wiring_of(str(WIRING_FOLDER / "pico_stimulus.toml")).stimulus.port == "/dev/ttyACM1"
    wrong = tmp_path / "bench.toml"
    wrong.write_text('port = "/dev/ttyACM0"\n[stimulus]\nkind = "board"\n')
    with pytest.raises(InputError, match="needs the port of its board"):
        wiring_of(str(wrong))


def _write(dac: Mcp4728, data: bytes) -> None:
    assert dac.connect(Mcp4728.ADDRESS, reading=False)
    for byte in data:
        assert dac.write(byte)
    dac.stop()


def test_the_dac_moves_all_outputs_when_ldac_falls() -> None:
    """The fast write of the data sheet's figure 7-5."""
    outputs: list[tuple[int, ...]] = []
    dac = Mcp4728(outputs.append)
    _write(dac, b"\x80")
    _write(dac, bytes.fromhex("0fff 07ff 03ff 01ff"))
    assert outputs == []
    for level in (0, 1, 1):
        dac.ldac(level)
    assert outputs == [(4095, 2047, 1023, 511)]
    _write(dac, bytes.fromhex("0800"))
    dac.ldac(0)
    assert outputs[1:] == [(2048, 2047, 1023, 511)]
    with pytest.raises(AssertionError, match="no fast write"):
        _write(dac, bytes.fromhex("5800 00"))


def test_a_dac_on_its_own_reference_is_caught() -> None:
    dac = Mcp4728(lambda _codes: None)
    _write(dac, bytes.fromhex("0800"))
    with pytest.raises(AssertionError, match=r"2\.048 V"):
        dac.ldac(0)
