"""The completion script, run by the shell it is for."""

import shutil
import subprocess

import pytest

from ccdmon.cli import main
from ccdmon.cli.completion import SHELLS

_ASK = """
source "$0"
COMP_WORDS=(ccdmon "$@"); COMP_CWORD=$#; COMPREPLY=()
_shtab_ccdmon
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("words", "completed"), [(["anal"], "analyze"), (["analyze", "--area"], "--area-cm2"), (["re"], "record")]
)
def test_bash_completes(words, completed, tmp_path, capsys) -> None:
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    main(["completion", "bash"])
    script = tmp_path / "ccdmon.bash"
    script.write_text(capsys.readouterr().out)
    shell = subprocess.run(
        ["bash", "-c", _ASK, script, *words], capture_output=True, text=True, timeout=20, check=True
    )
    assert completed in shell.stdout.split()


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_that_names_the_verbs(shell, capsys) -> None:
    assert main(["completion", shell]) == 0
    assert "reset-trip" in capsys.readouterr().out


def test_another_shell_is_refused_in_one_line(capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["completion", "dash"])
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
