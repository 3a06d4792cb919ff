"""`run.toml` edited by hand or by an enemy: refused in one line at every door, and what is fine is taken."""

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ccdmon.cli import main
from ccdmon.errors import InputError
from ccdmon.formats.bdf import toml_text
from ccdmon.live.follower import Follower
from ccdmon.run.folder import MOST_CONFIG_BYTES, read_config, rewrite_config
from ccdmon.run.schema import LARGEST_SCALE, LONGEST_SAMPLE_S, checked
from tests.host.wire_stream import CONFIG, recorded_run

WHOLE: dict[str, Any] = {
    "schema": "ccdmon.run/1", **CONFIG, "conditions": {"temperature_degC": 25.0, "pressure_Pa": 1e6},
    "firmware": {"version": "1.0", "temperature": True}, "settings": {"confirm_samples": 2},
    "limits": {"voltage_V": 5, "confirm_samples": 2}, "versions": {"ccdmon": "1.0"}, "name": "bay 3",
}  # fmt: skip
DELETED = object()
# (place, value, what the line names)
EDITS: list[tuple[str, Any, str]] = [
    ("schema", "ccdmon.run/9", "ccdmon.run/9"), ("schema", 1, "ccdmon.run/1"), ("schema", "", "ccdmon.run/1"),
    ("time", 3, "time"), ("time", DELETED, "seconds_per_sample"), ("time.seconds_per_sample", DELETED, "missing"),
    ("time.seconds_per_sample", 0, "seconds_per_sample"), ("time.seconds_per_sample", -0.5, "seconds_per_sample"),
    ("time.seconds_per_sample", "0.5", "seconds_per_sample"), ("time.seconds_per_sample", True, "seconds_per_sample"),
    ("time.seconds_per_sample", float("nan"), "seconds_per_sample"),
    ("time.seconds_per_sample", float("inf"), "seconds_per_sample"),
    ("time.seconds_per_sample", 1e9, "seconds_per_sample"), ("time.seconds_per_sample", [0.5], "seconds_per_sample"),
    ("time.segments", "apart", "segments"), ("time.segments", 3, "segments"),
    ("front_end", "none", "front_end"), ("front_end", DELETED, "voltage_full_scale_V"),
    ("front_end.voltage_full_scale_V", 0.0, "voltage_full_scale_V"),
    ("front_end.voltage_full_scale_V", 1e300, "voltage_full_scale_V"),
    ("front_end.current_full_scale_A", "10 mA", "current_full_scale_A"),
    ("front_end.pressure_full_scale_Pa", -1, "pressure_full_scale_Pa"),
    ("front_end.voltage", 2, "voltage"), ("front_end.voltage", {"gain": 0}, "gain"),
    ("front_end.voltage", {"gain": "1"}, "gain"), ("front_end.current", {"offset": float("inf")}, "offset"),
    ("front_end.temperature_at", "moon", "temperature_at"), ("front_end.assumed", "yes", "assumed"),
    ("cell", [], "cell"), ("cell.electrode_area_cm2", -1.0, "electrode_area_cm2"),
    ("cell.electrode_area_cm2", "0.785", "electrode_area_cm2"), ("cell.configuration", "sideways", "configuration"),
    ("cell.electrolyte", 7, "electrolyte"), ("cell.name", "\x1b[2J", "name"), ("conditions", 25, "conditions"),
    ("conditions.temperature_degC", "warm", "temperature_degC"), ("conditions.temperature_degC", -400, "temperature"),
    ("firmware", "1.0", "firmware"), ("firmware.temperature", 1, "temperature"), ("settings", [2], "settings"),
    ("settings.confirm_samples", 2.5, "confirm_samples"), ("settings.confirm_samples", 1 << 40, "confirm_samples"),
    ("limits.voltage_V", "5 V", "voltage_V"), ("rules", {"hard_short": 1}, "hard_short"), ("versions", 1, "versions"),
    ("name", ["bay"], "name"), ("rig", 3, "rig"),
]  # fmt: skip
TEXTS = [
    b"", b"\xff\xfe\x00", b"= 3", b"[time]\n[time]\n", b"a = " + b"[" * 3000 + b"]" * 3000, b"x" * 100,
    b"a." * 2000 + b"b = 1", b"#" * (MOST_CONFIG_BYTES + 1), b'schema = "ccdmon.run/1"\n', b"\0" * 4096,
]  # fmt: skip


