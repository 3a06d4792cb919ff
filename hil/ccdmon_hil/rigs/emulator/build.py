"""Compiles Cython modules that lie in the current folder, into its folder `built`. Run by `fast.py`.

python build.py rp2040py.native _rp2040,_simulator -O3
"""

import os
import sys

from Cython.Build import cythonize
from setuptools import Distribution, Extension


def build(package: str, names: list[str], options: list[str]) -> None:
    """`package`: dotted; `options`: the compiler's."""
    folder = package.replace(".", "/")
    extensions = [
        Extension(f"{package}.{name}", [f"{folder}/{name}.pyx"], extra_compile_args=options) for name in names
    ]
    modules = cythonize(extensions, include_path=["."], compiler_directives={"language_level": 3})  # type: ignore[no-untyped-call]
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib, command.build_temp, command.parallel = "built", "objects", os.cpu_count()
    command.ensure_finalized()
    command.run()


if __name__ == "__main__":
    build(sys.argv[1], sys.argv[2].split(","), sys.argv[3:])
