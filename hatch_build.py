"""Compiles the kernel of random draws into the package, where there is a C compiler; else NumPy draws, more slowly."""

from __future__ import annotations

import os
import shlex
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACE = Path("src/kerata/random")
_LIBRARY = "kernel.bin"
# Products and sums must not be contracted: every engine gives the same bits.
_OPTIONS = "-O3 -fPIC -shared -fopenmp-simd -ffp-contract=off -fno-math-errno -fno-trapping-math -Wno-unknown-pragmas"
_FOR_EACH_PROCESSOR = "-DKERATA_CLONES"  # not every compiler, linker and C library can


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if not _compiled(Path(self.root, _PLACE)):
            self.app.display_info("No C compiler: NumPy will make the random draws.")
            return
        build_data["artifacts"].append(f"/{_PLACE.as_posix()}/{_LIBRARY}")
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"


def _compiled(place: Path) -> bool:
    """Compiles the kernel beside its source; whether that was possible."""
    if os.name != "posix":
        return False
    compiler = shlex.split(os.environ.get("CC", "cc"))
    for extra in ([_FOR_EACH_PROCESSOR], []):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            library = Path(folder, _LIBRARY)
            command = [*compiler, *_OPTIONS.split(), *extra, "-o", str(library), str(place / "kernel.c")]
            try:
                subprocess.run(command, check=True, capture_output=True, timeout=120)
            except (OSError, subprocess.SubprocessError):
                continue
            library.replace(place / _LIBRARY)
            return True
    return False
