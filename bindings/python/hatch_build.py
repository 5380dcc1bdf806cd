"""Builds libhotpart with cargo and puts it into the wheel, which then is for one platform and for every Python there."""

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAME = {"darwin": "libhotpart.dylib", "win32": "hotpart.dll"}.get(sys.platform, "libhotpart.so")


class LibraryHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if self.target_name != "wheel":
            return
        library = self._build()
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
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
        library = target / "release" / NAME
        library.unlink(missing_ok=True)
        # A target of one's own would put the library elsewhere.
        environment = {name: value for name, value in os.environ.items() if name != "CARGO_BUILD_TARGET"}
        subprocess.run(
            [cargo, "rustc", "--release", "--locked", "--lib", "--crate-type", "cdylib", "--target-dir", str(target)],
            cwd=crate,
            env=environment | {"CARGO_PROFILE_RELEASE_STRIP": "symbols"},
            check=True,
        )
        if not library.is_file():
            raise FileNotFoundError(f"cargo has not put {NAME} into {library.parent}: is build.target set for cargo?")
        return library
