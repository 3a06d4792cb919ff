"""A mistyped name is told with the nearest there is; help and version answer in every customary form."""

import pytest

from ccdmon.cli import VERBS, main


def _said(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        code = main(argv)
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("argv", "nearest"),
    [
        (["analyse", "x"], "did you mean analyze?"),
        (["reset_trip"], "did you mean reset-trip?"),
        (["help", "recrod"], "did you mean record?"),
        (["simulate", "--scenaro", "healthy"], "did you mean --scenario?"),
        (["analyze", "x", "--area-cmm=2"], "did you mean --area-cm2?"),
        (["replay", "x", "--limit-v", "5"], "did you mean --limit-V?"),
        (["replay", "x", "--range-a=1"], "did you mean --range-A?"),
    ],
)
def test_mistyped(argv: list[str], nearest: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = _said(argv, capsys)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert nearest in err


@pytest.mark.parametrize(
    ("argv", "what"),
    [
        (["record", "--port", "x", "--out", ""], "--out is empty"),
        (["record", "--port", "x", "--out="], "--out is empty"),
        (["analyze", ""], "an argument is empty"),
        (["watch", "a", ""], "an argument is empty"),
    ],
)
def test_what_says_nothing_is_not_the_current_folder(
    argv: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = _said(argv, capsys)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert what in err


def test_what_is_near_nothing_gets_no_guess(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = _said(["xyzzy"], capsys)
    assert code == 2
    assert "did you mean" not in err
    assert "'xyzzy'" in err


def test_help_in_each_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert _said(["help"], capsys) == _said(["--help"], capsys)
    assert _said(["help", "convert"], capsys) == _said(["convert", "--help"], capsys)
    assert _said(["-V"], capsys) == _said(["--version"], capsys)


def test_every_verb_takes_help(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in VERBS:
        code, out, err = _said(["help", verb], capsys)
        assert (code, err) == (0, ""), verb
        assert out.startswith(f"usage: ccdmon {verb}")


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        ("t,U,I\n0,1,2\n1,2,3\n", "'t', 'U', 'I'"),
        (
            "made by hand\nTest Time / s;Voltage / V;Current / A\n0;1;2\n",
            "'Test Time / s', 'Voltage / V', 'Current / A'",
        ),
    ],
)
def test_columns_that_are_not_there_are_told_with_those_that_are(table, labels, tmp_path, capsys) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table)
    code, _, err = _said(["analyze", str(path), "--columns", "time=foo,voltage=U[mV],current=I[mA]"], capsys)
    assert code == 2
    assert labels in err
