"""The core's tables, from what its benchmark prints."""

import pytest

from benchmarks import core_tables
from benchmarks._harness import machine

LINE = "{}/real_time    {} ms    1.00 ms    668 ceiling_share=0.5 flops=1G undisturbed_share=0.75\n"


@pytest.fixture
def recorded():
    """A record of this repository, as far as it is about AddGRU."""
    lines = next(machine.RESULTS.glob("*/core_*.txt")).read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("Min"))


def test_windows_stand_beside_add_gru(recorded):
    shapes = [*core_tables.SHAPES, *core_tables.SINGLE, core_tables.LONG]
    for number, window in enumerate((1, 3)):
        for kind in ("MinForward", "MinForwardBackward"):
            for shape in shapes:
                recorded += LINE.format(f"{kind}/{shape}/window:{window}/threads:1", number + 2.5)
    run = core_tables.Run(recorded)
    rows = core_tables.tables([run])["core_windows.md"].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")][1:] for row in rows]
    assert [row[0] for row in cells] == [
        f"{passes}: {layer}"
        for passes in core_tables.PASSES.values()
        for layer in ("AddGRU", "MinAddGRU, window of 1", "MinAddGRU, window of 3")
    ]
    assert cells[1][1:] == ["2.5 ms (50%)"] * len(shapes)
    assert cells[5][1:] == ["3.5 ms (50%)"] * len(shapes)
    # AddGRU's forward pass of one sequence has a time and no share, its backward pass none.
    assert cells[0][4:] == [f"{run.single(each, '1.00'):.3g} ms" for each in shapes[3:5]] + [""]
    assert cells[3][4:] == ["", "", ""]


def test_records_without_windows(recorded):
    assert "core_windows.md" not in core_tables.tables([core_tables.Run(recorded)])
