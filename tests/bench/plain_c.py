"""The bound: the core's algorithm as plain C, without Python, compiled on the spot and called once for all rows.

The C is made here from the sources of the core (statements, expressions and declarations map one to one) and compiled
with the flags of the extension: bodies from `_stream.py`, `_segment.py` and `_steps.py`, their types from the .pxd
beside each, and `_steady.pxd`, which has both. What the core takes beyond it is the price of being a Python module.
"""

import ast
import ctypes
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ccd_fastcore

from .data import FloatArray

FLAGS = ("-O3", "-ffp-contract=off", "-fPIC", "-shared")
_MODULES = ("_steps", "_segment", "_stream")
_SIGNATURE = re.compile(
    r'^(?:@cython\.locals\((.*)\)\n)?cdef (?:inline )?(\w[\w ]*?) (\w+)(?: "\w+" )?\(([^()]*)\) noexcept nogil',
    re.MULTILINE,
)
_OPERATORS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "&", ast.BitOr: "|",
    ast.RShift: ">>", ast.LShift: "<<",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.And: "&&", ast.Or: "||",
    ast.USub: "-", ast.Not: "!",
}  # fmt: skip
# As the extension has it, on the same processors.
_CLONES = """
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx2", "default"), flatten))
#endif
"""
# Where the rows end: one call, records counted, not kept.
_DRIVER = """
long long bound(state_t* s, const double* t, const double* v, const double* i, long long n) {
    long long at = 0, records = 0;
    while (at < n) {
        int flags = run(s, t, v, i, NULL, n, &at);
        records += (flags & 1) + (flags >> 1 & 1);
    }
    return records;
}
long long state_bytes(void) { return sizeof(state_t); }
"""


def plain_c() -> str:
    """The core's functions in C."""
    folder = Path(ccd_fastcore.__file__).parent
    source = {path.name: path.read_text() for path in folder.iterdir() if path.suffix in (".py", ".pxd")}
    functions, constants, structs = [], [], []
    for name in _MODULES:
        constants += re.findall(r"^([A-Z]\w*) = ([\d.]+)\b", source[f"{name}.py"], re.MULTILINE)
        bodies = _bodies(source[f"{name}.py"])
        for names, *head in _SIGNATURE.findall(source[f"{name}.pxd"]):
            functions.append(_function(*head, dict(re.findall(r'(\w+)="([^"]+)"', names)), bodies[head[1]]))
    for name in ("_state.pxd", "_steady.pxd"):
        structs += re.findall(r"^cdef struct (\w+).*:.*\n((?:    .*\n)+)", source[name], re.MULTILINE)
    functions += _functions_with_bodies(source["_steady.pxd"])
    return "\n".join(
        [
            "#include <math.h>\n#include <stddef.h>",
            *(f"#define {name} ({value})" for name, value in constants),
            *(f"typedef struct {{\n{_fields(layout)}\n}} {name};" for name, layout in structs),
            *(_CLONES * (" take_many(" in head) + head + ";" for head, _ in functions),
            *(head + body for head, body in functions),
            _DRIVER,
        ]
    )


def _fields(layout: str) -> str:
    fields = (line.split("#")[0].strip() for line in layout.splitlines())
    return "\n".join(field + ";" for field in fields if field)


def _bodies(source: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def _functions_with_bodies(source: str) -> list[tuple[str, str]]:
    """Those of a .pxd that has them, whose bodies are Python but for the declarations and casts."""
    found = []
    for match in _SIGNATURE.finditer(source):
        body = re.match(r":\n((?:(?:    .*)?\n)*)", source[match.end() :])
        if body:
            declared = re.findall(r"^    cdef (.*)\n", body[1], re.MULTILINE)
            kept = re.sub(r"^    (?:cdef .*|is_named\(\))\n", "", body[1], flags=re.MULTILINE)
            kept = re.sub(r"<(\w+)>\s*\(", r"_\1_(", kept)
            node = _bodies(f"def f():\n{kept}")["f"]
            found.append(_written(*match.groups()[1:], [f"{line};" for line in declared], node))
    return found


def _function(
    kind: str, name: str, parameters: str, types: dict[str, str], node: ast.FunctionDef
) -> tuple[str, str]:
    """What has no type in the .pxd is a double, as Cython says too."""
    assigned = {
        target.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Assign | ast.For)
        for target in (inner.targets if isinstance(inner, ast.Assign) else [inner.target])
        if isinstance(target, ast.Name)
    }
    own = sorted(assigned - set(re.findall(r"(\w+)\s*(?:,|$)", parameters)))
    return _written(kind, name, parameters, [f"{types.get(local, 'double')} {local};" for local in own], node)


