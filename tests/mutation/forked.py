"""Runs the mutants of `host.py`, in the copy of the project where it is started; see there."""

import argparse
import importlib
import os
import random
import signal
import sys
import time
from collections import defaultdict
from pathlib import Path

from cosmic_ray import plugins
from cosmic_ray.commands import init
from cosmic_ray.mutating import use_mutation
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec

from tests.mutation.host import _HOST, GROUPS, LEAST, SLOW

# What every test loads and no mutant is in.
PRELOADED = (
    "numpy", "pyarrow.parquet", "pyarrow.csv", "pydantic", "pytest", "hypothesis", "tornado.web", "rich.live", "serial",
    "tomlkit", "bokeh.server.server", "bokeh.models.widgets", "bokeh.plotting", "bokeh.client", "apprise",
)  # fmt: skip
TIMEOUT_S = 120.0
NO_PROGRAM = 77


def forked(module: str, tests: tuple[str, ...]) -> int:
    """What pytest ended with; `NO_PROGRAM` where the module does not import, 1 where nothing ended."""
    wanted = " and ".join(f"not {name}" for name in SLOW)
    child = os.fork()
    if child == 0:
        os.setsid()
        silent = os.open("child.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            importlib.import_module(module)
        except BaseException:  # noqa: BLE001  whatever a mutant raises
            os._exit(NO_PROGRAM)
        import pytest

        os._exit(int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-k", wanted, *tests])))
    until_s = time.monotonic() + TIMEOUT_S
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until_s:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return 1
        time.sleep(0.02)


def mutants(paths: list[Path], count: int, seed: int) -> tuple[list[MutationSpec], int]:
    """(those drawn, by place; of how many)."""
    with use_db("mutants.sqlite") as db:
        init(paths, db, {})
        made = [mutation for item in db.work_items for mutation in item.mutations]
    made.sort(key=place)
    drawn = made if not count else random.Random(seed).sample(made, min(count, len(made)))
    return sorted(drawn, key=place), len(made)


def place(mutation: MutationSpec) -> str:
    """Where, and what is done."""
    row, column = mutation.start_pos
    operator = mutation.operator_name.removeprefix("core/")
    return f"{mutation.module_path}:{row:04}:{column:03} {operator} {mutation.occurrence:04}"


def which(place_: str) -> str:
    """A mutant without its row and column, which move."""
    path, operator, occurrence = place_.split()[0].partition(":")[0], *place_.split()[1:3]
    return f"{path} {operator} {occurrence}"


def survived_in(log: Path) -> set[str]:
    """Those that a run before told."""
    told = [line.removeprefix("survived").split(": ")[0] for line in log.read_text("utf-8").splitlines()
            if line.startswith("survived")]  # fmt: skip
    return {which(text) for text in told}


def tried(mutation: MutationSpec, tests: tuple[str, ...]) -> tuple[int, str]:
    """(how the tests ended, the line as it was and as it is)."""
    path = Path(mutation.module_path)
    module = ".".join(path.with_suffix("").parts[1:])
    operator = plugins.get_operator(mutation.operator_name)(**dict(mutation.operator_args or {}))
    with use_mutation(path, operator, mutation.occurrence) as (before, after):
        changed = [
            f"{old.strip()}  ->  {new.strip()}"
            for old, new in zip(before.splitlines(), (after or before).splitlines(), strict=False)
            if old != new
        ]
        return forked(module, tests), changed[0] if changed else "nothing"


def run_group(name: str, options: argparse.Namespace) -> bool:
    """Whether enough were noticed."""
    tests_of = {Path(_HOST + file): tests for file, tests in GROUPS[name].items()
                if options.module in (None, file)}  # fmt: skip
    for path, tests in tests_of.items():
        if ended := forked("ccdmon.errors", tests):
            raise SystemExit(
                f"the unbroken copy fails the tests of {path} ({ended}): {Path('child.txt').read_text()[-2000:]}"
            )
    drawn, made = mutants(list(tests_of), 0 if options.again else options.mutants, options.seed)
    if options.again:
        known = survived_in(options.again)
        drawn = [mutation for mutation in drawn if which(place(mutation)) in known]
    survivors, noticed, no_program = [], defaultdict(int), 0
    for mutation in drawn:
        ended, change = tried(mutation, tests_of[Path(mutation.module_path)])
        no_program += ended == NO_PROGRAM
        noticed[mutation.module_path] += ended not in (0, NO_PROGRAM)
        if ended == 0:
            survivors.append(place(mutation))
            print(f"survived  {place(mutation)}: {change}", flush=True)
    programs, killed = len(drawn) - no_program, sum(noticed.values())
    share = killed / programs if programs else 1.0
    print(
        f"{name}: {killed} of {programs} killed ({share:.0%}); drawn from {made}, {no_program} do not import",
        flush=True,
    )
    return share >= options.least


def main() -> int:
    """All groups, or the one that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mutants", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--group")
    parser.add_argument("--module")
    parser.add_argument("--again", type=Path)
    parser.add_argument("--least", type=float, default=LEAST)
    options = parser.parse_args()
    for name in PRELOADED:
        importlib.import_module(name)
    groups = [name for name, modules in GROUPS.items() if options.module is None or options.module in modules]
    enough = [run_group(name, options) for name in groups if options.group in (None, name)]
    return int(not all(enough))


if __name__ == "__main__":
    sys.exit(main())
