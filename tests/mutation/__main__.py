"""Does the suite notice? `python -m tests.mutation` breaks the project on purpose and runs the tests on it.

First the breaks named in `sabotage.py`, each of which must be noticed. With `--operators N`, N mutants drawn from
all that cosmic-ray makes of detector, gate and wire (extra `mutation`), and the survivors are listed.
Exit code 1: a named break went unnoticed.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.mutation.copies import copy_project, run_tests
from tests.mutation.sabotage import MUTANTS, Mutant

NOTICED, PASSED = 1, 0  # exit codes of pytest: a test failed, all passed


def try_mutant(mutant: Mutant) -> tuple[bool, str]:
    """(noticed, by which test); raises SystemExit where the break does not fit the source any more."""
    with tempfile.TemporaryDirectory() as name:
        folder = copy_project(Path(name))
        file = folder / mutant.file
        source = file.read_text()
        if source.count(mutant.old) != 1:
            raise SystemExit(
                f"{mutant.file}: the lines that '{mutant.name}' changes are not there once; mend sabotage.py"
            )
        file.write_text(source.replace(mutant.old, mutant.new))
        done = run_tests(folder, mutant.tests)
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    if done.returncode not in (NOTICED, PASSED):
        raise SystemExit(
            f"{mutant.name}: pytest ended with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"
        )
    return done.returncode == NOTICED, failed[0].split(" - ")[0] if failed else ""


def try_unbroken() -> None:
    """The same tests pass on an unbroken copy; else a failure would say nothing."""
    wanted = dict.fromkeys(mutant.tests for mutant in MUTANTS)
    with tempfile.TemporaryDirectory() as name:
        folder = copy_project(Path(name))
        for tests in wanted:
            done = run_tests(folder, tests)
            if done.returncode != PASSED:
                raise SystemExit(f"the unbroken copy fails {' '.join(tests)}: {done.stdout[-500:]}")


def main() -> int:
    """Print one line a mutant."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("--operators", type=int, default=0, metavar="N", help="also N mutants of cosmic-ray")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn")
    options = parser.parse_args()
    try_unbroken()
    survivors = 0
    for mutant in MUTANTS:
        noticed, by = try_mutant(mutant)
        survivors += not noticed
        print(f"{'killed  ' if noticed else 'SURVIVED'}  {mutant.name:<44}{by}", flush=True)
    if options.operators:
        from tests.mutation.operators import sample

        sample(options.operators, options.seed)
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main())
