"""Snippets about encrypted models run as they are pasted, one after another."""

import re
import shutil

import pytest

from tests.test_docs import ENCRYPTION, ROOT, run_snippets

pytestmark = pytest.mark.fhe

TUTORIAL = ROOT / "docs" / "tutorials" / "encrypted-classifier.md"
SNIPPET = re.compile(r"^```\{ \.python \.fhe \}\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_snippets(ENCRYPTION) > 4


def test_the_second_half_of_the_tutorial_runs(tmp_path, monkeypatch):
    """The first half trains a network of the same shapes, in the other environment."""
    network = ROOT / "examples" / "encrypted_digits" / "digits.safetensors"
    shutil.copy(network, tmp_path / "classifier.safetensors")
    monkeypatch.chdir(tmp_path)
    assert run_snippets(TUTORIAL, SNIPPET) == 3
