"""Builds libhotpart and the command `hotpart` with cargo and puts them into the wheel, for one platform and any Python."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import sysconfig

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = {"darwin": "libhotpart.dylib", "win32": "hotpart.dll"}.get(sys.platform, "libhotpart.so")
COMMAND = "hotpart.exe" if sys.platform == "win32" else "hotpart"


def platform_tag():
    """The platform that the wheel is for, in a wheel's name."""
    if sys.platform != "darwin":
        return sysconfig.get_platform().replace("-", "_").replace(".", "_")
    # Python may be for two processors there, but the library is for one, and for as old a system as Rust's own library.
    machine = platform.machine()
    return f"macosx_{'11_0' if machine == 'arm64' else '10_12'}_{machine}"


class LibraryHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if self.target_name != "wheel":
            return
        library, command = self._build()
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
        build_data["shared_scripts"][str(command)] = COMMAND
        if version == "editable":
            # The package is imported from its source, so there it must be.
            shutil.copy(library, pathlib.Path(self.root, "src", "hotpart", NAME))
        else:
            build_data["force_include"][str(library)] = f"hotpart/{NAME}"

    def _build(self):
        root = pathlib.Path(self.root)
        # In an sdist, else in the repository.
        crate = next((at for at in (root / "crate", root.parent.parent) if (at / "Cargo.toml").is_file()), None)
        if crate is None:
            raise FileNotFoundError("libhotpart's source is neither in ./crate nor in ../..: build from the repository")
        cargo = shutil.which("cargo")
        if cargo is None:
            raise FileNotFoundError("cargo is not installed, which builds libhotpart: install Rust, or use a wheel")
        target = crate / "target" / "wheel"
        made = [target / "release" / name for name in (NAME, COMMAND)]
        for each in made:
            each.unlink(missing_ok=True)
        # A target of one's own would put them elsewhere, and belie the tag.
        own = ("CARGO_BUILD_TARGET", "MACOSX_DEPLOYMENT_TARGET")
        environment = {name: value for name, value in os.environ.items() if name not in own}
        # As `make distribution` builds it: without symbols that nobody links to, and without this machine's paths in it.
        options = ["--release", "--locked", "--target-dir", str(target), "--config", 'profile.release.strip="symbols"']
        toolchains = os.environ.get("RUSTUP_HOME") or pathlib.Path.home() / ".rustup"
        registry = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo", "registry", "src")
        paths = {toolchains: "rustup", registry: "crates", crate: "hotpart"}
        remap = [f"--remap-path-prefix={path}={name}" for path, name in paths.items()]
        # Of all ways to give rustc flags cargo heeds one, this before all others; and it lets paths have spaces.
        given = os.environ.get("CARGO_ENCODED_RUSTFLAGS", "\x1f".join(os.environ.get("RUSTFLAGS", "").split()))
        environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join([given, *remap]).strip("\x1f")
        of_library = ["rustc", "--lib", "--crate-type", "cdylib"]
        of_command = ["build", "--package", "hotpart-cli", "--bin", "hotpart"]
        for command in (of_library, of_command):
            subprocess.run([cargo, *command, *options], cwd=crate, env=environment, check=True)
        for each in made:
            if not each.is_file():
                raise FileNotFoundError(
                    f"cargo has not put {each.name} into {each.parent}: is build.target set for cargo?"
                )
        return made
