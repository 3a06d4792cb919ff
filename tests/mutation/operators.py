"""Mutants by the hundred: cosmic-ray's operators on detector, gate and wire, a sample of them run.

All of them take hours: a test run each. The sample is drawn anew for each seed, and every survivor is printed with its
place, for a survivor is either a missing test or a change that changes nothing.
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation.copies import copy_project, environment

MODULES = tuple(f"firmware/ccdmon_fw/{name}.py" for name in ("detector", "rules", "trends", "gate", "wire"))
TESTS = tuple(
    f"tests/firmware/test_{name}.py"
    for name in (
        "golden_detector",
        "gate",
        "wire",
        "app",
        "detector",
        "rules",
        "blocks",
        "selftest",
        "detector_bounds",
    )
)
TIMEOUT_S = 300.0
_CONFIG = """[cosmic-ray]
module-path = [{modules}]
timeout = {timeout}
excluded-modules = []
test-command = "{python} -m pytest -q -x -p no:cacheprovider {tests}"
[cosmic-ray.distributor]
name = "local"
"""


def sample(count: int, seed: int) -> None:
    """Run `count` mutants drawn by `seed`; print how many were killed, and each survivor."""
    with tempfile.TemporaryDirectory() as name:
        folder = copy_project(Path(name))
        config = _CONFIG.format(
            modules=", ".join(f'"{module}"' for module in MODULES),
            timeout=TIMEOUT_S,
            python=sys.executable,
            tests=" ".join(TESTS),
        )
        (folder / "mutants.toml").write_text(config)
        session = str(folder / "mutants.sqlite")
        _cosmic_ray(folder, "init", "mutants.toml", session)
        drawn, made = _draw(session, count, seed)
        _cosmic_ray(folder, "exec", "mutants.toml", session)
        _report(session, drawn, made, seed)


def _cosmic_ray(folder: Path, *words: str) -> None:
    program = [sys.executable, "-c", "from cosmic_ray.cli import main; main()"]
    subprocess.run([*program, *words], cwd=folder, env=environment(folder), check=True)


def _draw(session: str, count: int, seed: int) -> tuple[set[str], int]:
    """Mark all but `count` mutants as skipped; (those drawn, how many there are)."""
    from cosmic_ray.work_db import use_db
    from cosmic_ray.work_item import WorkerOutcome, WorkResult

    with use_db(session) as db:
        jobs = sorted((_place(item), item.job_id) for item in db.work_items)
        drawn = {job for _, job in random.Random(seed).sample(jobs, min(count, len(jobs)))}
        skipped = WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
        for _, job in jobs:
            if job not in drawn:
                db.set_result(job, skipped)
    return drawn, len(jobs)


def _place(item: object) -> str:
    mutation = item.mutations[0]  # type: ignore[attr-defined]
    row, column = mutation.start_pos
    operator = mutation.operator_name.removeprefix("core/")
    return f"{mutation.module_path}:{row:04}:{column:03} {operator} {mutation.occurrence:04}"


def _report(session: str, drawn: set[str], made: int, seed: int) -> None:
    from cosmic_ray.work_db import use_db

    with use_db(session) as db:
        places = {item.job_id: _place(item) for item in db.work_items}
        results = {job: result for job, result in db.results if job in drawn}
    survivors = sorted(places[job] for job, result in results.items() if not result.is_killed)
    killed = len(results) - len(survivors)
    print(f"{killed} of {len(results)} killed (drawn from {made}, seed {seed})")
    for survivor in survivors:
        print(f"survived  {survivor}")
