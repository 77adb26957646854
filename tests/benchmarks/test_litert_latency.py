"""The benchmark of LiteRT shows every row with what belongs to it; not how fast anything is."""

import re

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("models are converted with TensorFlow", allow_module_level=True)
pytest.importorskip("ai_edge_litert")

from benchmarks import litert_latency  # noqa: E402
from benchmarks._harness import machine  # noqa: E402
from benchmarks._tasks import litert  # noqa: E402

pytestmark = pytest.mark.fused


@pytest.mark.slow
def test_tables(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(litert_latency, "SHAPES", [(1, 3, 2, 4)])
    monkeypatch.setattr(litert_latency, "STEP", (2, 4))
    monkeypatch.setattr(litert_latency, "QUANTIZE", {"float32": None, "int8": "int8"})
    monkeypatch.setattr(machine, "RESULTS", tmp_path)
    litert_latency.main(["--seconds", "0", "--save"])
    table = (machine.folder() / "litert_latency.md").read_text()
    assert table in capsys.readouterr().out

    cell = r"[\d,]+ µs, \d+ kB, (\de[-+]\d+)"
    for name in ("AddGRU, fused", "AddGRU, builtin", "GRU", "LSTM"):
        int8 = "no" if name == "AddGRU, fused" else cell
        row = re.search(
            rf"^\| \(1, 3, 2, 4\) \| {name} \| [\d.]+ \| {cell} \| {int8} \|$", table, re.MULTILINE
        )
        assert row, table
        errors = [float(error) for error in row.groups()]
        assert errors[0] < 1e-5 and max(errors) < 0.5
    assert re.search(r"^- \(1, 3, 2, 4\), AddGRU, fused, int8: .*int8", table, re.MULTILINE)

    for name in ("AddGRU, fused", "AddGRU, builtin", "GRU", "LSTM", r"AddGRU\(1\), fused"):
        row = rf"^\| {name} \| \d+ \| [\d.]+ \| [\d.]+ \| (\de[-+]\d+) \|$"
        assert float(re.search(row, table, re.MULTILINE)[1]) < 1e-5


def test_what_fails_is_shown_with_the_reason():
    def fails():
        raise RuntimeError("cannot be run")

    made, reasons = litert.make_all({"good": lambda: 1, "bad": fails})
    assert made == {"good": 1}
    assert reasons == {"bad": "cannot be run"}