def edited(place: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(WHOLE)
    *tables, key = place.split(".")
    table = document
    for name in tables:
        table = table[name]
    if value is DELETED:
        del table[key]
    else:
        table[key] = value
    return document


@pytest.mark.parametrize(("place", "value", "named"), EDITS, ids=[f"{p}={str(v)[:20]}" for p, v, _ in EDITS])
def test_an_edit_is_refused_in_one_line_that_names_it(place: str, value: Any, named: str) -> None:
    with pytest.raises(InputError) as refused:
        checked(edited(place, value), "run.toml")
    assert named in str(refused.value)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(text[:16]))
def test_what_is_no_such_file_is_refused_in_one_line(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "run.toml").write_bytes(text)
    with pytest.raises(InputError, match=r"^[^\n]+$"):
        read_config(tmp_path)


@pytest.mark.parametrize("place", ["time.seconds_per_sample", "front_end.voltage_full_scale_V"])
def test_every_door_refuses_it(tmp_path: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded_run(tmp_path / "r")
    (folder / "run.toml").write_text(toml_text.dumps(edited(place, "0.5")))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for verb in (["analyze"], ["report"], ["validate"], ["watch", "--http-port", "0"]):
        assert main([*verb, str(folder)]) in (1, 2), verb
        said = capsys.readouterr()
        assert place.split(".")[1] in said.err + said.out, verb
        assert "Traceback" not in said.err
    assert main(["record", "--resume", "--out", str(folder), "--port", "loop://"]) == 2
    assert place.split(".")[1] in capsys.readouterr().err
    with pytest.raises(InputError):
        Follower(folder)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "document",
    [
        WHOLE, edited("schema", DELETED), edited("rig", {"kind": "unix", "trace": "a.csv", "first_row": 3}),
        edited("time.segments", "joined"), edited("cell.colour", "red"), edited("cell", DELETED),
        {**WHOLE, "later": {"table": [1, 2]}}, edited("front_end.voltage", {"gain": 1.01, "offset": -1e-3}),
    ],
    ids=lambda document: str(len(str(document))),
)  # fmt: skip
def test_what_the_recorder_and_people_write_is_taken(document: Mapping[str, Any]) -> None:
    assert checked(document, "run.toml") == document


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_run_toml_is_the_old_one_or_the_new_one_never_half(
    tmp_path: Path, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recorded_run(tmp_path / "r")
    before = (folder / "run.toml").read_bytes()

    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(failing, refused)
        with pytest.raises(OSError, match="No space"):
            rewrite_config(folder, {**WHOLE, "name": "another"})
        assert (folder / "run.toml").read_bytes() == before
    rewrite_config(folder, {**WHOLE, "name": "another"})
    assert read_config(folder)["name"] == "another"


# (place, the widest that is taken, the narrowest that is not)
EDGES: list[tuple[str, Any, Any]] = [
    ("time.seconds_per_sample", 1e-9, 0.0), ("time.seconds_per_sample", LONGEST_SAMPLE_S, LONGEST_SAMPLE_S * 1.001),
    ("conditions.temperature_degC", -273.15, -273.2), ("conditions.temperature_degC", 3000.0, 3000.1),
    ("conditions.pressure_Pa", 0.0, -1e-9), ("conditions.pressure_Pa", LARGEST_SCALE, LARGEST_SCALE * 1.001),
    ("front_end.voltage_full_scale_V", LARGEST_SCALE, LARGEST_SCALE * 1.001),
    ("front_end.voltage", {"gain": 1e-9}, {"gain": 0.0}), ("front_end.voltage", {"offset": -1.0}, {"offset": None}),
    ("settings.confirm_samples", -(1 << 31), -(1 << 31) - 1), ("settings.confirm_samples", (1 << 31) - 1, 1 << 31),
    ("name", "x" * 1000, "x" * 1001), ("versions.ccdmon", "x" * 1000, "x" * 1001),
    ("firmware.version", "x" * 1000, "x" * 1001), ("cell.electrode_area_cm2", 1e-9, 0.0),
    ("front_end.assumed", True, 1), ("time.segments", "joined", "all"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "taken", "refused"), EDGES)
def test_each_range_ends_where_it_ends(place: str, taken: Any, refused: Any) -> None:
    assert checked(edited(place, taken), Path("run.toml"))
    with pytest.raises(InputError, match=place.rpartition(".")[2]):
        checked(edited(place, refused), Path("run.toml"))


def test_what_would_be_waited_for_for_ever_is_refused(tmp_path: Path) -> None:
    folder = recorded_run(tmp_path / "r")
    (folder / "run.toml").unlink()
    os.mkfifo(folder / "run.toml")
    with pytest.raises(InputError, match="no regular file"):
        read_config(folder)
