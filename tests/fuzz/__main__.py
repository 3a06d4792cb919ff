"""Fuzz by coverage: `python -m tests.fuzz [TARGET ...] [--runs N]` (Linux, extra `fuzz`).

Each target runs in a process of its own; one that ends with an unexpected exception leaves its input in the folder
named by `--crashes` and makes the exit code 1.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import TARGETS

LONGEST_BYTES = 20_000


def drive(name: str, runs: int, seed: int, crashes: Path) -> bool:
    """Run one target; True if nothing broke."""
    with tempfile.TemporaryDirectory() as folder:
        for number, sample in enumerate(TARGETS[name][1]()):
            (Path(folder) / f"sample{number}").write_bytes(sample)
        command = [sys.executable, "-m", "tests.fuzz.run_atheris", name, f"-runs={runs}", f"-seed={seed}"]
        command += [f"-max_len={LONGEST_BYTES}", "-timeout=60", f"-artifact_prefix={crashes}/{name}-", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    told = next(
        (line for line in reversed(lines) if line.startswith(("Done", "#"))), "no word from the fuzzer"
    )
    if done.returncode:
        said = [
            line for line in (done.stdout + done.stderr).splitlines() if "Error" in line or "rror:" in line
        ]
        told = f"BROKEN: {said[0].strip() if said else lines[-1] if lines else done.returncode}"
    print(f"{name:<12}{told}", flush=True)
    return done.returncode == 0


def main() -> int:
    """One line a target."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; all without")
    parser.add_argument("--runs", type=int, default=20_000, help="inputs per target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--crashes", type=Path, default=Path(tempfile.gettempdir()), help="where a bad input is kept"
    )
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target {unknown[0]!r}; one of {', '.join(TARGETS)}")
    names = options.targets or list(TARGETS)
    broken = [
        name for name in names if not drive(name, options.runs, options.seed, options.crashes)
    ]  # each in turn, whatever became of the one before
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
