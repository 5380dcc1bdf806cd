"""Writes Python's constants, words, ctypes structures and function types."""

from __future__ import annotations

import subprocess
import sys

from header import MADE, ROOT, WIDTHS, Function, Header, Struct, Type

PYTHON_FILE = "bindings/python/src/hotpart/_abi.py"

TEMPLATE = '''\
"""The C ABI of ``libhotpart`` as ``include/hotpart.h`` has it: constants, structs and functions.

{made}
"""

from __future__ import annotations

from ctypes import {ctypes}
from typing import Any, Literal, get_args

{constants}

# Words for the library's numbers, each at its number's place.
{types}
{words}

{structs}

# Each function: what it returns, and what it takes.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {{
{functions}
}}
'''
CTYPES = "POINTER Structure c_char_p c_int32 c_int64 c_size_t c_uint32 c_uint64 c_void_p"


def python(header: Header) -> str:
    """The package's `_abi.py`, as ruff formats it."""
    types, words = [], []
    for kind, several, names in header.words():
        listed = ", ".join(f'"{name}"' for name in names)
        types.append(f"{kind} = Literal[{listed}]")
        words.append(f"{several}: tuple[{kind}, ...] = get_args({kind})")
    text = TEMPLATE.format(
        made=MADE,
        ctypes=", ".join(CTYPES.split()),
        constants="\n".join(f"{name} = {value}" for name, value in header.numbers().items()),
        types="\n".join(types),
        words="\n".join(words),
        structs="\n\n".join(map(_struct, header.structs)),
        functions="\n".join(_function(header, function) for function in header.functions),
    )
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "-"]
    command += ["--stdin-filename", str(ROOT / PYTHON_FILE)]
    return subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, check=True).stdout


def _struct(struct: Struct) -> str:
    about = f"``{struct.name}``"
    if struct.is_written and any(field.type.name == "char" for field in struct.fields):
        about += ", which the library writes: its texts are read by pointer and length"
    lines = [f"class {struct.short}(Structure):", f'    """{about}."""', "", "    _fields_ = ["]
    for name, of, _ in struct.fields:
        if not of.stars:
            made = _integer(of.name)
        elif of.name == "char" and of.const and not struct.is_written:
            # It takes `bytes`.
            made = "c_char_p"
        else:
            made = "c_void_p"
        several = f" * {of.count}" if of.count > 1 else ""
        lines.append(f'        ("{name}", {made}{several}),')
    return "\n".join([*lines, "    ]\n"])


def _function(header: Header, function: Function) -> str:
    returns = _type(header, function.returns)
    if function.returns.stars and not function.returns_static:
        returns = "c_void_p"
    takes = ", ".join(_type(header, parameter.type) for parameter in function.parameters)
    return f'    "{function.name}": ({returns}, [{takes}]),'


def _type(header: Header, of: Type) -> str:
    name, stars = of.name, of.stars
    if name in WIDTHS:
        made = _integer(name)
    elif name in header.names:
        made = header.names[name].short
    elif not stars:
        made = "None"
    else:
        # Of a text, a handle, user data or a callback there is only the pointer.
        made, stars = ("c_char_p" if name == "char" else "c_void_p"), stars - 1
    return "POINTER(" * stars + made + ")" * stars


def _integer(name: str) -> str:
    return "c_size_t" if name == "size_t" else f"c_{name.removesuffix('_t')}"