def _written(
    kind: str, name: str, parameters: str, declared: list[str], node: ast.FunctionDef
) -> tuple[str, str]:
    body = [" {", *declared, *(s for statement in node.body for s in _statement(statement)), "}"]
    head, text = f"static {kind} {name}({' '.join(parameters.split())})", "\n".join(body)
    for cython, c in (("Py_ssize_t", "long long"), ("bint", "int")):
        head, text = re.sub(rf"\b{cython}\b", c, head), re.sub(rf"\b{cython}\b", c, text)
    return head, text


def _statement(node: ast.stmt) -> list[str]:
    match node:
        case ast.Expr(value=ast.Constant()):
            return []
        case ast.Expr(value=value):
            return [_text(value) + ";"]
        case ast.Pass():
            return []
        case ast.Continue() | ast.Break():
            return [ast.unparse(node) + ";"]
        case ast.Return(value=value):
            return ["return;" if value is None else f"return {_text(value)};"]
        case ast.Assign(targets=targets, value=value):
            return [" = ".join(map(_text, [*targets, value])) + ";"]
        case ast.AugAssign(target=target, op=op, value=value):
            return [f"{_text(target)} {_OPERATORS[type(op)]}= {_text(value)};"]
        case ast.If(test=test, body=body, orelse=orelse):
            return [f"if ({_text(test)}) {{", *_block(body), "} else {", *_block(orelse), "}"]
        case ast.While(test=test, body=body):
            return [f"while ({_text(test)}) {{", *_block(body), "}"]
        case ast.For(target=target, iter=ast.Call(args=ends), body=body):
            k, low = _text(target), "0" if len(ends) == 1 else _text(ends[0])
            return [f"for ({k} = {low}; {k} < {_text(ends[-1])}; {k}++) {{", *_block(body), "}"]
    raise NotImplementedError(ast.unparse(node))


def _block(body: list[ast.stmt]) -> list[str]:
    return [line for node in body for line in _statement(node)]


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=value):
            return str(int(value)) if isinstance(value, bool) else repr(value)
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="math" | "stream" | "segment" | "steps" | "steady"), attr=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_text(value)}->{name}"
        case ast.Subscript(value=value, slice=at):
            return f"{_text(value)}[{_text(at)}]"
        case ast.UnaryOp(op=op, operand=value):
            return f"{_OPERATORS[type(op)]}({_text(value)})"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({_text(left)} {_OPERATORS[type(op)]} {_text(right)})"
        case ast.BoolOp(op=op, values=values):
            return "(" + f" {_OPERATORS[type(op)]} ".join(map(_text, values)) + ")"
        case ast.Compare(left=left, ops=ops, comparators=others):
            pairs = zip([left, *others[:-1]], ops, others, strict=True)
            return (
                "(" + " && ".join(f"{_text(a)} {_OPERATORS[type(op)]} {_text(b)}" for a, op, b in pairs) + ")"
            )
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return f"({_text(test)} ? {_text(body)} : {_text(orelse)})"
        case ast.Call(func=function, args=args):
            name, inside = _text(function), ", ".join(map(_text, args))
            return (
                f"(({name.strip('_')})({inside}))" if name in ("_double_", "_int_") else f"{name}({inside})"
            )
    raise NotImplementedError(ast.unparse(node))


def compiled() -> Callable[[FloatArray, FloatArray, FloatArray], int]:
    """A call that takes all rows and returns how many records they made. Raises OSError without a compiler."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "bound.c", Path(folder) / "bound.so"
        source.write_text(plain_c())
        subprocess.run(["cc", *FLAGS, source, "-o", library, "-lm"], check=True)
        loaded: Any = ctypes.CDLL(str(library))
    loaded.bound.restype = loaded.state_bytes.restype = ctypes.c_longlong
    size = loaded.state_bytes()

    def work(*columns: FloatArray) -> int:
        state = ctypes.create_string_buffer(size)
        pointers = [ctypes.c_void_p(column.ctypes.data) for column in columns]
        records: int = loaded.bound(state, *pointers, ctypes.c_longlong(len(columns[0])))
        return records

    return work
