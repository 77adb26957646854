"""Our declarations of XLA's FFI are those of the jaxlib that is installed."""

import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[3]
HEADER = ROOT / "cc_ops" / "xla" / "ffi_c_api.h"
CHECK = pathlib.Path(__file__).parent / "ffi_c_api_check.cc"
COMPILER = shlex.split(os.environ.get("CXX", "c++"))

jax = pytest.importorskip("jax")
pytestmark = pytest.mark.skipif(
    shutil.which(COMPILER[0]) is None, reason=f"there is no compiler {COMPILER[0]}"
)


def compile_check(folder):
    """Compiles the comparison with our header in that folder; returns the compiler's errors."""
    includes = [f"-I{folder}", "-isystem", jax.ffi.include_dir()]
    command = [*COMPILER, "-std=c++17", "-fsyntax-only", *includes, str(CHECK)]
    return subprocess.run(command, capture_output=True, text=True).stderr


def test_declarations_are_jaxlibs():
    assert compile_check(ROOT) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("XLA_FFI_DataType_F16 = 10", "XLA_FFI_DataType_F16 = 9"),
        ("  int64_t rank;\n", "  int32_t rank;\n"),
        ("  void* ctx;\n", ""),
        ("XLA_FFI_API_MAJOR = 0", "XLA_FFI_API_MAJOR = 1"),
    ],
)
def test_a_wrong_declaration_would_be_found(tmp_path, right, wrong):
    copy = tmp_path / "cc_ops" / "xla" / HEADER.name
    copy.parent.mkdir(parents=True)
    text = HEADER.read_text()
    assert right in text
    copy.write_text(text.replace(right, wrong))
    assert "error:" in compile_check(tmp_path)
