"""Builds the C++ part with CMake; everything else about the package is in pyproject.toml."""

import pathlib
import subprocess
import sys
import tempfile

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).parent.resolve()


class CMakeBuild(build_ext):
    """Leaves to CMake what to compile."""

    def build_extension(self, ext):
        if self.editable_mode or self.inplace:
            # The libraries go into the source tree; a repeated build compiles what has changed.
            self._build(ROOT / "build" / "cmake", ROOT / "addrnn")
            return
        # CMake remembers its tools, and those of an isolated build are gone afterwards.
        with tempfile.TemporaryDirectory() as build_dir:
            package_dir = pathlib.Path(self.get_ext_fullpath(ext.name)).resolve().parent
            self._build(build_dir, package_dir)

    def _build(self, build_dir, package_dir):
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{build_dir}",
            "-GNinja",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DADDRNN_OUTPUT_DIR={package_dir}",
        ]
        for command in (configure, ["cmake", "--build", str(build_dir)]):
            try:
                subprocess.run(command, check=True)
            except FileNotFoundError:
                sys.exit(
                    "keras_addrnn: cmake and ninja are needed to build: pip install cmake ninja"
                )
            except subprocess.CalledProcessError as error:
                sys.exit(
                    f"keras_addrnn: `{' '.join(command)}` failed with {error.returncode}; see above"
                )

    def copy_extensions_to_source(self):
        """Nothing to copy: CMake has put them there."""


setup(ext_modules=[Extension("addrnn._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
