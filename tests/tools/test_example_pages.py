"""Pages that are made of examples hold all of their code and prose, in order."""

import ast

import pytest

from tests.test_docs import ROOT, SNIPPET


@pytest.fixture
def as_markdown(site_module):
    return site_module("example_pages").as_markdown


@pytest.mark.parametrize("example", ["forecasting", "text_classification", "pixels"])
def test_the_page_of_an_example_has_its_code(example, as_markdown):
    source = (ROOT / "examples" / f"{example}.py").read_text()
    code = "\n".join(SNIPPET.findall(as_markdown(source)))
    statements = [
        node for node in ast.parse(source).body if not isinstance(node, ast.Expr) or call(node)
    ]
    assert [ast.dump(node) for node in ast.parse(code).body] == list(map(ast.dump, statements))


def call(node):
    return isinstance(node.value, ast.Call)


def test_strings_become_prose_and_the_title_a_heading(as_markdown):
    source = '"""\nTitle: A\nDescription: B.\n\nC.\n"""\n\nx = 1\n\n"""\n## D\n\nE.\n"""\n\ny = 2\n'
    page = "# A\n\nB.\n\nC.\n\n```python\nx = 1\n```\n\n## D\n\nE.\n\n```python\ny = 2\n```\n"
    assert as_markdown(source) == page
