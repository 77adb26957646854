"""Handwritten words with CTC: AddGRU beside Keras' GRU and LSTM, then LiteRT.

Convolutions read a word image of 128 by 32 pixels, two bidirectional recurrent layers go along it,
and CTC turns 32 steps into a text. Trains each network, prints error rates, draws what they read,
and converts them. An interrupted training goes on where it was when the same command comes again.

    python examples/handwriting                              # numbers, composed of MNIST's digits
    python examples/handwriting --data fonts                 # English words in free fonts
    python examples/handwriting --data iam --data-dir DIR    # the IAM database, see iam_words.py
    tensorboard --logdir examples/output/handwriting         # how training goes
"""

import os
import pathlib
import sys

# Before TensorFlow is first imported: it reads them then.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The package itself and its neighbours: Python put this directory there, which holds parts alone.
sys.path[0] = str(pathlib.Path(__file__).resolve().parents[1])

from command_line import Parser, integer, run  # noqa: E402

EXAMPLES = pathlib.Path(os.path.relpath(pathlib.Path(__file__).resolve().parents[1]))
OUTPUT = EXAMPLES / "output" / "handwriting"
LAYERS = ("AddGRU", "GRU", "LSTM")


def parse(arguments=None):
    parser = Parser(__doc__)
    add = parser.add_argument
    add("--layer", choices=(*LAYERS, "all"), default="all", help="the recurrent layers (all)")
    add("--data", choices=("digits", "fonts", "iam"), default="digits", help="the words (digits)")
    add(
        "--data-dir",
        type=pathlib.Path,
        metavar="DIR",
        help="for digits the four IDX files of MNIST (tensorflow-datasets or the digits of this "
        "repository unless given); for iam words.txt and words/ as distributed",
    )
    add(
        "--images",
        type=integer(1),
        default=10_000,
        metavar="N",
        help="images to compose for training, of digits and fonts; a tenth more each to validate "
        "and to test (10000)",
    )
    add("--epochs", type=integer(1), default=30, metavar="N", help="at most (30)")
    add("--seed", type=integer(0, 2**32 - 1), default=0, metavar="N", help="random seed (0)")
    add(
        "--output",
        type=pathlib.Path,
        default=OUTPUT,
        metavar="DIR",
        help="where to write datasets, models, logs and the picture (examples/output/handwriting)",
    )
    flags = parser.parse_args(arguments)
    if os.environ["KERAS_BACKEND"] != "tensorflow":
        parser.error(
            f"this example reads tf.data, ends in LiteRT and needs KERAS_BACKEND=tensorflow, got "
            f"'{os.environ['KERAS_BACKEND']}'"
        )
    if flags.data == "iam" and flags.data_dir is None:
        parser.error("--data iam needs --data-dir, with words.txt and words/ of the IAM database")
    if flags.data == "fonts" and flags.data_dir is not None:
        parser.error("--data fonts takes no --data-dir: its fonts are those of the system")
    if flags.data_dir is not None and not flags.data_dir.is_dir():
        parser.error(f"argument --data-dir: '{flags.data_dir}' is not a directory")
    try:
        flags.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"argument --output: cannot use '{flags.output}': {error.strerror}")
    if not os.access(flags.output, os.W_OK):
        parser.error(f"argument --output: cannot write in '{flags.output}'")
    return flags, parser


def main(arguments=None):
    flags, parser = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    import mnist_data

    import keras_addrnn as ka
    from handwriting import evaluation, pipeline, report, sources, training
    from handwriting.datasets import words
    from keras_addrnn.files import replacing

    try:
        data = sources.load(
            flags.data,
            data_dir=flags.data_dir,
            images=flags.images,
            seed=flags.seed,
            directory=flags.output / "datasets",
        )
    except (words.DataError, mnist_data.DataError) as error:
        parser.error(error)
    why_not = ka.info()["why_not"]
    alphabet = data.alphabet()
    sizes = "{:,} images to train on, {:,} to validate, {:,} to test".format(*data.sizes)
    print(
        "Handwritten words: AddGRU beside Keras' GRU and LSTM\n\n"
        f"words      {sizes}\n"
        f"           {data.source}\n"
        f"characters {''.join(alphabet.characters)}\n"
        f"training   {flags.epochs} epochs at most in batches of {pipeline.BATCH_SIZE}, "
        f"Adam({training.LEARNING_RATE}), seed {flags.seed}\n"
        f"fused op   {'in use' if why_not is None else f'not in use: {why_not}'}"
    )
    train = pipeline.batches(data.train, alphabet, shuffle_seed=flags.seed)
    validation = pipeline.batches(data.validation, alphabet)
    images, texts = pipeline.arrays(data.test)
    read, results = {}, []
    for kind in LAYERS if flags.layer == "all" else (flags.layer,):
        print(f"\n{kind}", flush=True)
        run = training.train(
            kind,
            alphabet.size,
            train,
            validation,
            epochs=flags.epochs,
            seed=flags.seed,
            directory=flags.output / f"{flags.data}_{kind.lower()}",
        )
        read[kind], result = evaluation.evaluate(run, images, texts, alphabet)
        results.append(result)
        file = flags.output / f"{flags.data}_{kind.lower()}.keras"
        with replacing(file) as temporary:
            run.model.save(temporary)
    print("\n" + report.table(results, evaluation.recurrent_milliseconds(seconds=5)))
    picture = flags.output / f"{flags.data}.png"
    report.save_picture(picture, images, texts, read, title=data.source)
    print(f"picture    {picture}\nmodels     {flags.output}/{flags.data}_*.keras")


if __name__ == "__main__":
    run(main)
