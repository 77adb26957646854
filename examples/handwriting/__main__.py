"""Handwritten words with CTC: AddGRU beside Keras' GRU and LSTM, then LiteRT.

Convolutions read a word image of 128 by 32 pixels, two bidirectional recurrent layers go along it,
and CTC turns 32 steps into a text. A LayerNormalization follows each recurrent layer, of all three
kinds. Trains each network, converts it for LiteRT, prints error rates, and draws the texts they
read.

The same command again goes on where it was interrupted; what is trained already is not trained
again. On one core 6,000 images take AddGRU 10 seconds an epoch, the other two 20: the default takes
40 minutes.

    python examples/handwriting                              # numbers, composed of MNIST's digits
    python examples/handwriting --data fonts                 # English words in free fonts
    python examples/handwriting --data iam --data-dir DIR    # the IAM database, see README.md
    python examples/handwriting --layers AddGRU --images 1000 --epochs 10    # a minute or two
    tensorboard --logdir examples/output/handwriting         # how training goes
"""

import json
import os
import pathlib
import sys

# Before TensorFlow is first imported: it reads them then.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if not __package__:  # run as a folder, which Python put there, and not its neighbors
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from common import digits  # noqa: E402
from common.command_line import Parser, epochs, integer, run  # noqa: E402

LAYERS = ("AddGRU", "GRU", "LSTM")


def parse(arguments=None):
    parser = Parser(__doc__)
    add = parser.add_argument
    add("--layers", choices=LAYERS, nargs="+", default=LAYERS, help="the recurrent layers (all)")
    add("--data", choices=("digits", "fonts", "iam"), default="digits", help="the words (digits)")
    add(
        "--data-dir",
        type=pathlib.Path,
        metavar="DIR",
        help="for digits the four IDX files of MNIST (the digits of this repository unless given); "
        "for iam words.txt and words/ as distributed",
    )
    add(
        "--images",
        type=integer(1),
        default=10_000,
        metavar="N",
        help="images to compose for training, of digits and fonts; a tenth more each to validate "
        "and to test (10000; iam has as many as it has)",
    )
    add("--epochs", type=integer(1), default=30, metavar="N", help="at most (30)")
    add("--seed", type=integer(0, 2**32 - 1), default=0, metavar="N", help="random seed (0)")
    parser.add_output("handwriting", "datasets, models, logs and the picture")
    flags = parser.parse_args(arguments)
    parser.require_tensorflow()
    if flags.data == "iam" and flags.data_dir is None:
        parser.error("--data iam needs --data-dir, with words.txt and words/ of the IAM database")
    if flags.data == "fonts" and flags.data_dir is not None:
        parser.error("--data fonts takes no --data-dir: its fonts are those of the system")
    if flags.data_dir is not None and not flags.data_dir.is_dir():
        parser.error(f"argument --data-dir: '{flags.data_dir}' is not a directory")
    return flags, parser


def main(arguments=None):
    flags, parser = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    import keras_addrnn as ka
    from handwriting import evaluation, pipeline, report, sources, training

    print(
        "Handwritten words: AddGRU beside Keras' GRU and LSTM\n\n"
        "reads the images, and makes them first where they are not there yet",
        flush=True,
    )
    try:
        data = sources.load(
            flags.data,
            data_dir=flags.data_dir,
            images=flags.images,
            seed=flags.seed,
            directory=flags.output / "datasets",
        )
    except digits.DataError as error:
        parser.fail(error)
    why_not = ka.info()["why_not"]
    alphabet = data.alphabet()
    sizes = "{:,} images to train on, {:,} to validate, {:,} to test".format(*data.sizes)
    print(
        f"words      {sizes}\n"
        f"           {data.source}\n"
        f"characters {''.join(alphabet.characters)}\n"
        f"training   {epochs(flags.epochs)} at most in batches of {pipeline.BATCH_SIZE}, "
        f"Adam({training.LEARNING_RATE}, falling), seed {flags.seed}\n"
        f"fused op   {'in use' if why_not is None else f'not in use: {why_not}'}"
    )
    validation = pipeline.batches(data.validation, alphabet)
    images, texts = pipeline.arrays(data.test)
    read, results = {}, []
    for kind in dict.fromkeys(flags.layers):
        print(f"\n{kind}", flush=True)
        run = training.train(
            kind,
            alphabet,
            # Anew for each: their order goes on from one epoch to the next, of whatever network.
            pipeline.batches(data.train, alphabet, shuffle_seed=flags.seed),
            validation,
            epochs=flags.epochs,
            seed=flags.seed,
            directory=training.directory_of(flags.output, data, kind, flags.epochs, flags.seed),
        )
        print("reads the test images, with Keras and with LiteRT", flush=True)
        read[kind], result = evaluation.evaluate(run, images, texts, alphabet)
        results.append(result)
        recorded = {**result, "read": read[kind][: report.DRAWN]}
        (run.directory / "results.json").write_text(json.dumps(recorded))
    print("measures the recurrent parts alone", flush=True)
    print("\n" + report.table(results, evaluation.recurrent_milliseconds(read)))
    picture = training.directory_of(
        flags.output, data, "_".join(read), flags.epochs, flags.seed
    ).with_suffix(".png")
    report.save_picture(picture, images, texts, read, title=data.source)
    print(
        f"picture    {picture}\nmodels     {picture.parent}/*_epochs{flags.epochs}_seed{flags.seed}"
    )


if __name__ == "__main__":
    run(main)
