"""Writes TOML: tables of text, numbers, truth values and lists of them (the standard library only reads)."""

import json
from collections.abc import Mapping
from typing import Any


def dumps(document: Mapping[str, Any]) -> str:
    """`document` as TOML; nested mappings become tables, None values are left out."""
    return "\n".join(_lines(document, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    present = {key: value for key, value in table.items() if value is not None}
    plain = [
        f"{_key(key)} = {_value(value)}" for key, value in present.items() if not isinstance(value, Mapping)
    ]
    lines = ["", f"[{'.'.join(map(_key, path))}]"] if path and (plain or not present) else []
    lines += plain
    for key, value in present.items():
        if isinstance(value, Mapping):
            lines += _lines(value, (*path, key))
    return lines


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
