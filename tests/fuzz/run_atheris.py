"""The process in which atheris drives one target: `python -m tests.fuzz.run_atheris TARGET [libFuzzer options]`."""

import sys

import atheris

with atheris.instrument_imports(
    include=["ccdmon", "ccdmon_fw", "ccd_fastcore"], enable_loader_override=False
):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Never returns: the fuzzer ends the process."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, TARGETS[name][0])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
