"""Pictures and quoted numbers are those of the records."""

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("the records are the same on every backend", allow_module_level=True)
from benchmarks.pictures import __main__ as pictures  # noqa: E402
from benchmarks.pictures import records  # noqa: E402
from tests.test_docs import ROOT, name  # noqa: E402

README, RESULTS = ROOT / "README.md", ROOT / "docs" / "results"


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("picture", pictures.PICTURES)
def test_a_picture_is_drawn_from_todays_records(picture, narrow, tmp_path):
    pictures.draw(picture, tmp_path / "drawn.svg", narrow)
    committed = pictures.committed(picture, narrow)
    same = (tmp_path / "drawn.svg").read_bytes() == committed.read_bytes()
    assert same, f"{name(committed)} is out of date: make pictures"


def over_batches(layer):
    return records.span(records.everywhere(records.ratios("GRU", layer, records.BATCHES)))


def over_streams(peer):
    ratios = records.ratios(peer, "AddGRU", records.STREAMS, "forward")
    return records.span(records.everywhere(ratios))


def shares(instructions, each):
    found = [records.shares(path) for path in records.pages("core_shares").values()]
    percent = [share for table in found for share in table.get((instructions, each), ())]
    return f"{min(percent):.0f} to {max(percent):.0f} %"


def swap(layer):
    """The median and the worst of the ratios of errors, as text."""
    ratios = sorted(task[layer] for task in records.swap().values())
    return f"{ratios[len(ratios) // 2]:.2f}", f"{ratios[-1]:.2f}"


def memory(layer):
    return [round(100 * found[layer]) for found in records.memory().values() if layer in found]


def ends(percent):
    return min(percent), max(percent)


def epochs():
    shares = [round(100 * found["AddGRU(128)"].share) for found in records.mnist().values()]
    return f"{min(shares)} to {max(shares)} %"


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (README, lambda: f"{over_batches('AddGRU')} times as fast as with Keras' GRU"),
        (README, lambda: f"and {records.span(records.fastest_peers('AddGRU'))} times as with the"),
        (README, lambda: f"forward: {over_streams('GRU')} times as fast as Keras' GRU"),
        (README, lambda: f"{over_streams('ONNX Runtime GRU')} times as ONNX Runtime's"),
        (README, lambda: "{} of GRU's error at the median".format(swap("AddGRU")[0])),
        (README, lambda: "and {} at the worst".format(swap("AddGRU")[1])),
        (RESULTS / "speed.md", lambda: f"AddGRU is {over_batches('AddGRU')} times as fast"),
        (RESULTS / "speed.md", lambda: f"MinAddGRU {over_batches('MinAddGRU')} times"),
        (RESULTS / "speed.md", lambda: f"is {records.span(records.fastest_peers('AddGRU'))} times"),
        (RESULTS / "speed.md", lambda: f"AddGRU is {over_streams('GRU')} times as fast as Keras'"),
        (RESULTS / "speed.md", lambda: f"{over_streams('ONNX Runtime GRU')} times as ONNX"),
        (RESULTS / "kernels.md", lambda: f"reaches {shares('avx512', 'forward')} of the hardware"),
        (RESULTS / "kernels.md", lambda: f"and {shares('avx512', 'forward + backward')} with the"),
        (RESULTS / "kernels.md", lambda: f"reaches {shares('avx2', 'forward')} forward"),
        (RESULTS / "kernels.md", lambda: f"and {shares('avx2', 'forward + backward')} with the"),
        (RESULTS / "memory.md", lambda: "{} to {} % of".format(*ends(memory("AddGRU")))),
        (RESULTS / "memory.md", lambda: "{} %, a little more".format(*memory("MinAddGRU"))),
        (
            RESULTS / "accuracy.md",
            lambda: "has {} of GRU's error at the median of thirteen tasks, {} at the worst".format(
                *swap("AddGRU")
            ),
        ),
        (
            RESULTS / "accuracy.md",
            lambda: "have {} at the median, and {} at the worst".format(
                *swap("MinAddGRU, two layers")
            ),
        ),
        (
            RESULTS / "index.md",
            lambda: f"in {epochs()} of GRU's time",
        ),
        (RESULTS / "index.md", lambda: "{} to {} % of GRU's".format(*ends(memory("AddGRU")))),
    ],
)
def test_a_page_quotes_the_records(page, says):
    text = " ".join(page.read_text().split())
    assert says() in text, f"{name(page)} should say: {says()}"
