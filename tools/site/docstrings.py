"""Keras' form of docstrings in words that Griffe knows, and the pages they name as links."""

import re

import griffe

PAGE = re.compile(r"\bdocs/([\w/-]+)\.md\b")


class KerasDocstrings(griffe.Extension):
    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = _rewritten(obj.docstring.value)


def _rewritten(text):
    text = re.sub(r"^Call arguments:", "Other Args: Call arguments", text, flags=re.MULTILINE)
    text = re.sub(r"^Example:\n\n((?:.*\n?)*)", _examples, text, flags=re.MULTILINE)
    return PAGE.sub(r"[\g<0>](../\1.md)", text)  # from a page of docs/reference/


def _examples(found):
    return "Examples:\n" + re.sub(r"^(?=.)", "    ", found[1], flags=re.MULTILINE)
