"""Writes tests/c/layout.c."""

from __future__ import annotations

from header import MADE, Header

LAYOUT = """\
/* The constants and structs are those that the bindings of Python and Node have.
 * {made} */
#include "check.h"
#include "hotpart.h"

#include <stddef.h>

#define CHECK_FIELD(type, field, offset, size) \\
  CHECK_EQUAL(offsetof(type, field), offset);  \\
  CHECK_EQUAL(sizeof(((type *)0)->field), size)

static void check_constants(void) {{
{constants}
}}

static void check_layouts(void) {{
{layouts}
}}

int main(void) {{
  check_constants();
  if (sizeof(void *) != 8 || sizeof(size_t) != 8) {{
    printf("skipped: layouts are given for 64-bit pointers\\n");
    return EXIT_SUCCESS;
  }}
  check_layouts();
  printf("constants and layouts are those of the bindings\\n");
  return EXIT_SUCCESS;
}}
"""


def layout(header: Header) -> str:
    """A C program which asserts that the compiler has these constants and layouts."""
    layouts = []
    for struct in header.structs:
        lines = [f"  CHECK_EQUAL(sizeof({struct.name}), {struct.size});"]
        for name, kind, offset in struct.fields:
            size = kind.width * kind.count
            lines.append(f"  CHECK_FIELD({struct.name}, {name}, {offset}, {size});")
        layouts.append("\n".join(lines))
    return LAYOUT.format(
        made=MADE,
        constants="\n".join(
            f"  CHECK_EQUAL(HPD_{name}, {value});" for name, value in header.constants.items()
        ),
        layouts="\n\n".join(layouts),
    )
