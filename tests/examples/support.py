"""Runs the examples, which have no functions to call, on less data than a reader does."""

import ast
import pathlib

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


def shortened(name, **constants):
    """The syntax tree of an example in which constants of its first lines have other values."""
    tree = ast.parse((EXAMPLES / f"{name}.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) in constants:
            node.value = ast.parse(repr(constants.pop(node.targets[0].id)), mode="eval").body
    assert not constants, f"{name}.py has no {', '.join(constants)}"
    return ast.fix_missing_locations(tree)


def run(name, **constants):
    """Runs an example in this process and returns its names."""
    return _names(name, shortened(name, **constants))


def definitions(name):
    """The imports, constants and functions of an example, which does not run."""
    tree = shortened(name)
    kept = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
    tree.body = [
        node
        for node in tree.body
        if isinstance(node, kept)
        or (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").isupper())
    ]
    return _names(name, tree)


def _names(name, tree):
    file = str(EXAMPLES / f"{name}.py")
    names = {"__name__": name, "__file__": file}
    exec(compile(tree, file, "exec"), names)
    return names
