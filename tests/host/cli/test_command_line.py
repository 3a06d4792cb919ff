"""The command as a user meets it: help without heavy imports, one-line errors, exit codes, JSON and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ccdmon.cli import VERBS, main
from tests.host.wire_stream import Device, recorded_run

HEADER = "Test Time / s,Voltage / V,Current / A\n"
GOOD = HEADER + "".join(f"{t},{0.01:.4f},0.001\n" for t in range(120))


def command(*argv: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ccdmon", *map(str, argv)], input=stdin, capture_output=True, text=True
    )


def trace_file(folder: Path, text: str = GOOD, name: str = "t.bdf.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom ccdmon.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pyarrow', 'matplotlib', 'rich', 'serial', 'ccd_fastcore', 'ccdmon_hil'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for verb in VERBS:
        assert verb in done.stdout


def test_help_of_a_verb_draws_nothing() -> None:
    code = (
        "import sys\nfrom ccdmon.cli import VERBS, main\n"
        "for verb in VERBS:\n    try:\n        main([verb, '--help'])\n    except SystemExit:\n        pass\n"
        "sys.exit(', '.join(sorted({'matplotlib', 'bokeh'} & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([verb, "--help"])
    assert left.value.code == 0
    assert f"ccdmon {verb}" in capsys.readouterr().out


def test_version_names_package_firmware_and_schemas() -> None:
    done = command("--version")
    assert done.returncode == 0
    for part in ("ccdmon 0.", "firmware 0.", "wire protocol", "ccdmon.report/2"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ([], "VERB"),
        (["frobnicate"], "frobnicate"),
        (["analyze"], "TRACE"),
        (["analyze", "x.bdf.csv", "--colour"], "--colour"),
        (["analyze", "x.bdf.csv", "--area-cm2", "-1"], "--area-cm2"),
        (["analyze", "x.bdf.csv", "--area-cm2", "nan"], "--area-cm2"),
        (["analyze", "no-such.bdf.csv"], "no-such.bdf.csv"),
        (["analyze", "."], "folder"),
        (["convert", "no-such.bdf.csv", "out.bdf.csv"], "no-such.bdf.csv"),
        (["report", "no-such.bdf.csv"], "no such file"),
        (["watch", "nowhere"], "no such folder"),
        (["validate", "no-such.bdf.csv"], "no-such.bdf.csv"),
        (["demo", "--rig", "moon"], "--rig"),
        (["demo", "--seed", "-3", "--rig", "unix"], "--seed"),
    ],
)
def test_unusable_input_is_one_line_and_exit_2(argv: list[str], text: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ccdmon", *argv], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert text in done.stderr


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        (HEADER, "no rows"),
        ("Test Time / s,Current / A\n0,1\n", "'Voltage / V' is missing"),
        (HEADER + "0,1,1\n1,x,1\n", "row 1, column 'Voltage / V'"),
        (HEADER + "1,1,1\n0,1,1\n", "row 1, column 'Test Time / s'"),
    ],
)
def test_bad_traces_through_analyze(
    text: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(trace_file(tmp_path, text)), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert part in err


def test_analyze_json_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyze", str(trace_file(tmp_path)), "--json", "--area-cm2", "2"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "ccdmon.report/2"
    assert document["ccd"]["area_cm2"] == 2
    assert set(document) == {
        "schema", "source", "verdict", "reason", "notes", "protocol", "half_cycles", "events", "ccd", "why",
    }  # fmt: skip


def test_several_traces_name_their_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(trace_file(tmp_path, name=f"{n}.bdf.csv")) for n in "ab"]
    assert main(["analyze", *paths, "--json", "--out", str(tmp_path / "out")]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "ccdmon.reports/1"
    assert [entry["source"] for entry in document["reports"]] == paths
    assert (tmp_path / "out" / "a" / "report.html").exists()
    assert (tmp_path / "out" / "b" / "report.json").exists()


def test_stdin_and_no_area_said_in_the_text() -> None:
    done = command("analyze", "-", stdin=GOOD)
    assert done.returncode == 0, done.stderr
    assert "electrode area is not known" in done.stdout


def test_a_run_folder_is_analysed_like_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded_run(tmp_path / "run")
    code = main(["analyze", str(folder), "--json", "--out", str(folder)])
    document = json.loads(capsys.readouterr().out)
    assert code == (1 if document["verdict"] == "failed" else 0)
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "report.json", "trace.bdf.parquet", "trace.bdf.metadata.json"} <= names


def test_a_broken_run_folder_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = recorded_run(tmp_path / "run", Device().identity())
    assert main(["analyze", str(folder)]) == 2
    assert "no whole frame with samples" in capsys.readouterr().err


def test_validate_tells_good_from_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = trace_file(tmp_path), trace_file(tmp_path, HEADER, "bad.bdf.csv")
    assert main(["validate", str(good)]) == 0
    assert main(["validate", str(good), str(bad), "--json"]) == 1
    files = json.loads(capsys.readouterr().out.splitlines()[-1])["files"]
    assert [entry["valid"] for entry in files] == [True, False]


def test_convert_keeps_unknown_columns_and_the_sidecar(tmp_path: Path) -> None:
    source = trace_file(tmp_path, "note," + HEADER + "hello,0,1,2\nworld,1,1,2\n")
    (tmp_path / "t.bdf.metadata.json").write_text('{"cell": {"electrode_area_cm2": 3}, "who": "us"}')
    assert main(["convert", str(source), str(tmp_path / "u.bdf.parquet")]) == 0
    assert main(["convert", str(tmp_path / "u.bdf.parquet"), str(tmp_path / "v.bdf.csv")]) == 0
    text = (tmp_path / "v.bdf.csv").read_text()
    assert "hello" in text
    assert "note" in text.splitlines()[0]
    assert json.loads((tmp_path / "v.bdf.metadata.json").read_text())["extras"]["who"] == "us"


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    path = trace_file(tmp_path)
    shell = f"{sys.executable} -m ccdmon convert {path} - | head -1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True)
    assert done.stdout == HEADER
    assert done.stderr == ""


def test_an_output_without_space_is_one_line(tmp_path: Path) -> None:
    shell = f"{sys.executable} -m ccdmon analyze {trace_file(tmp_path)} --json > /dev/full"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


@pytest.mark.parametrize(
    ("words", "streams", "code"),
    [
        ("nope", "2> /dev/full", 2), ("validate nowhere", "2> /dev/full", 2), ("validate nowhere", "<&- >&- 2>&-", 2),
        ("help validate", ">&-", 0), ("simulate --scenario healthy --seed 1 --out t.bdf.csv", "<&- >&- 2>&-", 0),
    ],
)  # fmt: skip
def test_streams_that_are_closed_or_full_change_no_exit_code(
    tmp_path: Path, words: str, streams: str, code: int
) -> None:
    """A closed stdout ended as a bug, a full stderr as if a cell had failed."""
    done = subprocess.run(
        f"{sys.executable} -m ccdmon {words} {streams}", shell=True, cwd=tmp_path, check=False
    )
    assert done.returncode == code
    for file in tmp_path.glob("*.csv"):
        assert file.read_text().startswith("Test Time"), "no other file's bytes"
