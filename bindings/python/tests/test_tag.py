"""The wheel's tag, which is of one platform."""

import pathlib
import platform
import runpy
import sys
import sysconfig
import types

import pytest

HOOK = pathlib.Path(__file__).parents[1] / "hatch_build.py"


@pytest.mark.parametrize(
    ("system", "python_s", "machine", "tag"),
    [
        ("linux", "linux-x86_64", "x86_64", "linux_x86_64"),
        ("linux", "linux-aarch64", "aarch64", "linux_aarch64"),
        ("win32", "win-amd64", "AMD64", "win_amd64"),
        ("darwin", "macosx-10.13-universal2", "x86_64", "macosx_10_12_x86_64"),
        ("darwin", "macosx-10.13-universal2", "arm64", "macosx_11_0_arm64"),
        ("darwin", "macosx-15.0-arm64", "arm64", "macosx_11_0_arm64"),
    ],
)
def test_a_tag_names_one_processor(monkeypatch, system, python_s, machine, tag):
    # The packages that are tested with have no hatchling.
    stub = types.SimpleNamespace(BuildHookInterface=object)
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", stub)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: python_s)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    platform_tag = runpy.run_path(str(HOOK))["platform_tag"]
    monkeypatch.setattr(sys, "platform", system)
    assert platform_tag() == tag
