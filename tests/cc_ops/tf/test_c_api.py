"""Our declarations of TensorFlow's C interface are those of the TensorFlow that is installed."""

import ctypes
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[3]
HEADERS = ROOT / "cc_ops" / "tf"
CHECK = pathlib.Path(__file__).parent / "c_api_check.cc"
COMPILER = shlex.split(os.environ.get("CXX", "c++"))

tensorflow = pytest.importorskip("tensorflow")
needs_compiler = pytest.mark.skipif(
    shutil.which(COMPILER[0]) is None, reason=f"there is no compiler {COMPILER[0]}"
)


def compile_check(*folders):
    """Compiles the comparison with the headers of these folders; returns the compiler's errors."""
    includes = [f"-I{folder}" for folder in folders]
    includes += ["-isystem", tensorflow.sysconfig.get_include()]
    command = [*COMPILER, "-std=c++17", "-fsyntax-only", *includes, str(CHECK)]
    return subprocess.run(command, capture_output=True, text=True).stderr


@needs_compiler
def test_declarations_are_tensorflows():
    errors = compile_check(ROOT)
    assert errors == ""


@needs_compiler
@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("c_api.h", "int64_t TF_Dim(", "int TF_Dim("),
        ("c_api.h", "TF_Tensor* tensor, int axis", "TF_Tensor* tensor, int64_t axis"),
        ("c_types.h", "TF_HALF = 19", "TF_HALF = 18"),
    ],
)
def test_a_wrong_declaration_would_be_found(tmp_path, file, right, wrong):
    copies = tmp_path / "cc_ops" / "tf"
    shutil.copytree(HEADERS, copies)
    text = (copies / file).read_text()
    assert right in text
    (copies / file).write_text(text.replace(right, wrong))
    assert "error:" in compile_check(tmp_path)


def test_tensorflows_library_has_every_function():
    folder = pathlib.Path(tensorflow.sysconfig.get_lib())
    library = ctypes.CDLL(str(folder / "libtensorflow_framework.so.2"))
    functions = re.findall(r"(TF_\w+)\(", (HEADERS / "c_api.h").read_text())
    assert len(functions) > 40
    assert [name for name in functions if not hasattr(library, name)] == []
