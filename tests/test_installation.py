"""What `pip install` does where something is missing, and what is in the source archive."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import pytest

ROOT = pathlib.Path(__file__).parent.parent
FILES = ("CMakeLists.txt", "LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py")
FOLDERS = ("addrnn", "cc_ops", "cmake", "keras_addrnn", "keras_addrnn_cli")
BUILT = ("__pycache__", "_lib", "*.so")

# An editable installation of this environment would give what the other one lacks.
COMPOSED_ALONE = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "Editable" not in str(finder)]
import keras, numpy as np
import addrnn.lite
from addrnn import _compiled_core
import keras_addrnn as ka
reason = sys.argv[1]
info = ka.info()
assert not info["fused"] and reason in info["why_not"], info
assert reason in _compiled_core.problem()
try:
    addrnn.lite.delegate_path()
except RuntimeError as error:
    assert reason in str(error), error
assert ka.AddGRU(3)(np.zeros((2, 4, 5), "float32")).shape == (2, 3)
print(info["why_not"])
"""


@pytest.fixture
def source(tmp_path):
    """The files that the package is made of, and nothing that was built."""
    copy = tmp_path / "source"
    copy.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns(*BUILT))
    return copy


def run(*command, cwd, **environment):
    """Runs Python, where the tools of this environment are on the path."""
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    base = {name: value for name, value in os.environ.items() if "ADDRNN" not in name}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**base, "PATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"} | environment,
        capture_output=True,
        text=True,
    )


def make_wheel(source, folder, **environment):
    pip = ("-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index")
    return run(*pip, "--wheel-dir", folder, source, cwd=folder, **environment)


@pytest.mark.parametrize(
    ("compiler", "reason", "tag"),
    [
        ("/nonexistent", "there was no C++ compiler (/nonexistent)", "py3-none-any"),
        ("false", "failed with status 1", "-cp3"),
    ],
)
def test_without_a_compiler(source, tmp_path, compiler, reason, tag):
    done = make_wheel(source, tmp_path, CXX=compiler)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert tag in wheel.name
    site = tmp_path / "site"
    run("-m", "pip", "install", "--no-deps", "--no-index", "--target", site, wheel, cwd=tmp_path)
    done = run("-c", COMPOSED_ALONE, reason, cwd=tmp_path, PYTHONPATH=str(site))
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("compiler", ["/nonexistent", "false"])
def test_the_op_can_be_demanded(source, tmp_path, compiler):
    done = make_wheel(source, tmp_path, CXX=compiler, KERAS_ADDRNN_REQUIRE_OP="1")
    assert done.returncode != 0
    assert "KERAS_ADDRNN_REQUIRE_OP is set" in done.stdout + done.stderr
    assert not list(tmp_path.glob("*.whl"))


@pytest.mark.parametrize(
    ("pretence", "message"),
    [
        ("sys.version_info = (3, 10, 13, 'final', 0)", "needs Python 3.11, 3.12 or 3.13, and this"),
        ("setuptools.__version__ = '66.1.1'", "needs setuptools 77, and this is 66.1.1: pip"),
        ("shutil.which = {'c++': 'c++', 'cmake': 'cmake'}.get", "ninja must be there to build it"),
    ],
)
def test_one_line_says_what_is_wrong(source, pretence, message):
    code = f"""
import runpy, setuptools, shutil, sys
{pretence}
sys.argv = ["setup.py", "--quiet", "build_ext"]
runpy.run_path("setup.py", run_name="__main__")
"""
    done = run("-c", code, cwd=source, CXX="c++")
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"keras_addrnn: {message}")
    assert "pip install" in line


def test_the_source_archive_is_complete(source):
    code = "from setuptools import build_meta; build_meta.build_sdist('made')"
    done = run("-c", code, cwd=source)
    assert done.returncode == 0, done.stderr
    (archive,) = (source / "made").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        packed = {name.partition("/")[2] for name in tar.getnames()}
    folders = [path for name in FOLDERS for path in (ROOT / name).rglob("*")]
    wanted = {
        str(path.relative_to(ROOT))
        for path in (*folders, *(ROOT / name for name in FILES))
        if path.is_file() and not any(path.match(name) for name in ("*.pyc", "*.so", "_lib/*"))
    }
    assert wanted - packed == set()
