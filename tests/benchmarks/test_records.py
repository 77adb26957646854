"""Files of JSON lines that a killed writer leaves behind."""

import warnings

import pytest

from benchmarks._harness import records


def run(seed):
    return {"settings": {"task": "a", "seed": seed}, "result": {"error": seed / 2}}


def test_what_is_recorded_is_read(tmp_path):
    path = tmp_path / "new" / "records.jsonl"
    with warnings.catch_warnings(action="error"):
        assert records.lines(path) == []
        records.record(path, run(0))
        records.record(path, run(1))
        records.record(path, {"layer": "GRU"})  # any dict
        assert records.lines(path) == [run(0), run(1), {"layer": "GRU"}]
    assert path.read_text().count("\n") == 3


def test_runs_are_found_by_their_settings(tmp_path):
    for result in (run(0), run(1), {**run(0), "result": {"error": 9}}):
        records.record(tmp_path / "records.jsonl", result)
    found = records.recorded(tmp_path / "records.jsonl")
    assert len(found) == 2
    assert found[records.key_of({"seed": 0, "task": "a"})]["result"] == {"error": 9}


@pytest.mark.parametrize("length", [1, 20, 60])
def test_half_a_line_costs_no_other(tmp_path, length):
    path = tmp_path / "records.jsonl"
    for seed in (0, 1):
        records.record(path, run(seed))
    first, second = path.read_text().splitlines(keepends=True)
    path.write_text(first + second[:length])
    with pytest.warns(UserWarning, match=r"records\.jsonl, line 2\b"):
        assert records.lines(path) == [run(0)]
    records.record(path, run(2))
    with pytest.warns(UserWarning, match=r"records\.jsonl, line 2\b"):
        assert list(records.recorded(path).values()) == [run(0), run(2)]


def test_a_line_that_lacks_its_end_alone_is_kept(tmp_path):
    path = tmp_path / "records.jsonl"
    records.record(path, run(0))
    path.write_text(path.read_text().rstrip("\n"))
    with warnings.catch_warnings(action="error"):
        records.record(path, run(1))
        assert records.lines(path) == [run(0), run(1)]
