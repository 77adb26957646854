"""The Python snippets of docs/how-to/encrypt.md run as they are pasted, one after another."""

import pytest

from tests.test_docs import ENCRYPTION, run_snippets

pytestmark = pytest.mark.fhe


def test_snippets_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_snippets(ENCRYPTION) > 4
