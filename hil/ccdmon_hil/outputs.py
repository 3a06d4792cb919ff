"""Where the harness leaves what it measured: a place that cannot be written is one line, and told before the work."""

from pathlib import Path

from ccdmon.errors import InputError


def output_folder(path: Path) -> Path:
    """The folder, made where it is not there; `InputError` where that cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(path, error, "folder") from error
    return path


def write_output(path: Path, text: str) -> None:
    """Text into a file, in UTF-8; `InputError` where it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _cannot(path, error, "name") from error


def _cannot(path: Path, error: OSError, what: str) -> InputError:
    return InputError(f"{path}: cannot write ({error.strerror}); choose another {what}")
