"""Which boards are refused, and that nothing is touched before the question."""

import ast
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from ccdmon_fw.chips import known

FIRMWARE = Path(__file__).resolve().parents[3] / "firmware"
GATE = 22


@pytest.mark.parametrize("name", ["boot.py", "ccdmon_fw/pico.py"])
def test_nothing_is_touched_before_the_chip_is_known(name: str) -> None:
    """The first statement that calls anything of `machine` stands behind the question."""
    tree = ast.parse((FIRMWARE / name).read_text())
    asked = next(place for place, node in enumerate(tree.body) if _asks(node))
    touching = [place for place, node in enumerate(tree.body) if "machine.Pin" in ast.unparse(node)]
    assert min(touching) >= asked


def _asks(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and (
        "known.require" in ast.unparse(node) or "_machine" in ast.unparse(node)
    )


def run_boot(machine_name: str) -> list[tuple[int, ...]]:
    """Pins that boot.py touches on a board of that name."""
    touched: list[tuple[int, ...]] = []

    def pin(number: int, _mode: int, value: int) -> None:
        touched.append((number, value))

    pin.OUT = 1  # type: ignore[attr-defined]
    machine = ModuleType("machine")
    machine.Pin = pin  # type: ignore[attr-defined]
    system = ModuleType("sys")
    system.implementation = ModuleType("implementation")  # type: ignore[attr-defined]
    system.implementation._machine = machine_name  # type: ignore[attr-defined]
    text = (FIRMWARE / "boot.py").read_text().replace("import sys", "").replace("import machine", "pass")
    exec(text, {"sys": system, "machine": machine})
    return touched


def test_boot_holds_the_gate_of_a_known_chip_and_touches_no_other() -> None:
    assert (
        run_boot("Raspberry Pi Pico with RP2040")
        == run_boot("Raspberry Pi Pico 2 with RP2350")
        == [(GATE, 0)]
    )
    assert run_boot("PYBv1.1 with STM32F405RG") == run_boot("Generic ESP32 module with ESP32") == []


ARMV6M, RV32 = 4 << 10, 11 << 10
REFUSED: dict[str, Callable[[], str]] = {
    "does not know": lambda: known.problem("Raspberry Pi Pico W with RP2040", ARMV6M, ""),
    "Raspberry Pi Pico 2 with RP2350": lambda: known.problem(
        "Thing with RP2350", ARMV6M, "Thing with RP2350"
    ),
    "--unproven": lambda: known.problem(
        "Raspberry Pi Pico 2 with RP2350", ARMV6M, "Raspberry Pi Pico with RP2040"
    ),
    "pins and registers": lambda: known.problem(
        "Raspberry Pi Pico 2 with RP2350", RV32, "Raspberry Pi Pico 2 with RP2350"
    ),
}


@pytest.mark.parametrize("said", REFUSED)
def test_a_board_that_is_not_known_or_not_accepted_is_refused(said: str) -> None:
    why = REFUSED[said]()
    assert said in why
    assert "\n" not in why


def test_a_known_board_runs_and_an_accepted_one_too() -> None:
    assert known.problem("Raspberry Pi Pico with RP2040", ARMV6M, "") == ""
    pico_2 = "Raspberry Pi Pico 2 with RP2350"
    assert known.problem(pico_2, ARMV6M, pico_2) == ""
