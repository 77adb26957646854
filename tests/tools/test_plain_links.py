"""A page that is read alone has no link to another file."""

import pytest

NAMES = {"../a/b.md": 'page "B"', "../c.py": "file `c.py`"}


@pytest.fixture
def without_relative_links(site_module):
    return site_module("plain_links").without_relative_links


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
