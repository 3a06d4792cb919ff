"""`ccdmon completion`: the script with which a shell completes verbs, options and files."""

import argparse
import sys

from ccdmon.cli.parser import Parser
from ccdmon.errors import EXIT_FINE

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell it is for")
    parser.epilog = 'in bash, for this session: eval "$(ccdmon completion bash)"'


def run(args: argparse.Namespace) -> int:
    """Print the script, to be put where the shell looks for completions."""
    import shtab  # only here: nobody else asks for a shell's words

    sys.stdout.write(shtab.complete(_whole_parser(), shell=args.shell) + "\n")
    return EXIT_FINE


def _whole_parser() -> Parser:
    """All verbs in one parser, as shtab reads it; loads every verb's module."""
    import importlib

    from ccdmon.cli import VERBS

    whole = Parser(prog="ccdmon")
    whole.add_argument("-V", "--version", action="store_true", help="package, firmware and schema versions")
    verbs = whole.add_subparsers(dest="verb", parser_class=Parser)
    for verb, (module_name, line) in VERBS.items():
        importlib.import_module(f"ccdmon.cli.{module_name}").add_arguments(
            verbs.add_parser(verb, help=line, description=line)
        )
    return whole
