"""Options that several verbs share."""

import argparse

from ccdmon.errors import InputError


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """How to read a file that is not in the Battery Data Format."""
    parser.add_argument(
        "--columns",
        metavar="MAP",
        help="labels of a table: time=t[h],voltage=U[mV],current=I[A],pressure=...",
    )
    parser.add_argument("--salvage", action="store_true", help="keep whatever is readable of a broken file")


def add_impedance_arguments(parser: argparse.ArgumentParser) -> None:
    """How to read files of impedance."""
    parser.add_argument(
        "--eis-columns",
        metavar="MAP",
        help="labels of a table of impedance: f=freq[Hz],re=Zre,im=Zim (-im=...: -Im(Z)), or mag=,phase=[deg]",
    )
    parser.add_argument(
        "--eis-select",
        metavar="B,A",
        help="spectra of a file with several: number before and after, from 1, -1: the last (else first, last)",
    )


def positive(text: str) -> float:
    """A number above zero, for argparse."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number; give it without a unit, in V, A, Pa or cm2 as the option says: 5e-3, not 5mA"
        ) from None
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def share(text: str) -> float:
    """A number from 0 to 1, for argparse."""
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def refuse_two_documents(out: object, as_json: bool) -> None:
    """`--out -` and `--json` both want stdout. Raises `InputError`."""
    if str(out) == "-" and as_json:
        raise InputError("--json and an output of - both want stdout; name a file")
