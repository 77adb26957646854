"""Puts recorded tables into the documents, between `<!-- table: NAME -->` and the end of it.

In docs/, of the files of benchmarks/results that a NAME is one of.

    python benchmarks/tables.py
"""

import argparse
import pathlib
import re

from addrnn._atomic_file import replacing

ROOT = pathlib.Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TABLE = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def fill(document, tables):
    """Writes the texts of the dict `tables` where the document names them, and nothing else."""
    text = document.read_text()
    named = [match[2] for match in TABLE.finditer(text)]
    for name in tables:
        if name not in named:
            raise ValueError(f"{document} has no '<!-- table: {name} -->', where it belongs.")

    def filled(match):
        begin, name, end = match.groups()
        return f"{begin}{tables[name].strip()}\n{end}" if name in tables else match[0]

    with replacing(document) as temporary:
        temporary.write_text(TABLE.sub(filled, text))


def recorded(document):
    """Of the tables that the document names those that are files of benchmarks/results."""
    files = {match[2]: RESULTS / match[2] for match in TABLE.finditer(document.read_text())}
    return {name: path.read_text() for name, path in files.items() if path.is_file()}


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for document in sorted((ROOT / "docs").glob("*.md")):
        tables = recorded(document)
        if tables:
            fill(document, tables)
            print(f"{document.relative_to(ROOT)}: {', '.join(tables)}")


if __name__ == "__main__":
    main()
