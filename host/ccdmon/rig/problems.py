"""What is wrong with a rig file, in lines for a person: pydantic's findings with the nearest known key."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


def problems_of(error: ValidationError, root: type[BaseModel]) -> Iterator[str]:
    """Table and key, what is wrong, what to do; `root` is the model of the whole file."""
    for detail in error.errors():
        *tables, key = [str(part) for part in detail["loc"]] or [""]
        where = f"[{'.'.join(tables)}] {key}" if tables else key
        if detail["type"] == "extra_forbidden":
            yield f"{where}: unknown key{nearest(key, _keys(root, tables))}"
        elif detail["type"] == "missing":
            yield f"{where}: missing; add it"
        else:
            message = detail["msg"].removeprefix("Value error, ")
            yield f"{where}: {message[:1].lower()}{message[1:]}{_found(detail['input'])}; mend it"


def _found(value: Any) -> str:
    """The value at fault; a whole table would be too long for one line."""
    return "" if isinstance(value, Mapping | BaseModel) else f" (found {repr(value)[:40]})"


def _keys(model: type[BaseModel], tables: list[str]) -> list[str]:
    """Keys of the table at that path."""
    for name in tables:
        annotation = model.model_fields[name].annotation
        candidates = (annotation, *getattr(annotation, "__args__", ()))
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel))
    return [field.alias or key for key, field in model.model_fields.items()]


def nearest(key: str, known: list[str] | tuple[str, ...]) -> str:
    """`; did you mean ...?`, or what is known where nothing is near."""
    by_small_letters = {name.lower(): name for name in known}
    close = difflib.get_close_matches(key.lower(), by_small_letters, 1, 0.5)
    return f"; did you mean '{by_small_letters[close[0]]}'?" if close else f"; known: {', '.join(known)}"
