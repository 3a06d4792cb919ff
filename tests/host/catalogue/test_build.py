"""A catalogue: one row a file, whatever is wrong with it; only what is new is judged; any way of working, one table."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pa_parquet
import pytest

from ccdmon.catalogue.build import Built, Order, build
from ccdmon.catalogue.keys import core_hash, task_of
from ccdmon.catalogue.parts import PARTS_DIR, parts_of
from ccdmon.catalogue.subjects import subjects_of
from ccdmon.catalogue.supervisor import MOST_DEATHS, Supervisor
from ccdmon.cli import main
from ccdmon.errors import InputError
from tests.host.catalogue.cells import OPTIONS, write_cell, write_many, write_sidecar

TABLES = ("runs", "events", "half_cycles")


def built(folder: Path, *names: Path, again: str = "changed", **options: object) -> Built:
    return build(Order([str(name) for name in names], folder, OPTIONS | options, again=again))


def rows(folder: Path, columns: str = "*", table: str = "runs") -> list[tuple[object, ...]]:
    return duckdb.sql(f"select {columns} from '{folder / table}.parquet' order by all").fetchall()


def contents(folder: Path) -> list[bytes]:
    return [(folder / f"{table}.parquet").read_bytes() for table in TABLES]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_many(tmp_path_factory.mktemp("traces"))


@pytest.fixture(scope="module")
def catalogue(traces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    assert built(folder, traces).judged == 7
    return folder


def test_a_row_each_says_what_analyze_says(
    catalogue: Path, traces: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    main(["analyze", str(traces / "c02.bdf.csv"), "--json"])
    document = json.loads(capfd.readouterr().out)
    where = f"file = '{traces / 'c02.bdf.csv'}'"
    columns = (
        "verdict, endured_mA_cm2, failed_at_mA_cm2, limited_by, protocol_kind, rows, half_cycles, events"
    )
    (row,) = duckdb.sql(f"select {columns} from '{catalogue}/runs.parquet' where {where}").fetchall()
    ccd = document["ccd"]
    assert row[:5] == ("failed", ccd["endured_mA_cm2"], ccd["failed_at_mA_cm2"], "hard_short", "time_control")
    assert row[5:] == (480, len(document["half_cycles"]), len(document["events"]))
    halves = duckdb.sql(
        f"select start_s, noise_V from '{catalogue}/half_cycles.parquet' where {where}"
    ).fetchall()
    assert halves == [(h["start_s"], h["noise_V"]) for h in document["half_cycles"]]
    events = duckdb.sql(
        f"select kind, row, evidence from '{catalogue}/events.parquet' where {where}"
    ).fetchall()
    assert [(k, r, json.loads(e)) for k, r, e in events] == [
        (e["kind"], e["row"], e["evidence"]) for e in document["events"]
    ]


def test_a_bad_file_is_a_row_with_its_error(catalogue: Path) -> None:
    (row,) = duckdb.sql(
        f"select verdict, error_kind, error from '{catalogue}/runs.parquet' where file like '%bad%'"
    ).fetchall()
    assert row[:2] == (None, "unreadable") and "row" in str(row[2]) and "/" not in str(row[2]).split("row")[0]


def test_exit_codes_and_what_is_told(traces: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def code(*names: str) -> int:
        return main(
            ["analyze", *(str(traces / name) for name in names), "--catalogue", str(tmp_path), "--json"]
        )

    assert code("c00.bdf.csv") == 0
    assert code("c00.bdf.csv", "c02.bdf.csv") == 1
    capfd.readouterr()
    assert code(".") == 2
    out, err = capfd.readouterr()
    document = json.loads(out)
    assert (document["files"], document["judged"], document["unreadable"]) == (7, 5, 1)
    assert err.startswith(f"{traces}/bad.bdf.csv: ") and err.count("\n") == 1
    assert len(rows(tmp_path)) == 7


def test_only_what_is_new_is_judged_and_a_moved_file_is_not(tmp_path: Path) -> None:
    folder, at = write_many(tmp_path / "traces", 3), tmp_path / "catalogue"
    assert built(at, folder).judged == 4
    before = contents(at)
    assert built(at, folder).judged == 0
    assert contents(at) == before
    (folder / "c00.bdf.csv").rename(folder / "moved.bdf.csv")
    (folder / "c00.bdf.metadata.json").rename(folder / "moved.bdf.metadata.json")
    assert built(at, folder).judged == 0
    assert [Path(str(file)).name for (file,) in rows(at, "file")] == [
        "bad.bdf.csv", "c01.bdf.csv", "c02.bdf.csv", "moved.bdf.csv",
    ]  # fmt: skip
    write_sidecar(folder / "c01.bdf.csv", "LPS")
    assert built(at, folder).judged == 1
    assert len(rows(at)) == 4 and ("LPS",) in rows(at, "electrolyte")
    assert built(at, folder, area_cm2=2.0).judged == 4  # other options
    assert built(at, folder, area_cm2=2.0, again="all").judged == 4
    assert len(rows(at)) == 4 and (2.0,) in rows(at, "area_cm2")


def test_copies_are_judged_once_and_have_a_row_each(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_cell(tmp_path / "traces" / f"{name}.bdf.csv")
    assert built(tmp_path / "catalogue", tmp_path / "traces").judged == 1
    assert len(rows(tmp_path / "catalogue")) == 2
    assert len(rows(tmp_path / "catalogue", "distinct file", "half_cycles")) == 2


def test_spectra_beside_a_trace_are_of_it(tmp_path: Path) -> None:
    path = write_cell(tmp_path / "traces" / "a.bdf.csv")
    spectrum = "Frequency / Hz,Real Impedance / ohm,Imaginary Impedance / ohm\n"
    values = [(10.0**k, 6 + 4 / (1 + 1j * 10.0 ** (k - 3))) for k in np.arange(0, 6.1, 0.2)]
    for when, factor in (("before", 1.0), ("after", 0.95)):
        lines = "".join(f"{f},{z.real * factor},{z.imag * factor}\n" for f, z in values)
        path.with_name(f"a.eis-{when}.csv").write_text(spectrum + lines)
    assert built(tmp_path / "c", tmp_path / "traces").judged == 1
    assert rows(tmp_path / "c", "eis") == [("consistent",)]
    path.with_name("a.eis-after.csv").unlink()
    assert built(tmp_path / "c", tmp_path / "traces").judged == 1
    assert rows(tmp_path / "c", "eis") != [("consistent",)]


def test_a_file_that_is_not_there_is_a_row_until_it_comes(tmp_path: Path) -> None:
    at, path = tmp_path / "c", tmp_path / "late.bdf.csv"
    assert built(at, path).judged == 1
    assert rows(at, "error_kind") == [("missing",)]
    assert built(at, path).judged == 1  # looked for again
    write_cell(path)
    built(at, path)
    assert rows(at, "verdict, error") == [("healthy", None)]


WORKER = """
import os, signal, sys
from pathlib import Path
import ccdmon.catalogue.parts as parts, ccdmon.catalogue.worker as worker
judged = parts.judged
def deadly(task, options):
    once = Path(sys.argv[0] + "." + Path(task.path).name)
    if "killer" in task.path or ("unlucky" in task.path and not once.exists()):
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return judged(task, options)
parts.judged = deadly
worker.main()
"""


def test_workers_die_and_the_trace_that_kills_them_is_named(tmp_path: Path) -> None:
    folder = write_many(tmp_path / "traces", 4)
    write_cell(folder / "c01.killer.bdf.csv", ohm=50.0)
    write_cell(folder / "c01.unlucky.bdf.csv", ohm=60.0)
    (tmp_path / "worker.py").write_text(WORKER)
    parts = tmp_path / "catalogue" / PARTS_DIR
    parts.mkdir(parents=True)
    tasks = [task_of(subject, OPTIONS) for subject in subjects_of([str(folder)], parts)]
    done: list[int] = []
    command = (sys.executable, str(tmp_path / "worker.py"))
    Supervisor(iter(tasks), parts, 1, OPTIONS, done.append, command).run(2)
    assert sum(done) == len(tasks)
    kinds = {}
    for part in parts_of(parts.parent):
        table = pa_parquet.read_table(part, columns=["key", "error_kind", "error"]).to_pylist()
        kinds.update({row["key"]: (row["error_kind"], row["error"]) for row in table})
    named = {Path(task.path).name: kinds[task.key] for task in tasks}
    assert named["c01.killer.bdf.csv"][0] == "killed"
    assert "SIGKILL" in named["c01.killer.bdf.csv"][1] and str(MOST_DEATHS) in named["c01.killer.bdf.csv"][1]
    del named["c01.killer.bdf.csv"]
    assert {name for name, (kind, _) in named.items() if kind is not None} == {"bad.bdf.csv"}


def test_a_pipe_another_catalogue_and_a_name_that_is_no_text_end_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "traces"
    write_cell(folder / "c.bdf.csv")
    os.mkfifo(folder / "p.bdf.csv")
    odd = os.fsencode(folder) + b"/l\xe9.bdf.csv"
    Path(os.fsdecode(odd)).write_bytes((folder / "c.bdf.csv").read_bytes())
    built(folder / "earlier", folder)
    built(tmp_path / "catalogue", folder)
    found = dict(rows(tmp_path / "catalogue", "regexp_extract(file, '[^/]+$'), coalesce(error, verdict)"))
    assert found == {
        "c.bdf.csv": "healthy", "p.bdf.csv": "no regular file; save what it gives as one", "l\\xe9.bdf.csv": "healthy",
    }  # fmt: skip
    assert main(["analyze", str(folder), "--catalogue", str(folder)]) == 2, "not among the traces"


def command(traces: Path, folder: Path, *options: str) -> list[str]:
    """The verb in a process of its own."""
    return [sys.executable, "-m", "ccdmon", "analyze", str(traces), "--catalogue", str(folder), *options]


def test_a_main_process_that_is_killed_is_resumed_to_the_same_tables(
    traces: Path, catalogue: Path, tmp_path: Path
) -> None:
    call = command(traces, tmp_path, "--jobs", "2")
    for _ in range(2):
        started = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until_s = time.monotonic() + 30
        seen = len(parts_of(tmp_path))
        while len(parts_of(tmp_path)) == seen and started.poll() is None and time.monotonic() < until_s:
            time.sleep(0.002)
        started.kill()
        started.wait()
    assert subprocess.run(call, capture_output=True).returncode == 2
    assert contents(tmp_path) == contents(catalogue)


def test_two_calls_at_once_are_refused(traces: Path, tmp_path: Path) -> None:
    import fcntl

    (tmp_path / PARTS_DIR).mkdir()
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(InputError, match="another call"):
        built(tmp_path, traces)
    os.close(held)


def test_dask_gives_the_same_tables(traces: Path, catalogue: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the optional extra ccdmon[cluster] is not installed")
    call = command(traces, tmp_path, "--cluster", "local:1")
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert contents(tmp_path) == contents(catalogue)


def test_a_folder_gives_traces_and_runs_and_nothing_that_lies_beside(tmp_path: Path) -> None:
    for name in ("a.bdf.csv", "b.mpr", "c.eis.csv", "a.eis-before.csv", "a.truth.json", "x.png", ".d.csv"):
        (tmp_path / name).touch()
    for name in (
        "run/frames.bin",
        "run/trace.bdf.parquet",
        "out/report.json",
        "out/events.csv",
        "out/e.csv",
        "cat/runs.parquet",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [
        str(s.path.relative_to(tmp_path))
        for s in subjects_of([str(tmp_path), str(tmp_path / "a.bdf.csv")], tmp_path / "cat")
    ]
    assert found == ["a.bdf.csv", "b.mpr", "run", "out/e.csv"]


def test_the_core_hash_is_of_the_text_that_judges() -> None:
    assert len(core_hash()) == 12
    done = subprocess.run(
        [sys.executable, "-c", "from ccdmon.catalogue.keys import core_hash; print(core_hash())"],
        capture_output=True, text=True, cwd="/",
    )  # fmt: skip
    assert done.stdout.strip() == core_hash()
