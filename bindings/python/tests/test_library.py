"""Errors where the library is missing, or is another one."""

import os
import re
import subprocess
import sys

import pytest

import hotpart
from hotpart import _library

SHOWS = "import hotpart; print(hotpart._library._path())"


def run(library, code=SHOWS):
    environment = {name: value for name, value in os.environ.items() if name != "HOTPART_LIBRARY"}
    if library is not None:
        environment["HOTPART_LIBRARY"] = str(library)
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)


def test_another_build_is_used_where_the_environment_says_so():
    assert run(_library._path()).stdout.strip() == _library._path()


def test_a_name_without_a_folder_is_of_this_one(tmp_path, monkeypatch):
    (tmp_path / "libhotpart.so").symlink_to(_library._path())
    monkeypatch.chdir(tmp_path)
    assert run("libhotpart.so").stdout.strip() == str(tmp_path / "libhotpart.so")


def test_a_library_that_is_missing_says_what_to_do(tmp_path):
    ended = run(tmp_path / "nothing.so")
    assert ended.returncode == 1
    assert "LibraryError: there is no libhotpart at" in ended.stderr and "HOTPART_LIBRARY" in ended.stderr


def test_a_file_that_is_no_library_says_what_to_do(tmp_path):
    (tmp_path / "text.so").write_text("text")
    assert "can't be loaded" in run(tmp_path / "text.so").stderr


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("int other(void) { return 0; }", "is no libhotpart"),
        ("unsigned hpd_abi_version(void) { return 2; }", "has ABI 2, and 1 is needed"),
        ("unsigned hpd_abi_version(void) { return 1; } void hpd_options_init(void) {}", "is too old"),
    ],
)
def test_another_library_says_what_to_do(tmp_path, source, words):
    (tmp_path / "other.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "other.so", tmp_path / "other.c"], check=True)
    ended = run(tmp_path / "other.so")
    assert words in ended.stderr and "install the package anew" in ended.stderr


def test_a_library_error_is_an_import_error():
    assert issubclass(hotpart.LibraryError, ImportError)


def test_nothing_of_botocore_is_imported_unless_it_is_used():
    code = "import sys, hotpart; print([name for name in sys.modules if 'boto' in name or 'pytest' in name])"
    assert run(os.environ.get("HOTPART_LIBRARY"), code).stdout == "[]\n"


def test_structs_are_as_large_as_the_header_says(tmp_path):
    """By the C compiler, from the header of the repository; an sdist does not have it."""
    header = os.environ.get("HOTPART_INCLUDE")
    if header is None:
        pytest.skip("HOTPART_INCLUDE does not say where the header is")
    import ctypes

    from hotpart import _abi

    checks = []
    for struct in ctypes.Structure.__subclasses__():
        if struct.__module__ == "hotpart._abi":
            name = "hpd" + re.sub("([A-Z])", lambda capital: f"_{capital[1].lower()}", struct.__name__)
            checks.append(f"sizeof({name}) == {ctypes.sizeof(struct)}")
            checks += [f"offsetof({name}, {field}) == {getattr(struct, field).offset}" for field, _ in struct._fields_]
    checks += [f"HPD_{name} == {value}" for name, value in vars(_abi).items() if isinstance(value, int)]
    words = {"RULE": _abi.RULES, "THROTTLE": _abi.REASONS, "UNATTRIBUTED": _abi.UNATTRIBUTED}
    for prefix, several in words.items():
        checks += [f"HPD_{prefix}_{word.upper()} == {value}" for value, word in enumerate(several)]
    assert len(checks) > 100
    checks = [f'_Static_assert({check}, "{check}");' for check in checks]
    (tmp_path / "check.c").write_text("#include <stddef.h>\n#include <hotpart.h>\n" + "\n".join(checks))
    subprocess.run(["cc", "-std=c11", "-fsyntax-only", f"-I{header}", tmp_path / "check.c"], check=True)
