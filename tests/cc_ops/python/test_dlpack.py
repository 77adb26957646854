"""Our declarations of DLPack are those of the header that PyTorch ships."""

import importlib.util
import os
import pathlib
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[3]
HEADER = pathlib.Path("cc_ops") / "python" / "dlpack.h"
CHECK = pathlib.Path(__file__).parent / "dlpack_check.cc"
COMPILER = shlex.split(os.environ.get("CXX", "c++"))
PYTORCH = importlib.util.find_spec("torch")

pytestmark = [
    pytest.mark.skipif(PYTORCH is None, reason="PyTorch is not installed"),
    pytest.mark.skipif(
        shutil.which(COMPILER[0]) is None, reason=f"there is no compiler {COMPILER[0]}"
    ),
]


def compile_check(folder):
    """Compiles the comparison of the header in this folder; returns the compiler's errors."""
    pytorch = pathlib.Path(PYTORCH.origin).parent / "include"
    includes = [f"-I{folder}", "-isystem", pytorch]
    command = [*COMPILER, "-std=c++17", "-fsyntax-only", *map(str, includes), str(CHECK)]
    return subprocess.run(command, capture_output=True, text=True).stderr


def test_declarations_are_dlpacks():
    assert compile_check(ROOT) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("kDLBfloat = 4", "kDLBfloat = 5"),
        ("uint16_t lanes", "uint32_t lanes"),
        ("  DLDevice device;\n  int32_t ndim;", "  int32_t ndim;\n  DLDevice device;"),
        ("kReadOnly = 1", "kReadOnly = 2"),
    ],
)
def test_a_wrong_declaration_would_be_found(tmp_path, right, wrong):
    text = (ROOT / HEADER).read_text()
    assert right in text
    copy = tmp_path / HEADER
    copy.parent.mkdir(parents=True)
    copy.write_text(text.replace(right, wrong))
    assert "error:" in compile_check(tmp_path)
