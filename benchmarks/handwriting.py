"""AddGRU, GRU and LSTM on handwritten words: error rates, time, size, and the same in LiteRT.

The networks and the training are those of examples/handwriting. Appends a line of JSON for each
training to benchmarks/results/handwriting.jsonl as soon as it is through, unless there is one. The
tables are made from all of them, the picture from those with the settings given.

    python benchmarks/handwriting.py --data digits --data-dir DIR --images 10000 --epochs 30
    python benchmarks/handwriting.py --data fonts --images 10000 --epochs 30
    python benchmarks/handwriting.py --tables            # from what is recorded already
    python benchmarks/evidence.py                        # then those of docs/evidence.md
"""

import argparse
import datetime
import os
import pathlib
import statistics
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "examples"))

import machine
import records
import resuming
from handwriting import evaluation, model, pipeline, report, sources, training

RESULTS = pathlib.Path(__file__).parent / "results"
RECORDS = RESULTS / "handwriting.jsonl"
# Images are composed once; a training that was interrupted goes on from here.
UNFINISHED = pathlib.Path(__file__).parents[1] / "build" / "handwriting"
# What a table puts together: trainings that differ in the layer and the seed alone.
SETTINGS = ("data", "source", "images", "test_images", "epochs_at_most", "learning_rate")
# The first records have neither normalization after each recurrent layer nor a rate that falls.
SETTINGS += ("batch_size", "normalization", "rate")


def record(options):
    """Trains each network with each seed, in turn, and appends what came of it."""
    words = sources.load(
        options.data,
        data_dir=options.data_dir,
        images=options.images,
        seed=0,
        directory=UNFINISHED,
    )
    alphabet = words.alphabet()
    images, texts = pipeline.arrays(words.test)
    validation = pipeline.batches(words.validation, alphabet)
    settings = {
        "data": options.data,
        "source": words.source.replace(f" in {options.data_dir}", ""),
        "images": words.sizes[0],
        "test_images": words.sizes[2],
        "epochs_at_most": options.epochs,
        "learning_rate": training.LEARNING_RATE,
        "batch_size": pipeline.BATCH_SIZE,
        "normalization": "layer",
        "rate": "falling",
    }
    for seed in range(options.seeds):
        for kind in options.layers:
            about = {**settings, "seed": seed}
            if kind == "AddGRU":
                about["gate_bias"] = model.GATE_BIAS
            if any(
                about.items() <= entry.items() and entry["layer"] == kind
                for entry in records.lines(RECORDS)
            ):
                continue
            directory = training.directory_of(UNFINISHED, words, kind, options.epochs, seed)
            run = training.train(
                kind,
                alphabet,
                pipeline.batches(words.train, alphabet, shuffle_seed=seed),
                validation,
                epochs=options.epochs,
                seed=seed,
                directory=directory,
            )
            answers, result = evaluation.evaluate(run, images, texts, alphabet)
            records.record(
                RECORDS,
                {
                    **about,
                    "machine": machine.description(),
                    **result,
                    "read": answers[: report.DRAWN],
                },
            )
            # Its name does not cover the network: another one would be taken for trained.
            resuming.remove(directory)
    read = readings(settings)
    if read:
        picture = RESULTS / f"handwriting_{options.data}.png"
        report.save_picture(picture, images, texts, read, title=settings["source"])


def readings(settings):
    """What each layer read in the first test images, after training with the same seed.

    Returns:
        Dict from the layer to the list of texts, of the first seed that has all layers. Empty where
        none has: the first records do not say what was read.
    """
    seeds = {}
    for entry in records.lines(RECORDS):
        of_example = entry["layer"] in model.LAYERS  # not one that it had before
        if of_example and settings.items() <= entry.items() and "read" in entry:
            seeds.setdefault(entry["seed"], {})[entry["layer"]] = entry["read"]
    whole = [seed for seed, read in seeds.items() if len(read) == len(model.LAYERS)]
    return {kind: seeds[min(whole)][kind] for kind in model.LAYERS} if whole else {}


def tables():
    """All records as Markdown."""
    groups = {}
    for entry in records.lines(RECORDS):
        groups.setdefault(tuple(entry.get(name, "no") for name in SETTINGS), []).append(entry)
    return "\n".join(table(*item) for item in groups.items())


