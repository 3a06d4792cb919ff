"""Damage files of every format and give them to the command line: `python -m tests.fuzz.files --minutes 30`.

Truncated, flipped, spliced with one another, lines doubled and shuffled. Each must end with an exit code of the
contract (4 is
a bug), in at most 30 s and 1 GB. A file that does not is kept, and makes the exit code 1.
"""

import argparse
import contextlib
import io
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from ccdmon.cli import main as ccdmon
from tests.fuzz import samples

LONGEST_s = 30.0
LARGEST_kB = 1 << 20


def damaged(rng: random.Random, sources: list[bytes]) -> bytes:
    """One file, damaged in one to four ways."""
    data = bytearray(rng.choice(sources))
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        at = rng.randrange(len(data))
        match rng.randrange(8):
            case 0:
                del data[at:]
            case 1:
                data[at] = rng.randrange(256)
            case 2:
                data[at : at + 9] = bytes(
                    rng.choices(b"0123456789,;\t\n.-aNe\"'[]() /:", k=rng.randint(1, 12))
                )
            case 3:
                other = rng.choice(sources)
                begin = rng.randrange(len(other) + 1)
                data[at:at] = other[begin : begin + rng.randint(1, 4000)]
            case 4:
                del data[at : at + rng.randint(1, 400)]
            case 5:
                data[at : at + 4] = rng.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80")
                )
            case 6:
                lines = bytes(data).split(b"\n")
                k = rng.randrange(len(lines))
                lines[k:k] = lines[max(0, k - rng.randint(0, 5)) : k + 1] * rng.randint(1, 3)
                data = bytearray(b"\n".join(lines))
            case 7:
                lines = bytes(data).split(b"\n")
                rng.shuffle(lines)
                data = bytearray(b"\n".join(lines))
    return bytes(data)


def ways(path: Path, out: Path) -> list[list[str]]:
    """What is asked of each file."""
    trace = str(out / "t.bdf.csv")
    return [
        ["validate", str(path)],
        ["convert", str(path), str(out / "o.bdf.parquet"), "--salvage"],
        ["convert", str(path), str(out / "o.eis.csv")],
        ["analyze", trace, "--area-cm2", "1", "--eis-before", str(path), "--eis-after", str(path), "--json"],
        [
            "validate",
            str(path),
            "--columns",
            "time=#1[s],voltage=#2[V],current=#3[mA]",
            "--eis-columns",
            "f=#1,re=#2,im=#3",
        ],
    ]


def run(argv: list[str]) -> str | None:
    """What is wrong with how it ended; None for nothing."""
    begin = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            code = ccdmon(argv)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        except BaseException:  # noqa: BLE001  whatever it is, it is what is looked for
            return traceback.format_exc(limit=-4)
    if code not in (0, 1, 2):
        return f"exit code {code}: {err.getvalue().strip()[:300]}"
    if "Traceback" in err.getvalue():
        return err.getvalue()[-500:]
    return f"took {time.monotonic() - begin:.0f} s" if time.monotonic() - begin > LONGEST_s else None


def main() -> int:
    """A line for each thing found, and what was done in the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.files")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    rng, sources = (
        random.Random(options.seed),
        [*samples.trace_files(), *samples.impedance_files(), *samples.packed_files()],
    )
    end, tried, found = time.monotonic() + 60 * options.minutes, 0, 0
    kinds: set[str] = set()  # each is shown once
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        (out / "t.bdf.csv").write_bytes(samples.trace_files()[0])
        while time.monotonic() < end:
            path = out / f"f{rng.choice(('.csv', '.mpr', '.xlsx', '.csv.gz', '.txt'))}"
            path.write_bytes(damaged(rng, sources))
            for argv in ways(path, out):
                tried += 1
                what = run(argv)
                if what is not None and (kind := re.sub(r"^.*a bug|; details.*$", "", what)) not in kinds:
                    kinds.add(kind)
                    found += 1
                    kept = options.keep / f"ccdmon-fuzz-{options.seed}-{found}{path.suffix}"
                    kept.write_bytes(path.read_bytes())
                    print(f"{kept} ({argv[0]}): {what}", flush=True)
            path.unlink()
    most_kB = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{tried} runs, {found} found, {most_kB >> 10} MB at most")
    return int(found > 0 or most_kB > LARGEST_kB)


if __name__ == "__main__":
    sys.exit(main())
