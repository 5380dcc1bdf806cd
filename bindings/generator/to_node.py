"""Writes Node's constants, words, layouts and prototypes."""

from __future__ import annotations

from header import MADE, Function, Header, Parameter, Struct

TEMPLATE = """\
// The C ABI of `libhotpart` as include/hotpart.h has it: constants, structs and functions.
//
// {made}

import {{ Struct }} from './struct';

// A constant is a bigint where it is no safe integer.
{constants}

// Words for the library's numbers, each at its number's place.
{words}
{types}

{structs}
/** Functions as koffi takes them: handles are addresses, texts with a length are bytes. */
export const PROTOTYPES = {{
{functions}
}};
"""
SAFE_MAX = 2**53 - 1
KINDS = {"size_t": "size", "uint64_t": "u64", "uint32_t": "u32", "int32_t": "i32"}
COLUMNS = 100


def node(header: Header) -> str:
    """The package's `abi.ts`."""
    words, types = [], []
    for kind, several, names in header.words():
        listed = ", ".join(f"'{name}'" for name in names)
        words.append(f"export const {several} = [{listed}] as const;")
        types.append(f"export type {kind} = (typeof {several})[number];")
    return TEMPLATE.format(
        made=MADE,
        constants="\n".join(
            f"export const {name} = {value}{'n' * (value > SAFE_MAX)};"
            for name, value in header.numbers().items()
        ),
        words="\n".join(words),
        types="\n".join(types),
        structs="\n".join(map(_struct, header.structs)),
        functions="\n".join(_function(header, function) for function in header.functions),
    )


def _struct(struct: Struct) -> str:
    lines = [
        f"/** `{struct.name}` */",
        f"export const {struct.short} = new Struct({struct.size}, {{",
    ]
    for name, of, offset in struct.fields:
        kind = "pointer" if of.stars else KINDS[of.name]
        lines.append(f"  {name}: ['{kind}', {offset}],")
    return "\n".join([*lines, "});\n"])


def _function(header: Header, function: Function) -> str:
    names = {parameter.name for parameter in function.parameters}
    takes = [
        _parameter(header, parameter, f"{parameter.name}_len" in names)
        for parameter in function.parameters
    ]
    returns = f"{function.returns.name} "
    if function.returns.stars:
        returns = "const char *" if function.returns_static else "void *"
    prototype = f"'{returns}{function.name}({', '.join(takes) or 'void'})',"
    first, *rest = function.name.removeprefix("hpd_").split("_")
    name = first + "".join(part.capitalize() for part in rest)
    line = f"  {name}: {prototype}"
    return line if len(line) <= COLUMNS else f"  {name}:\n    {prototype}"


def _parameter(header: Header, parameter: Parameter, has_length: bool) -> str:
    name, of = parameter
    if not of.stars:
        return f"{of.name} {name}"
    if of.name == "char" and of.stars == 1 and of.const and not has_length:
        return f"const char *{name}"
    if of.name.startswith("hpd_") and of.stars == 1 and of.name not in header.names:
        # koffi looks at an integer no further.
        return f"uintptr_t {name}"
    return f"void *{name}"
