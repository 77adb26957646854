"""The adding problem: the sum of marked values in a long sequence, by hand and learnt.

By hand: one unit of AddGRU, with weights anybody can check, keeps a number for ten thousand steps
and adds up marked values, as exactly as float32 does. The sigmoid of a GRU is never 0 or 1, and its
tanh never linear, so a GRU set by hand drifts.

Learnt: which layer finds out by itself that it has to add two values that are marked somewhere
among T, and after how many batches?

    python examples/adding_problem.py                     # T = 100: some minutes
    python examples/adding_problem.py --timesteps 50 100 200 400 --seeds 3
"""

import os
import pathlib

import command_line

from keras_addrnn_cli import quiet

OUTPUT = pathlib.Path(os.path.relpath(pathlib.Path(__file__).parent / "output" / "adding"))
LAYERS = ("AddGRU", "multiplying", "GRU", "LSTM", "SimpleRNN")


def parse(arguments=None):
    parser = command_line.Parser(__doc__)
    add = parser.add_argument
    positive = command_line.integer(1)
    add(
        "--timesteps",
        type=command_line.integer(2),
        nargs="+",
        default=[100],
        metavar="T",
        help="lengths of the sequences to learn (100)",
    )
    add("--layers", choices=LAYERS, nargs="+", default=LAYERS, help="which layers learn (all)")
    add("--units", type=positive, default=64, metavar="N", help="units of each layer (64)")
    add(
        "--batches",
        type=positive,
        default=2000,
        metavar="N",
        help="when to give up, rounded up to a multiple of 50 (2000)",
    )
    add("--seeds", type=positive, default=1, metavar="N", help="how often each learns (1)")
    add(
        "--output",
        type=pathlib.Path,
        default=OUTPUT,
        metavar="DIR",
        help="where to draw the curves (examples/output/adding)",
    )
    flags = parser.parse_args(arguments)
    parser.make_output(flags.output)
    return flags


def main(arguments=None):
    flags = parse(arguments)
    # Not at the top: they take seconds to import, and wrong flags are told at once.
    quiet.import_keras()
    import adding_exact
    import adding_report
    import adding_training

    print("By hand: how far the sum of the marked values of T steps is from the true one\n")
    print(adding_report.exact_table(adding_exact.compare([100, 1000, 10_000])))

    print(
        f"\nLearnt: {flags.units} units, batches of {adding_training.BATCH_SIZE}, Adam(0.001), no "
        f"clipping; solved is a mean\nsquared error below {adding_training.SOLVED}, looked at "
        f"every {adding_training.STEPS_PER_EPOCH} batches. Always answering 1 has 0.167.\n"
    )
    print(adding_report.HEAD, flush=True)
    runs = []
    for timesteps in flags.timesteps:
        for kind in flags.layers:
            for seed in range(flags.seeds):
                run = adding_training.train(
                    kind, timesteps, units=flags.units, batches=flags.batches, seed=seed
                )
                runs.append(run)
                print(adding_report.row(run), flush=True)
    curves = flags.output / "curves.png"
    adding_report.save_curves(runs, curves)
    print(f"\ncurves     {curves}")


if __name__ == "__main__":
    command_line.run(main)
