"""Every Python snippet of the README and of docs/ runs, those of one page one after another."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# It needs concrete-python, so tests/addrnn/fhe/test_docs.py runs it.
ENCRYPTION = ROOT / "docs" / "encryption.md"
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run_snippets(page):
    """Runs the snippets of a page in one namespace; returns how many there are."""
    text = page.read_text()
    namespace = {}
    matches = list(SNIPPET.finditer(text))
    for match in matches:
        # Padded with empty lines, so that an error names the line of the page.
        code = "\n" * text.count("\n", 0, match.start(1)) + match.group(1)
        exec(compile(code, str(page), "exec"), namespace)
    return len(matches)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != ENCRYPTION], ids=lambda page: page.name
)
def test_snippets_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_snippets(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