def mean(entries, *path):
    """Of what lies at the path in each entry."""
    for name in path:
        entries = [entry[name] for entry in entries]
    return statistics.mean(entries)


def table(settings, entries):
    """The table of one group."""
    about = dict(zip(SETTINGS, settings, strict=True))
    rate = about["learning_rate"] if about["rate"] == "no" else f"{about['learning_rate']}, falling"
    lines = [
        f"{about['data']}: {about['source']}. {about['images']:,} images to train on, "
        f"{about['test_images']:,} to test; {about['epochs_at_most']} epochs at most, batches of "
        f"{about['batch_size']}, Adam({rate}), "
        f"{about['normalization']} normalization. Times: {entries[0]['machine']}.\n",
        "| layer | seeds | CER: greedy, beam | WER: greedy, beam | epochs "
        "| s / epoch: clock, processors | parameters (recurrent) "
        "| in LiteRT: file, time / image, CER |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for kind in dict.fromkeys(entry["layer"] for entry in entries):
        of_kind = [entry for entry in entries if entry["layer"] == kind]

        # Times of another machine, or day, are not to be put together with those.
        timed = [entry for entry in of_kind if entry["machine"] == entries[0]["machine"]]

        def time(*path, digits, timed=timed):
            return f"{mean(timed, *path):.{digits}f}" if timed else "-"

        files = "; ".join(
            f"{form}: {mean(of_kind, 'litert', form, 'bytes') / 1000:,.0f} kB, "
            f"{time('litert', form, 'milliseconds', digits=2)} ms, "
            f"{report.percent(mean(of_kind, 'litert', form, 'cer'))}"
            for form in of_kind[0]["litert"]
        )
        wrong = {
            rate: ", ".join(
                report.percent(mean(of_kind, decoding, rate)) for decoding in ("greedy", "beam")
            )
            for rate in ("cer", "wer")
        }
        lines.append(
            f"| {kind} | {len(of_kind)} | {wrong['cer']} | {wrong['wer']} "
            f"| {mean(of_kind, 'epochs'):.0f} "
            f"| {time('seconds_per_epoch', digits=1)}, "
            f"{time('processor_seconds_per_epoch', digits=1)} "
            f"| {of_kind[0]['parameters']:,} ({of_kind[0]['recurrent_parameters']:,}) | {files} |"
        )
    return "\n".join(lines) + "\n"


def recurrent_part(seconds):
    """The recurrent part of a training step alone, as a table."""
    times = evaluation.recurrent_milliseconds(model.LAYERS, seconds)
    lines = [
        f"The two bidirectional layers alone, forward and backward, a batch of "
        f"{pipeline.BATCH_SIZE}, one thread, layers in turn. {datetime.date.today()}.\n",
        "| layer | median, ms | / AddGRU |",
        "|---|---:|---:|",
    ]
    for kind, milliseconds in times.items():
        lines.append(f"| {kind} | {milliseconds:.1f} | {milliseconds / times['AddGRU']:.1f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=("digits", "fonts", "iam"), default="digits")
    parser.add_argument("--data-dir", type=pathlib.Path, help="as for examples/handwriting")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--layers", nargs="+", choices=model.LAYERS, default=list(model.LAYERS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--seconds",
        type=float,
        default=30,
        help="for the recurrent part alone; 0 leaves it as it is recorded",
    )
    parser.add_argument("--tables", action="store_true", help="train nothing")
    options = parser.parse_args()
    if options.data == "iam" and options.data_dir is None and not options.tables:
        parser.error("--data iam needs --data-dir, with words.txt and words/ of the IAM database")
    RESULTS.mkdir(exist_ok=True)
    if not options.tables:
        machine.use_threads(1)
        record(options)
    if options.seconds and not options.tables:
        machine.write(RESULTS / "handwriting_recurrent.md", recurrent_part(options.seconds))
    text = tables() + "\n" + (RESULTS / "handwriting_recurrent.md").read_text()
    machine.write(RESULTS / "handwriting.md", text)
    print(text)


if __name__ == "__main__":
    main()
