"""The workflows call targets that there are, for the versions of Python that there are.

As text, for no library of YAML is among the requirements.
"""

import pathlib
import re
import tomllib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def targets_called(text):
    """The words after `make` in the steps of a workflow that are no variables."""
    commands = re.findall(r"^ *- run: make (.*)$", text, re.MULTILINE)
    words = [word for command in commands for word in re.sub(r"\$\{\{.*?}}", "", command).split()]
    return {word for word in words if "=" not in word}


def allowed_pythons():
    """Those that the classifiers name; test_metadata.py compares them with what is required."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    prefix = "Programming Language :: Python :: "
    return [c.removeprefix(prefix) for c in project["classifiers"] if c.startswith(f"{prefix}3.")]


def test_there_are_workflows():
    assert [path.name for path in WORKFLOWS] == ["publish.yml", "tests.yml", "wheels.yml"]
    called = set().union(*(targets_called(path.read_text()) for path in WORKFLOWS))
    assert called == {"lint", "docs", "test", "wheel", "test-wheel"}


@each_workflow
def test_every_target_is_one_of_the_makefile(path):
    phony = re.search(r"^\.PHONY:((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)[1]
    assert targets_called(path.read_text()) <= set(phony.replace("\\", "").split())


@each_workflow
def test_a_workflow_installs_system_packages_and_calls_make_alone(path):
    for command in re.findall(r"^ *- run: (.*)$", path.read_text(), re.MULTILINE):
        assert command.startswith(("make ", "sudo apt-get install ")), command


@pytest.mark.parametrize("name", ["tests.yml", "wheels.yml"])
def test_the_versions_of_python_are_the_allowed_ones(name):
    text = (ROOT / ".github" / "workflows" / name).read_text()
    named = re.findall(r"\b3\.\d+\b", text)
    assert list(dict.fromkeys(named)) == allowed_pythons() == ["3.11", "3.12", "3.13"]


@each_workflow
def test_a_workflow_says_that_it_is_untested_and_may_do_little(path):
    text = path.read_text()
    assert text.startswith("# Not run anywhere yet: untested.")
    assert "\npermissions:\n  contents: read\n" in text
    writes = re.findall(r"^ *(\S+): write$", text, re.MULTILINE)
    assert writes == (["id-token"] if path.name == "publish.yml" else [])


@each_workflow
def test_every_action_has_a_major_version(path):
    used = re.findall(r"uses: (?!\./)(\S+)", path.read_text())
    assert all(re.fullmatch(r"[\w./-]+@(release/)?v\d+", action) for action in used)
