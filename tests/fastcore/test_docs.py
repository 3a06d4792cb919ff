"""Every public name says what it takes and gives, in both twins and the typing stub."""

import ast
import inspect
from pathlib import Path

import ccd_fastcore
from ccd_fastcore import (
    _interpreted,
    _reference_blocks,
    _reference_envelope,
    _reference_frames,
    _reference_levels,
    _reference_statistics,
)

STUBS = [
    ast.parse((Path(ccd_fastcore.__file__).parent / name).read_text())
    for name in ("_blocks.pyi", "_core.pyi", "_envelope.pyi", "_frames.pyi", "_levels.pyi", "_statistics.pyi")
]


def stub_docs() -> dict[str, str | None]:
    docs: dict[str, str | None] = {}
    for node in (node for stub in STUBS for node in stub.body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            docs[node.name] = ast.get_docstring(node)
        if isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name != "__init__":
                    docs[f"{node.name}.{item.name}"] = ast.get_docstring(item)
    return docs


def test_stub_is_documented_and_complete() -> None:
    docs = stub_docs()
    assert all(docs.values()), [name for name, text in docs.items() if not text]
    for name in docs:
        target: object = ccd_fastcore
        for part in name.split("."):
            target = getattr(target, part)


def test_reference_is_documented() -> None:
    for module in (
        _interpreted,
        _reference_blocks,
        _reference_envelope,
        _reference_frames,
        _reference_levels,
        _reference_statistics,
    ):
        for name, thing in vars(module).items():
            if name.startswith("_") or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            if thing.__module__ == module.__name__:
                assert inspect.getdoc(thing), name
