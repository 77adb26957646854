"""A page that is read alone has no link to another file."""

import importlib.util

import pytest

from tests.test_docs import ROOT

PATH = ROOT / "tools" / "site" / "plain_links.py"
NAMES = {"../a/b.md": 'page "B"', "../c.py": "file `c.py`"}


@pytest.fixture(scope="module")
def without_relative_links():
    spec = importlib.util.spec_from_file_location(PATH.stem, PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.without_relative_links


@pytest.mark.parametrize(
    "page, expected",
    [
        ("as [measured](../a/b.md).", 'as measured (page "B").'),
        ("see [the\nlines](../a/b.md#some-part)", 'see the\nlines (page "B")'),
        ("| [B](../a/b.md) |", '| page "B" |'),
        ("[`c[0]`](../c.py), too", "`c[0]` (file `c.py`), too"),
        ("[arXiv](https://arxiv.org/abs/1)", "[arXiv](https://arxiv.org/abs/1)"),
        ("[below](#part)", "[below](#part)"),
        ("```python\nx = f[0](../a/b.md)\n```\n", "```python\nx = f[0](../a/b.md)\n```\n"),
    ],
)
def test_links_to_files_become_text(page, expected, without_relative_links):
    assert without_relative_links(page, NAMES.get) == expected
