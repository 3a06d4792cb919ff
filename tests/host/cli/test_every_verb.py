"""What holds for all verbs: one JSON document and nothing else on stdout, no colour where none is wanted."""

import io
import json
import os
import pty
import re
import subprocess
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import pytest

from ccdmon.cli import VERBS, main

HEADER = "Test Time / s,Voltage / V,Current / A\n"
TRACE = HEADER + "".join(
    f"{t},{0.01 if t // 40 % 2 else -0.01},{0.001 if t // 40 % 2 else -0.001}\n" for t in range(400)
)
PROTOCOL = '\n[protocol]\nkind = "time_control"\nlevels_mA_cm2 = [0.1]\nhalf_cycle_s = 60.0\n'

# What makes a verb do its work in a folder with t.bdf.csv and rig.toml; the others need a board or an image.
WORKS = {
    "analyze": ["t.bdf.csv"],
    "calibrate": ["rig.toml", "--channel", "voltage", "--point", "0=32768", "--point", "3=51424"],
    "convert": ["t.bdf.csv", "u.bdf.parquet"],
    "init": ["other.toml"],
    "merge": ["t.bdf.csv", "t.bdf.csv", "--out", "m.bdf.csv", "--near-s", "0"],
    "protocol": ["rig.toml", "--cycler", "pybamm"],
    "replay": ["t.bdf.csv"],
    "report": ["t.bdf.csv", "--out", "r"],
    "simulate": ["--scenario", "healthy", "--max-rows", "200", "--out", "s.bdf.csv"],
    "validate": ["t.bdf.csv"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.bdf.csv").write_text(TRACE)
    assert main(["init", "rig.toml", "--area-cm2", "1"]) == 0
    with (tmp_path / "rig.toml").open("a") as file:
        file.write(PROTOCOL)
    capfd.readouterr()
    return tmp_path


@pytest.mark.parametrize("verb", sorted(WORKS))
def test_json_is_one_document_with_its_schema_and_nothing_else(
    verb: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if verb == "protocol":
        pytest.importorskip("aurora_unicycler", reason="the optional extra ccdmon[cycler] is not installed")
    assert main([verb, *WORKS[verb], "--json"]) in (0, 1)
    out, _ = capfd.readouterr()
    document = json.loads(out)
    assert re.fullmatch(r"ccdmon\.[a-z-]+/\d+", document["schema"])


@pytest.mark.parametrize("verb", sorted(WORKS))
def test_an_option_that_does_not_exist_is_one_line_and_exit_2(
    verb: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, *WORKS[verb], "--no-such-option"])
    out, err = capfd.readouterr()
    assert (left.value.code, out, len(err.strip().splitlines())) == (2, "", 1)


def test_every_verb_takes_json() -> None:
    without = []
    for verb, (module, _) in VERBS.items():
        parser = ArgumentParser()
        import_module(f"ccdmon.cli.{module}").add_arguments(parser)
        if "--json" not in {option for action in parser._actions for option in action.option_strings}:
            without.append(verb)
    # one runs until it is stopped, one prints a shell script: no documents
    assert without == ["watch", "completion"]


@pytest.mark.parametrize(
    "argv",
    [
        ["convert", "t.bdf.csv", "-", "--json"],
        ["merge", "t.bdf.csv", "t.bdf.csv", "--out", "-", "--json"],
        ["init", "-", "--json"],
        ["protocol", "rig.toml", "--cycler", "pybamm", "--out", "-", "--json"],
        ["simulate", "--scenario", "healthy", "--out", "-", "--json"],
    ],
)
def test_stdout_is_given_to_one_thing_only(
    argv: list[str], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    out, err = capfd.readouterr()
    assert out == "" and "both want stdout" in err


@pytest.mark.parametrize(
    "argv",
    [
        ["analyze", "-"],
        ["validate", "-"],
        ["convert", "-", "-"],
        ["report", "-", "--out", "r"],
        ["replay", "-"],
    ],
)
def test_a_trace_comes_through_stdin(
    argv: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TRACE.encode())))
    assert main(argv) == 0
    assert capfd.readouterr().out


def on_a_terminal(argv: list[str], environment: dict[str, str]) -> str:
    """What the command writes to a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "ccdmon", *argv], stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    out = b""
    while True:
        try:
            block = os.read(ours, 4096)
        except OSError:  # Linux says so at the end of a terminal
            break
        if not block:
            break
        out += block
    process.wait()
    os.close(ours)
    return out.decode()


COLOUR = re.compile(r"\x1b\[[0-9;]*\b(?:3[0-79]|4[0-7]|9[0-7]|38|48)[0-9;]*m")


def test_no_color_is_respected_and_a_pipe_gets_none(folder: Path) -> None:
    assert COLOUR.search(on_a_terminal(["analyze", "t.bdf.csv"], {"NO_COLOR": ""}))
    assert not COLOUR.search(on_a_terminal(["analyze", "t.bdf.csv"], {"NO_COLOR": "1"}))
    done = subprocess.run(
        [sys.executable, "-m", "ccdmon", "analyze", "t.bdf.csv"], capture_output=True, text=True
    )
    assert "\x1b" not in done.stdout + done.stderr
