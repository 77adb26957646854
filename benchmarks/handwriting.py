"""AddGRU, GRU and LSTM on handwritten words: error rates, time, size, and the same in LiteRT.

Runs the demonstration examples/handwriting as a user does, each network with three seeds, and
records what it writes. It resumes a training that was interrupted.

    python -m benchmarks.handwriting                          # tables of what is recorded
    python -m benchmarks.handwriting --run --data-dir DIR     # IDX files of MNIST; hours
    python -m benchmarks.handwriting --run --match data=fonts seed=0
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from benchmarks._harness import machine, markdown, records
from benchmarks._harness.experiment import Experiment

DEMONSTRATION = pathlib.Path(__file__).parents[1] / "examples" / "handwriting"
BUILD = pathlib.Path(__file__).parents[1] / "build" / "handwriting"
LAYERS = ("AddGRU", "GRU", "LSTM")
# AddGRU's own settings, which tell its records from those of older defaults.
OF_ADDGRU = {"input_scale": "of the first batch"}
SOURCES = {
    "digits": "numbers composed of digits, the IDX files",
    "fonts": "English words in fonts like handwriting, distorted",
}
EPOCHS = {"digits": 20, "fonts": 30}
IMAGES = 6000
# The first records have neither normalization after each recurrent layer nor a rate that falls.
LATER = ("normalization", "rate")
# What a table puts together: trainings that differ in the layer and the seed alone.
SETTINGS = ("data", "source", "images", "test_images", "epochs_at_most", "learning_rate")
SETTINGS += ("batch_size", *LATER)


def plan():
    """All layers of one seed are a run; what they read is drawn in one picture."""
    for data, source in SOURCES.items():
        for seed in range(3):
            values = data, source, IMAGES, IMAGES // 10, EPOCHS[data], 0.002, 64, "layer", "falling"
            yield {**dict(zip(SETTINGS, values, strict=True)), "seed": seed}


def lines(settings):
    for layer in LAYERS:
        own = OF_ADDGRU if layer == "AddGRU" else {}
        yield {**settings, **own, "layer": layer}


def output(settings):
    """The folder of what the demonstration makes: words, and what is trained on them."""
    return BUILD / f"{settings['data']}_{settings['images']}"


def demonstrate(settings, layers, options):
    """Trains these layers, unless they are trained, and returns the folder of the outcome."""
    flags = {
        "data": settings["data"],
        "images": settings["images"],
        "epochs": settings["epochs_at_most"],
        "seed": settings["seed"],
        "output": output(settings),
    }
    if settings["data"] == "digits" and options.data_dir:
        flags["data-dir"] = options.data_dir
    command = [sys.executable, DEMONSTRATION, "--layers", *layers]
    command += [str(word) for name, value in flags.items() for word in (f"--{name}", value)]
    one_thread = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    subprocess.run(command, check=True, env={**os.environ, **one_thread})
    return output(settings)


def run(settings, options, keep):
    known = records.recorded(EXPERIMENT.records())
    missing = {line["layer"]: line for line in lines(settings) if records.key_of(line) not in known}
    made = demonstrate(settings, missing, options)
    ending = f"_epochs{settings['epochs_at_most']}_seed{settings['seed']}"
    for layer, line in missing.items():
        (path,) = made.glob(f"*/{layer.lower()}{ending}/results.json")
        result = json.loads(path.read_text())
        del result["layer"]
        keep(line, result)
        # Its name does not cover the network: another one would be taken for trained.
        shutil.rmtree(path.parent)
    if tuple(missing) == LAYERS:
        (picture,) = made.glob(f"*/{'_'.join(LAYERS).lower()}{ending}.png")
        shutil.copy(picture, machine.RESULTS / f"handwriting_{settings['data']}.png")


def percent(fraction):
    return f"{100 * fraction:.2f} %"


def mean(results, *path):
    """Of what lies at the path in each result."""
    for name in path:
        results = [result[name] for result in results]
    return statistics.mean(results)


def summary(settings, found):
    """The table of one group: a row for each layer, the means of its seeds."""
    about = dict(zip(SETTINGS, settings, strict=True))
    rate = about["learning_rate"] if about["rate"] == "no" else f"{about['learning_rate']}, falling"
    head = (
        f"{about['data']}: {about['source']}. {about['images']:,} images to train on, "
        f"{about['test_images']:,} to test; {about['epochs_at_most']} epochs at most, batches of "
        f"{about['batch_size']}, Adam({rate}), "
        f"{about['normalization']} normalization. Times: {found[0]['machine']}.\n\n"
    )
    rows = []
    for kind in dict.fromkeys(line["settings"]["layer"] for line in found):
        of_kind = [line for line in found if line["settings"]["layer"] == kind]
        results = [line["result"] for line in of_kind]
        # Times of another machine, or day, are not to be put together with those.
        timed = [line["result"] for line in of_kind if line["machine"] == found[0]["machine"]]

        def time(*path, digits, timed=timed):
            return f"{mean(timed, *path):.{digits}f}" if timed else "-"

        def wrong(rate, results=results):
            return ", ".join(
                percent(mean(results, decoding, rate)) for decoding in ("greedy", "beam")
            )

        files = "; ".join(
            f"{form}: {mean(results, 'litert', form, 'bytes') / 1000:,.0f} kB, "
            f"{time('litert', form, 'milliseconds', digits=2)} ms, "
            f"{percent(mean(results, 'litert', form, 'cer'))}"
            for form in results[0]["litert"]
        )
        seconds = (time(f"{name}seconds_per_epoch", digits=1) for name in ("", "processor_"))
        size = "{parameters:,} ({recurrent_parameters:,})".format(**results[0])
        wrongs = wrong("cer"), wrong("wer"), f"{mean(results, 'epochs'):.0f}"
        rows.append((kind, str(len(of_kind)), *wrongs, ", ".join(seconds), size, files))
    columns = ["layer", "seeds", "CER: greedy, beam", "WER: greedy, beam", "epochs"]
    columns += ["s / epoch: clock, processors", "parameters (recurrent)"]
    lines = markdown.table([*columns, "in LiteRT: file, time / image, CER"], rows, text=1)
    return head + lines.replace("---:|\n", "---|\n", 1)


def losses(result):
    """Those of all epochs, but of a long training the first ten and the last."""
    found = [f"{loss:.2f}" for loss in result["val_loss"]]
    return " ".join(found if len(found) <= 12 else [*found[:10], "…", found[-1]])


def runs(known):
    """The table of each run."""

    def key(line):
        settings = line["settings"]
        later = (settings.get(name, "") for name in LATER)
        return settings["data"], *later, settings["layer"], settings["seed"]

    rows = []
    for line in sorted(known.values(), key=key):
        settings, result = line["settings"], line["result"]
        words = f"{settings['data']}, {settings['images']:,} images"
        later = ("yes" if settings.get(name) else "no" for name in LATER)
        date, seconds = line["machine"].split(",")[0], result["processor_seconds_per_epoch"]
        cells = percent(result["greedy"]["cer"]), f"{seconds:.1f} ({date})", losses(result)
        rows.append((words, *later, settings["layer"], settings["seed"], *cells))
    columns = ("words", "normalization", "falling rate", "layer", "seed", "test CER")
    columns += ("processor s / epoch (date)", "validation loss after each epoch")
    return markdown.table(columns, rows)


def tables(known):
    groups = {}
    for line in known.values():
        key = tuple(line["settings"].get(name, "no") for name in SETTINGS)
        groups.setdefault(key, []).append(line)
    summaries = "\n".join(summary(*group) for group in groups.items())
    return {"handwriting": summaries, "handwriting_runs": runs(known)}


EXPERIMENT = Experiment(__doc__, "handwriting", plan, run, tables, lines=lines)

if __name__ == "__main__":
    EXPERIMENT.main()
