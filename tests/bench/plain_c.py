"""The bound: the core's algorithm as plain C, without Python, compiled on the spot and called once for all rows.

The C is made here from the `nogil` functions of `_core.pyx` (statements, expressions and declarations map one to
one) and compiled with the flags of the extension. What the core takes beyond it is the price of being a Python
module.
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
_SIGNATURE = re.compile(r"^cdef (\w[\w ]*?) (_\w+)\((.*)\) noexcept nogil:$")
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
long long bound(State* s, const double* t, const double* v, const double* i, long long n) {
    long long at = 0, records = 0;
    while (at < n) {
        int flags = _run(s, t, v, i, NULL, n, &at);
        records += (flags & 1) + (flags >> 1 & 1) + (flags >> 2 & 1);
    }
    return records;
}
long long state_bytes(void) { return sizeof(State); }
"""


def plain_c() -> str:
    """The core's functions in C."""
    source = (Path(ccd_fastcore.__file__).parent / "_core.pyx").read_text()
    constants = re.findall(r'^    (?:double|int) (\w+) "\((.*)\)"$', source, re.MULTILINE)
    structs = re.findall(r"^cdef struct (\w+):.*\n((?:    .*\n)+)", source, re.MULTILINE)
    functions = [_function(*found) for found in _functions(source)]
    return "\n".join(
        [
            "#include <math.h>\n#include <stddef.h>",
            *(f"#define {name} ({value})" for name, value in constants),
            *(f"typedef struct {{\n{_fields(layout)}\n}} {name};" for name, layout in structs),
            *(_CLONES * (" _steady(" in head) + head + ";" for head, _ in functions),
            *(head + body for head, body in functions),
            _DRIVER,
        ]
    )


def _fields(layout: str) -> str:
    return "\n".join(line.split("#")[0].strip() + ";" for line in layout.splitlines())


def _functions(source: str) -> list[tuple[str, str, str, str]]:
    """(type, name, parameters, body) of each function from `_row` to `_run`."""
    source = re.sub(r"\(\n\s+(State\* s[^)]*)\n\)", r"(\1)", source)
    lines, found = source.splitlines(), []
    for k, line in enumerate(lines):
        head = _SIGNATURE.match(line)
        if head and "State* s" in line:
            body = []
            for text in lines[k + 1 :]:
                if text and not text.startswith(" "):
                    break
                body.append(text)
            found.append((head[1], head[2], head[3], "\n".join(body)))
    return found


def _function(kind: str, name: str, parameters: str, body: str) -> tuple[str, str]:
    declared = [f"    {line.strip()[5:]};" for line in body.splitlines() if line.strip().startswith("cdef ")]
    kept = "\n".join(line for line in body.splitlines() if not line.strip().startswith("cdef "))
    tree = ast.parse("def f():\n" + re.sub(r"<(\w+)>\s*\(", r"_\1_(", kept)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    text = "\n".join([" {", *_plain(declared), *(s for node in tree.body for s in _statement(node)), "}"])
    return f"static {kind} {name}({parameters})".replace("Py_ssize_t", "long long"), text


def _plain(declared: list[str]) -> list[str]:
    return [line.replace("Py_ssize_t", "long long") for line in declared]


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
            return repr(value)
        case ast.Name(id=name):
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
        case ast.Call(func=ast.Name(id=name), args=args):
            inside = ", ".join(map(_text, args))
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
