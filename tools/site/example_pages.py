"""An example in Keras' form, prose in strings and code in turn, as a page of Markdown."""

import ast
import re


def as_markdown(source):
    """The page of an example's source.

    The first string begins with lines of `Title:` and `Description:`.
    """
    lines, pieces, end = source.splitlines(), [], 0
    for node in ast.parse(source).body:
        if isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str):
            pieces += [_code(lines[end : node.lineno - 1]), node.value.value.strip()]
            end = node.end_lineno
    pieces.append(_code(lines[end:]))
    page = "\n\n".join(piece for piece in pieces if piece)
    return re.sub(r"\ATitle: (.*)\nDescription: (.*)\n", r"# \1\n\n\2\n", page) + "\n"


def _code(lines):
    code = "\n".join(lines).strip("\n")
    return f"```python\n{code}\n```" if code else ""
