"""Builds the C++ part with CMake; everything else about the package is in pyproject.toml."""

import pathlib
import subprocess
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = pathlib.Path(__file__).parent.resolve()
BUILD_DIR = ROOT / "build" / "cmake"


class CMakeBuild(build_ext):
    """Leaves to CMake what to compile: a repeated build compiles what has changed."""

    def build_extension(self, ext):
        package_dir = pathlib.Path(self.get_ext_fullpath(ext.name)).resolve().parent
        configure = [
            "cmake",
            f"-S{ROOT}",
            f"-B{BUILD_DIR}",
            "-GNinja",
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


setup(ext_modules=[Extension("keras_addrnn._core", sources=[])], cmdclass={"build_ext": CMakeBuild})
