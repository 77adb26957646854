"""Pages: their snippets run, links lead somewhere, sentences are short, the reference is whole."""

import importlib
import pathlib
import re
import types

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# They need concrete-python, so tests/addrnn/fhe/test_docs.py runs them.
ENCRYPTION = ROOT / "docs" / "how-to" / "encrypt.md"
REFERENCE = ROOT / "docs" / "reference"
SOURCES = ("addrnn", "benchmarks", "cc_ops", "examples", "keras_addrnn", "tests", "tools")
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LONGEST_LINE = 100  # tables and lines with a link excepted
LONGEST_SENTENCE = 30  # words


def run_snippets(page, snippet=SNIPPET):
    """Runs the snippets of a page in one namespace; returns how many there are."""
    text = page.read_text()
    namespace = {}
    matches = list(snippet.finditer(text))
    for match in matches:
        # Padded with empty lines, so that an error names the line of the page.
        code = "\n" * text.count("\n", 0, match.start(1)) + match.group(1)
        exec(compile(code, str(page), "exec"), namespace)
    return len(matches)


def name(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page != ENCRYPTION and SNIPPET.search(page.read_text())],
    ids=name,
)
def test_snippets_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_snippets(page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def sentences(page):
    """The sentences of a page, without code, tables, headings and the targets of links."""
    text = CODE.sub("\n", page.read_text())
    text = re.sub(r"^(\||!|#|:::).*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`]*`", "code", text)
    for paragraph in re.split(r"\n\s*\n|^\s*(?:[-*]|\d+\.) ", text, flags=re.MULTILINE):
        yield from re.split(r"(?<=[.!?:;])[)*]*\s+", " ".join(paragraph.split()))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_lines_and_sentences_are_short(page):
    lines = [line for line in page.read_text().splitlines() if len(line) > LONGEST_LINE]
    assert [line for line in lines if not line.startswith("|") and "](" not in line] == []
    assert [each for each in sentences(page) if len(each.split()) > LONGEST_SENTENCE] == []


def test_pages_that_sources_name_are_there():
    files = [path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.is_file()]
    texts = [path.read_text() for path in files if path.suffix in (".py", ".h", ".cc", ".sh")]
    named = {page for text in texts for page in re.findall(r"docs/[\w/-]+\.md", text)}
    assert len(named) > 5
    assert [page for page in named if not (ROOT / page).exists()] == []


def public(package):
    """The public names of a package, and the objects that they stand for, without modules."""
    for key, value in vars(importlib.import_module(package)).items():
        if not key.startswith("_") and not isinstance(value, types.ModuleType):
            yield f"{package}.{key}", value


@pytest.mark.parametrize(
    "package",
    [
        "addrnn",
        "addrnn.fhe",
        "addrnn.jax",
        "addrnn.lite",
        "addrnn.tensorflow",
        "addrnn.torch",
        "keras_addrnn",
        "keras_addrnn.layers",
        "keras_addrnn.lite",
        "keras_addrnn.ops",
        "keras_addrnn.quantization",
    ],
)
def test_the_reference_has_every_public_name(package):
    if package in ("addrnn.jax", "addrnn.torch"):
        pytest.importorskip(package.removeprefix("addrnn."))
    entries = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    listed = [resolve(entry) for entry in re.findall(r"^::: (\S+)$", entries, re.MULTILINE)]
    missing = [key for key, value in public(package) if not any(value is it for it in listed)]
    assert missing == []


def resolve(path):
    """The object that a dotted path names."""
    found = importlib.import_module(path.partition(".")[0])
    for attribute in path.split(".")[1:]:
        if not hasattr(found, attribute):
            importlib.import_module(f"{found.__name__}.{attribute}")
        found = getattr(found, attribute)
    return found
