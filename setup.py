"""Builds the C++ part with CMake; everything else about the package is in pyproject.toml."""

import pathlib
import shutil
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).parent.resolve()
BUILD_DIR = ROOT / "build" / "cmake"


class CMakeBuild(build_ext):
    """Leaves to CMake what to compile: a repeated build compiles what has changed."""

    def build_extension(self, ext):
        # An editable installation uses the libraries from the source tree.
        in_place = self.editable_mode or self.inplace
        package_dir = (
            ROOT / "keras_addrnn"
            if in_place
            else pathlib.Path(self.get_ext_fullpath(ext.name)).resolve().parent
        )
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{BUILD_DIR}",
            "-GNinja",
            # Anew each time: an isolated build has its own, which is gone afterwards.
            f"-DCMAKE_MAKE_PROGRAM={shutil.which('ninja') or 'ninja'}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DADDRNN_OUTPUT_DIR={package_dir}",
        ]
        for command in (configure, ["cmake", "--build", str(BUILD_DIR)]):
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


setup(ext_modules=[Extension("keras_addrnn._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
