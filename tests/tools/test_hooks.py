"""Pictures of the site lead to themselves, and have a narrow form on a phone."""

import types

import pytest

WIDE = '<img alt="A" src="../images/a.svg" />'
NARROW = '<source media="(max-width: 600px)" srcset="../images/a_narrow.svg">'


@pytest.fixture
def shown(site_module):
    page = types.SimpleNamespace(file=types.SimpleNamespace(dest_uri="start/install.html"))
    known = {"images/a_narrow.svg": "a file"}
    files = types.SimpleNamespace(get_file_from_path=known.get)
    hooks = site_module("hooks")
    return lambda html: hooks.on_page_content(html, page, None, files)


def test_a_picture_leads_to_itself_and_has_its_narrow_form(shown):
    expected = f'<a href="../images/a.svg"><picture>{NARROW}{WIDE}</picture></a>'
    assert shown(f"<p>{WIDE}, {WIDE}</p>") == f"<p>{expected}, {expected}</p>"


def test_a_picture_without_a_narrow_form(shown):
    image = '<img alt="" src="b.png">'
    assert shown(image) == f'<a href="b.png"><picture>{image}</picture></a>'


def test_a_picture_with_a_title(shown):
    image = WIDE.replace(" />", ' title="What it shows" />')
    expected = f'<a href="../images/a.svg"><picture>{NARROW}{image}</picture></a>'
    assert shown(image) == expected


def test_a_picture_in_a_link_leads_where_the_link_does(shown):
    expected = f'<a href="b.html">B\n<picture>{NARROW}{WIDE}</picture></a>'
    assert shown(f'<a href="b.html">B\n{WIDE}</a>') == expected


@pytest.mark.parametrize(
    "html",
    [
        '<a href="b.html">B</a>',
        '<img alt="a badge" src="https://example.org/a.svg" />',
        '<img src="a.svg" width="20">',
    ],
)
def test_what_stays_as_it_is(html, shown):
    assert shown(html) == html
