"""The modules of tools/site, which MkDocs imports from their folder."""

import importlib

import pytest

from tests.test_docs import ROOT


@pytest.fixture
def site_module(monkeypatch):
    """A function that imports one by its name."""
    monkeypatch.syspath_prepend(ROOT / "tools" / "site")
    return importlib.import_module
