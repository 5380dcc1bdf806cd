"""Writes what the bindings and tests/c/layout.c know of the C ABI, from include/hotpart.h.

`make bindings` runs it. With --check, as in ci/bindings.sh, it writes nothing, and fails if a file
is not what it would write. It needs a C preprocessor, and pycparser and ruff of
bindings/python/requirements/tools.txt.
"""

from __future__ import annotations

import sys

from header import ROOT, Header
from to_c import layout
from to_node import node
from to_python import PYTHON_FILE, python

FILES = {PYTHON_FILE: python, "bindings/node/src/abi.ts": node, "tests/c/layout.c": layout}


def main() -> None:
    header, stale = Header(), []
    for name, write in FILES.items():
        path, text = ROOT / name, write(header)
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        sys.exit(
            f"failed: not as include/hotpart.h has it: {', '.join(stale)}: run `make bindings`"
        )


main()
