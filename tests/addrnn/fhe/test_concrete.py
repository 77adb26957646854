"""What importing concrete-python takes, and what is said where that is missing."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.fhe


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)


def test_nothing_heavy_is_imported():
    ran = run(
        "import addrnn.fhe, sys; "
        "assert not {'keras', 'tensorflow', 'torch', 'concrete'} & set(sys.modules)"
    )
    assert ran.returncode == 0, ran.stderr


def test_no_pytorch_stays_behind():
    ran = run(
        "from addrnn.fhe._concrete import concrete; import sys; "
        "assert concrete().Compiler; assert 'torch' not in sys.modules"
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "before, message",
    [
        ("sys.modules['concrete'] = None", "make setup-fhe"),
        ("sys.modules['tensorflow'] = sys", "has imported TensorFlow.*process of its own"),
    ],
)
def test_what_is_missing_is_said(before, message):
    code = f"import sys; {before}; from addrnn.fhe._concrete import concrete; concrete()"
    ran = run(code)
    assert ran.returncode == 1
    with pytest.raises(ImportError, match=message):
        raise ImportError(ran.stderr)
