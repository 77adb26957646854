"""What MkDocs does not do by itself, for the site of docs/.

- The home is README.md.
- A page may link to any file of the repository. The site has a copy of it, below `repository/`.
  A link to a folder leads to the file that explains it.
- `$ keras-addrnn convert --help` in a block of code is followed by what it prints.
- A picture leads to itself, to be read closely. On a phone its narrow form is shown, if it has one.
- Some tutorials are examples, in Keras' form.
- A tutorial can be downloaded as a notebook. It leads to no other page of the site, as the site has
  no public address.
"""

import os
import pathlib
import re
import subprocess
import sys

import example_pages
import jupytext
import plain_links
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File
from outside_code import outside_code

ROOT = pathlib.Path(__file__).parents[2]
COPIES = "repository/"
LINK = re.compile(r"(\]\()([^)#\s]+)([^)\s]*\))")
TUTORIALS = {
    "tutorials/text-classification.md": ROOT / "examples" / "text_classification.py",
    "tutorials/forecasting.md": ROOT / "examples" / "forecasting.py",
}
HELP = re.compile(r"^\$ keras-addrnn (.*--help)$", re.MULTILINE)
EXPLAINS = ("README.md", "index.md", "__main__.py", "__init__.py")
PICTURE = re.compile(r'<img alt="[^"]*" src="((?![a-z]+:)[^"]+?)(\.\w+)"(?: title="[^"]*")? ?/?>')
LINK_OR_PICTURE = re.compile(f"<a .*?</a>|{PICTURE.pattern}", re.DOTALL)
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def on_files(files, config):
    """Adds the home, the files that pages link to, and the notebooks."""
    files.append(_copy("index.md", ROOT / "README.md", config))
    for uri, path in TUTORIALS.items():
        files.append(
            File.generated(config, uri, content=example_pages.as_markdown(path.read_text()))
        )
    waiting = [file for file in files if file.is_documentation_page()]
    while waiting:
        page = waiting.pop()
        for path in _linked(page.content_string, _source(page)):
            uri = _uri(path)
            if path.is_file() and files.get_file_from_path(uri) is None:
                files.append(_copy(uri, path, config))
                if path.suffix == ".md":
                    waiting.append(files.get_file_from_path(uri))
    for page in list(files.documentation_pages()):
        if _is_tutorial(page):
            uri = page.src_uri.removesuffix(".md") + ".ipynb"
            files.append(File.generated(config, uri, content=_notebook(page)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Points links at the places that files have on the site."""
    source, here = _source(page.file), os.path.dirname(page.file.src_uri)
    if page.file.src_uri.startswith(COPIES):
        page.meta["search"] = {"exclude": True}

    def pointed(link):
        path = _path(link[2], source)
        if path is None:
            return link[0]
        if not path.is_file():
            raise PluginError(f"{page.file.src_uri} links to {link[2]}, which is no file")
        return link[1] + os.path.relpath(_uri(path), here or ".") + link[3]

    markdown = HELP.sub(_help, markdown)
    markdown = outside_code(lambda text: LINK.sub(pointed, text), CODE, markdown)
    if _is_tutorial(page.file):
        name = os.path.basename(page.file.src_uri).removesuffix(".md") + ".ipynb"
        title, rest = markdown.split("\n", 1)
        markdown = f"{title}\n\n[Download this page as a notebook]({name}){{ .notebook }}\n{rest}"
    return markdown


def on_page_content(html, page, config, files):
    """Links pictures to themselves, and shows their narrow form where there is little room."""
    here = os.path.dirname(page.file.dest_uri)

    def in_both_forms(picture):
        narrow = f"{picture[1]}_narrow{picture[2]}"
        found = files.get_file_from_path(os.path.normpath(os.path.join(here, narrow)))
        source = f'<source media="(max-width: 600px)" srcset="{narrow}">' if found else ""
        return f"<picture>{source}{picture[0]}</picture>"

    def shown(found):
        if found[1] is None:  # a link, which leads where its author meant
            return PICTURE.sub(in_both_forms, found[0])
        return f'<a href="{found[1]}{found[2]}">{in_both_forms(found)}</a>'

    return LINK_OR_PICTURE.sub(shown, html)


def _is_tutorial(file):
    return file.src_uri.startswith("tutorials/") and file.name != "index"


def _copy(uri, path, config):
    return File.generated(config, uri, abs_src_path=str(path))


def _source(file):
    """The file of the repository that a page of the site is made of."""
    if file.src_uri == "index.md":
        return ROOT / "README.md"
    if file.src_uri in TUTORIALS:
        return TUTORIALS[file.src_uri]
    if file.src_uri.startswith(COPIES):
        return ROOT / file.src_uri.removeprefix(COPIES)
    return ROOT / "docs" / file.src_uri


def _uri(path):
    """The place that a file of the repository has on the site."""
    if path in TUTORIALS.values():
        return next(uri for uri, example in TUTORIALS.items() if example == path)
    path = path.relative_to(ROOT)
    if path == pathlib.Path("README.md"):
        return "index.md"
    if path.parts[0] == "docs":
        return path.relative_to("docs").as_posix()
    return COPIES + path.as_posix()


def _path(target, source):
    """The file that a link leads to; None for a place elsewhere."""
    if re.match(r"[a-z]+:", target):
        return None
    path = pathlib.Path(os.path.normpath(source.parent / target))
    if path.is_dir():
        return next((path / name for name in EXPLAINS if (path / name).is_file()), path)
    return path


def _linked(markdown, source):
    text = CODE.sub("", markdown)
    return [path for link in LINK.finditer(text) if (path := _path(link[2], source))]


def _help(found):
    command = [sys.executable, "-m", "keras_addrnn_cli", *found[1].split()]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return f"{found[0]}\n{printed.stdout.rstrip()}"


def _notebook(page):
    def name_of(target):
        path = _path(target, _source(page))
        return None if path is None else _name(path)

    text = plain_links.without_relative_links(page.content_string, name_of)
    text = re.sub(r"^```\{ \.python .*\}$", "```python", text, flags=re.MULTILINE)
    return jupytext.writes(jupytext.reads(text, fmt="md"), fmt="ipynb")


def _name(path):
    """The words for a page, by its title, or for another file of the repository."""
    text = path.read_text() if path.suffix == ".md" else ""
    if path in TUTORIALS.values():
        text = example_pages.as_markdown(path.read_text())
    title = re.search(r"^# (.*)$", text, re.MULTILINE)
    return f'page "{title[1]}"' if title else f"file `{path.relative_to(ROOT)}`"
