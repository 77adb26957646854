"""What a package index shows of the distribution: its version, classifiers and description."""

import email
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from markdown_it import MarkdownIt

import addrnn

ROOT = pathlib.Path(__file__).parent.parent
READ = ("LICENSE", "README.md", "pyproject.toml", "setup.py", "addrnn/_version.py")
MAKE_METADATA = (
    "import sys; from setuptools import build_meta;"
    "build_meta.prepare_metadata_for_build_wheel(sys.argv[1])"
)


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("made")
    for name in READ:
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    done = subprocess.run(
        [sys.executable, "-c", MAKE_METADATA, made], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (path,) = made.glob("*.dist-info/METADATA")
    return email.message_from_bytes(path.read_bytes())


def parsed(markdown):
    """The tokens of a page, those within paragraphs too."""
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        yield token
        yield from token.children or ()


def description(metadata):
    return metadata.get_payload(decode=True).decode()


def test_every_link_of_the_description_works_on_a_package_index(metadata):
    targets = [
        token.attrs.get("href") or token.attrs["src"]
        for token in parsed(description(metadata))
        if token.type in ("link_open", "image")
    ]
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_description_keeps_the_text_and_the_code_of_the_readme(metadata):
    readme = (ROOT / "README.md").read_text()
    assert metadata["Description-Content-Type"] == "text/markdown"

    def pieces(markdown):
        kinds = ("text", "code_inline", "fence", "image")
        return [token.content for token in parsed(markdown) if token.type in kinds]

    assert pieces(description(metadata)) == pieces(readme)


def test_every_place_has_the_same_version(metadata):
    version = addrnn.__version__
    assert metadata["Version"] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first[1] in (version, "Unreleased")


def test_the_classifiers_name_the_versions_of_python_that_are_allowed(metadata):
    classifiers = metadata.get_all("Classifier")
    named = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", c) for c in classifiers]
    assert [found[1] for found in named if found] == ["3.11", "3.12", "3.13"]
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert "Typing :: Typed" in classifiers
