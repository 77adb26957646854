"""The demonstration: what it tells of its client, and which circuit it takes."""

import types

import pytest
from encrypted_digits import demo

import addrnn

pytestmark = pytest.mark.fhe


def answering(*statuses):
    """In place of `httpx.Client`: gives one status after the other."""
    told = iter(statuses)
    return types.SimpleNamespace(get=lambda path: types.SimpleNamespace(json=lambda: next(told)))


def test_a_state_is_waited_for():
    making, ready = ({"state": state, "error": None} for state in ("making keys", "ready"))
    assert demo._passed("making keys", answering(making, ready)) >= demo._POLL_SECONDS


def test_a_client_that_has_failed_ends_the_demonstration():
    failed = {"state": "failed", "error": "The process has ended."}
    with pytest.raises(RuntimeError, match="The process has ended"):
        demo._passed("making keys", answering(failed))


def test_the_circuit_of_another_formulation_is_not_taken(tmp_path, monkeypatch):
    def compile(model, directory):
        for name in ("client", "server"):
            (directory / f"{name}.zip").touch()
        return {}, "digest"

    monkeypatch.setattr(demo, "compile", compile)
    assert [demo.compiled(tmp_path)[2] for _ in range(2)] == [False, True]
    monkeypatch.setattr(demo, "FORMULATION", "shared_relu")
    assert demo.compiled(tmp_path)[2] is False


@pytest.mark.slow
def test_the_formulation_is_the_cheapest(tmp_path, monkeypatch):
    chosen = demo.FORMULATION
    monkeypatch.setattr(demo, "FORMULATION", "auto")
    statistics, _ = demo.compile(addrnn.load(demo.MODEL), tmp_path)
    assert statistics["formulation"] == chosen
