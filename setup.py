"""Builds the C++ part with CMake; everything else about the package is in pyproject.toml.

Where that cannot be, the package is installed without it, and says why when asked for the op.
With the environment variable KERAS_ADDRNN_REQUIRE_OP=1 the installation fails instead. CMAKE_ARGS
holds further options for CMake. KERAS_ADDRNN_BUILD_DIR names a folder to build in, and to keep.
"""

import importlib.util
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import setuptools
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = pathlib.Path(__file__).parent.resolve()


def stop(problem):
    sys.exit(f"keras_addrnn: {problem}")


if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    stop(
        f"needs Python 3.11, 3.12 or 3.13, and this is {sys.version.split()[0]}: "
        "use another one, as in python3.12 -m pip install ..."
    )
if int(setuptools.__version__.split(".")[0]) < 77:
    stop(f"needs setuptools 77, and this is {setuptools.__version__}: pip install -U setuptools")


def long_description():
    """README.md for a package index, where relative links lead nowhere: their text stays alone."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.sub(r"!?\[([^]]*)\]\((?![a-z]+:)[^)]*\)", r"*\1*", readme)


def no_compiler():
    """One sentence, or None if there is a compiler; CMake looks for the same."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["c++", "g++", "clang++"]
    if any(shutil.which(shlex.split(name)[0]) for name in names):
        return None
    return (
        f"there was no C++ compiler ({' or '.join(names)}). "
        "Install one (Debian: apt-get install g++), and keras_addrnn again."
    )


def check_tools():
    missing = [name for name in ("cmake", "ninja") if not shutil.which(name)]
    missing += [name for name in ("pybind11",) if not importlib.util.find_spec(name)]
    if missing:
        names = " ".join(missing)
        stop(f"{names.replace(' ', ' and ')} must be there to build it: pip install {names}")


def go_without(package_dir, reason):
    """Leaves a note for `addrnn._libraries`."""
    if os.environ.get("KERAS_ADDRNN_REQUIRE_OP", "0") not in ("", "0"):
        stop(f"{reason} It must be built, for KERAS_ADDRNN_REQUIRE_OP is set.")
    print(f"keras_addrnn: WARNING: without the op, for {reason}", file=sys.stderr)
    note = package_dir / "_lib" / "not_built.txt"
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"keras_addrnn was installed without its compiled parts, for {reason}\n")


class BuildPython(build_py):
    """Where nothing is compiled, leaves the note that says why."""

    def run(self):
        super().run()
        if not self.distribution.has_ext_modules():
            target = ROOT if self.editable_mode else pathlib.Path(self.build_lib)
            go_without(target / "addrnn", no_compiler())


class BuildWithCMake(build_ext):
    """Leaves to CMake what to compile."""

    def build_extension(self, ext):
        check_tools()
        if self.editable_mode or self.inplace:
            # The libraries go into the source tree; a repeated build compiles what has changed.
            self._build(ROOT / "build" / "cmake", ROOT / "addrnn")
            return
        package_dir = pathlib.Path(self.get_ext_fullpath(ext.name)).resolve().parent
        if kept := os.environ.get("KERAS_ADDRNN_BUILD_DIR"):
            self._build(kept, package_dir)
            return
        # CMake remembers its tools, and those of an isolated build are gone afterwards.
        with tempfile.TemporaryDirectory() as build_dir:
            self._build(build_dir, package_dir)

    def _build(self, build_dir, package_dir):
        (package_dir / "_lib" / "not_built.txt").unlink(missing_ok=True)
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{build_dir}",
            "-GNinja",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DADDRNN_OUTPUT_DIR={package_dir}",
            *shlex.split(os.environ.get("CMAKE_ARGS", "")),
        ]
        for command in (configure, ["cmake", "--build", str(build_dir)]):
            if (status := subprocess.run(command).returncode) != 0:
                reason = (
                    f"`{' '.join(command[:2])} ...` failed with status {status}. "
                    "pip install --verbose shows why."
                )
                return go_without(package_dir, reason)

    def copy_extensions_to_source(self):
        """Nothing to copy: CMake has put them there."""


# Without an extension the wheel is one for any machine.
extensions = [] if no_compiler() else [setuptools.Extension("addrnn._core", sources=[])]
setuptools.setup(
    ext_modules=extensions,
    cmdclass={"build_ext": BuildWithCMake, "build_py": BuildPython},
    long_description=long_description(),
    long_description_content_type="text/markdown",
)
