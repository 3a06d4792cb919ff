"""Every code block of every README is run as it stands; what cannot be run here skips with its reason.

A block of Python sees what those before it in its document have made, as cells of a notebook do.

A comment before a block says what is special: `<!-- needs: PROGRAM -->`, `<!-- needs a board -->`, `<!-- slow: WHY -->`
(run with CCDMON_SLOW=1), `<!-- tests -->` (the test command itself: `.ci/run` runs it).
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

from ccdmon.cli import VERBS
from tests.conftest import PROJECT_DIR

DOCUMENTS = sorted(
    path
    for path in PROJECT_DIR.glob("**/*.md")
    if not any(part.startswith(".") for part in path.relative_to(PROJECT_DIR).parts)
)
_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^>]*) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"`(ccdmon [a-z][^`]*)`")


@dataclass(frozen=True)
class Block:
    """One fenced block, and what the comment before it says."""

    language: str
    text: str
    mark: str


def blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    return [Block(m["language"], m["text"], (m["mark"] or "").strip()) for m in _BLOCK.finditer(text)]


def ids(path: Path) -> str:
    return str(path.relative_to(PROJECT_DIR))


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids)
def test_every_block_runs_one_after_the_other(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blocks of one document share a folder, as a reader's do."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    left_out, names = [], dict[str, object]()
    for block in blocks(path):
        if block.language == "python" and not block.mark.startswith("file:"):
            monkeypatch.chdir(tmp_path)
            exec(compile(block.text, ids(path), "exec"), names)
        if block.language != "sh":
            continue
        reason = why_not(block.mark)
        if reason:
            left_out.append(reason)
            continue
        folder = fresh_copy(tmp_path / "checkout") if block.mark.startswith("slow") else tmp_path
        done = subprocess.run(
            ["bash", "-eu", "-c", block.text],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
    if left_out:
        pytest.skip(f"{ids(path)}: run but for: {'; '.join(left_out)}")


def fresh_copy(target: Path) -> Path:
    """The project as a clone would have it, for blocks that install it."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT_DIR / name, target / name)
    return target


def why_not(mark: str) -> str | None:
    """The reason why a block cannot be run here, None where it can."""
    if mark == "tests":
        return "the test command itself, run by .ci/run"
    if mark.startswith("needs: "):
        program = mark.removeprefix("needs: ")
        return None if shutil.which(program) else f"{program} is not installed"
    if mark.startswith("needs"):
        return mark
    if mark.startswith("slow") and not os.environ.get("CCDMON_SLOW"):
        return f"{mark} (CCDMON_SLOW=1 runs it)"
    return None


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids)
def test_every_json_block_is_json(path: Path) -> None:
    for block in blocks(path):
        if block.language == "json":
            json.loads(block.text)


def recipe_steps() -> list[str]:
    """Each numbered step of the recipes, on one line."""
    recipes = (PROJECT_DIR / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("## Recipes")[2]
    return [
        " ".join(step.split()) for step in re.findall(r"^\d\. (.*?)(?=^\d\. |^#|\Z)", recipes, re.M | re.S)
    ]


@pytest.mark.parametrize("step", recipe_steps(), ids=lambda step: step[:40])
def test_a_recipe_names_files_that_are_there_and_what_stands_in_them(step: str) -> None:
    quoted = re.findall(r"`([^`]+)`", step)
    files = [name for name in quoted if re.fullmatch(r"[\w/.]+\.\w+", name) and "NAME" not in name]
    files = [name for name in files if not name.endswith((".__init__", ".ndjson"))]
    found = [path for name in files for path in PROJECT_DIR.glob(f"*/**/{name}")]
    found += [PROJECT_DIR / name for name in files if (PROJECT_DIR / name).is_file()]
    missing = [name for name in files if not any(path.as_posix().endswith(f"/{name}") for path in found)]
    assert missing == []
    text = "".join(path.read_text(encoding="utf-8") for path in found)
    names = [name for name in quoted if re.fullmatch(r"[A-Za-z_]\w{3,}", name) and name != "NAME"]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_every_command_named_in_a_sentence_or_table_exists() -> None:
    """Verbs and options of every `ccdmon ...` in backticks; the arguments are made up, so it is not run."""
    named = [(ids(path), command) for path in DOCUMENTS for command in _INLINE.findall(path.read_text())]
    assert len(named) > 10
    for where, command in named:
        verb, *words = shlex.split(command)[1:]
        if verb in ("VERB", "help"):
            continue
        assert verb in VERBS, f"{where}: {command}"
        parser = ArgumentParser()
        import_module(f"ccdmon.cli.{VERBS[verb][0]}").add_arguments(parser)
        known = {option for action in parser._actions for option in action.option_strings}
        unknown = {word.split("=")[0] for word in words if word.startswith("--")} - known
        assert not unknown, f"{where}: {command}: no option {unknown}"


def test_every_command_in_a_block_that_needs_a_board_can_be_given_as_it_stands() -> None:
    lines = [
        line
        for path in DOCUMENTS
        for block in blocks(path)
        if block.mark == "needs a board"
        for line in block.text.splitlines()
    ]
    given = [shlex.split(line) for line in lines if line.startswith("ccdmon ")]
    assert ["ccdmon", "flash"] in given
    for _, verb, *words in given:
        parser = ArgumentParser(prog=f"ccdmon {verb}")
        import_module(f"ccdmon.cli.{VERBS[verb][0]}").add_arguments(parser)
        parser.parse_args(words)
