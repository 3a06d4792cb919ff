"""The numbers that several files of the tick write down are those of `layout.py`, by name; the memory has no holes."""

import ast
from pathlib import Path

import pytest

from ccdmon_fw import detector, layout, limits, ring

OWN = ("NOTE_", "PART_")  # how names of one file alone begin
SETTINGS = {
    "MODE": "mode", "CONFIRM": "confirm_samples", "SETTLE": "settle_samples", "BLOCK_SHIFT": "block_shift",
    "COLLAPSE": "collapse_64ths", "CURRENT_ON": "current_on_units", "DROP_MIN": "voltage_drop_min_units",
    "V_MIN": "voltage_min_code", "V_MAX": "voltage_max_code", "I_MIN": "current_min_code",
    "I_MAX": "current_max_code", "P_MIN": "pressure_min_code", "P_MAX": "pressure_max_code",
    "LIMIT_CONFIRM": "limit_confirm_samples", "HYSTERESIS": "limit_hysteresis_codes",
    "RATES": "rate_voltage_codes", "PARTIAL": "partial_64ths", "FLUCTUATION": "fluctuation_64ths",
    "SOFT_BLOCKS": "soft_blocks", "PERSIST_BLOCKS": "soft_persist_blocks", "DIVERGENCE_64THS": "divergence_64ths",
    "OUTGROWN": "outgrown_64ths", "ACTIONS_AT": "action_hard_short",
}  # fmt: skip


def constants(source: str) -> dict[str, int]:
    """Name without its underscore -> number of every `NAME = const(number)`."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            assert isinstance(node.targets[0], ast.Name)
            if isinstance(node.value.func, ast.Name) and node.value.func.id == "const":
                found[node.targets[0].id.lstrip("_")] = ast.literal_eval(node.value.args[0])
    return found


def differences(source: str) -> list[str]:
    of_ring = {f"RING_{name}": number for name, number in constants(Path(ring.__file__).read_text()).items()}
    known = layout.KNOWN | of_ring
    return [
        f"{name} = {number}"
        for name, number in constants(source).items()
        if not name.startswith(OWN) and known.get(name) != number
    ]


@pytest.mark.parametrize("module", layout.TICK)
def test_every_number_is_the_one_of_the_layout(module: str) -> None:
    source = Path(layout.__file__).with_name(f"{module}.py").read_text()
    assert constants(source)
    assert differences(source) == [], "`python -m ccdmon_fw.layout` writes them"
    assert layout.renumbered(source) == source


def test_no_other_module_writes_them_down() -> None:
    for path in Path(layout.__file__).parent.glob("*.py"):
        moving = layout.WORDS.keys() & constants(path.read_text()).keys()
        assert not moving or path.stem in layout.TICK, f"{path.name}: {moving}"


def test_numbers_that_moved_are_written_anew() -> None:
    moved = "_REF = const(1)  # a word\n_ALL_RULES = const(0x1)\n_BLIND = const(2)\nNOTE_HEAD = const(3)\n"
    anew = layout.renumbered(moved)
    assert differences(anew) == []
    assert "  # a word\n_ALL_RULES = const(0x" in anew
    assert anew.endswith("NOTE_HEAD = const(3)\n")


def test_a_wrong_number_and_an_unknown_name_are_seen() -> None:
    assert differences(f"_REF = const({layout.WORDS['REF']})") == []
    assert differences("_REF = const(1)\n_NOWHERE = const(1)") == ["REF = 1", "NOWHERE = 1"]


def test_no_name_means_two_things() -> None:
    groups = [
        layout.WORDS,
        layout.COUNTS,
        layout.BITS,
        layout.NUMBERS,
        dict.fromkeys(map(str.upper, limits.RULES)),
    ]
    names = [name for group in groups for name in group]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_settings_lie_in_memory_as_they_are_listed() -> None:
    for word, name in SETTINGS.items():
        at = layout.WORDS["SETTINGS_AT"] + limits.DETECTOR_SETTINGS.index(name)
        assert layout.WORDS[word] == at, name
    assert layout.WORDS["SETTINGS_AT"] + len(limits.DETECTOR_SETTINGS) == layout.WORDS["STATE_AT"]


def test_the_memory_is_as_long_as_what_lies_in_it() -> None:
    words, counts = layout.WORDS, layout.COUNTS
    assert counts["RULE_COUNT"] == len(limits.RULES)
    assert words["ACTIONS_AT"] + counts["RULE_COUNT"] == words["STATE_AT"]
    assert words["EVENTS_AT"] + counts["EVENT_WORDS"] * counts["RULE_COUNT"] == words["SIGN"]
    assert words["REASONS_AT"] + counts["RULE_COUNT"] == words["MEMORY_WORDS"]
    assert words["PROFILE"] + counts["MARKS"] == words["PROFILE_N"]
    assert len(detector.Detector().memory) == words["MEMORY_WORDS"] + 1  # and the canary
