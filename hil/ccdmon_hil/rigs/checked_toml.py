"""A TOML file checked against a pydantic model; whatever is wrong is one line: file, table and key, what to do."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ccdmon.errors import InputError
from ccdmon.rig.problems import problems_of

Model = TypeVar("Model", bound=BaseModel)


def read_checked(model: type[Model], path: Path, advice: str) -> Model:
    """The model filled from the file; `advice`: what to do where there is none. Raises `InputError`."""
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; {advice}") from error
    except ValidationError as error:
        raise InputError(f"{path}: {'; '.join(problems_of(error, model))}") from None
    except ValueError as error:
        raise InputError(
            f"{path}: not a readable TOML file ({' '.join(str(error).split())}); mend it"
        ) from error
