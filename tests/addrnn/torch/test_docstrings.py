"""The examples in the docstrings run, and print what they say."""

import doctest

import pytest

from tests.support import needs_core

torch = pytest.importorskip("torch")

import addrnn.torch  # noqa: E402

pytestmark = needs_core


PUBLIC = {name: value for name, value in vars(addrnn.torch).items() if not name.startswith("_")}


def examples():
    finder = doctest.DocTestFinder()
    found = [each for name in PUBLIC for each in finder.find(PUBLIC[name], name, module=False)]
    return [each for each in found if each.examples]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_example(example):
    example.globs = {"torch": torch, "addrnn": addrnn}
    before = addrnn.torch.num_threads()
    try:
        assert doctest.DocTestRunner().run(example).failed == 0
    finally:
        addrnn.torch.set_num_threads(before)


def test_every_public_function_and_class_has_an_example():
    assert set(PUBLIC) == {example.name.partition(".")[0] for example in examples()}
