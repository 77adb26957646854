"""Runs LiteRT files in a Python of another machine, which has LiteRT and NumPy and nothing else.

    python -m tests.addrnn.lite.run_files DELEGATE answer FOLDER
    python -m tests.addrnn.lite.run_files DELEGATE refuse MODEL.tflite
    python -m tests.addrnn.lite.run_files DELEGATE refuse_integer MODEL.tflite gru|min|dense

`answer`: feeds each NAME.tflite of the folder what NAME.npz holds, by the inputs' names, and writes
the outputs to NAME.answers. `refuse`: the edited files of `tests.addrnn.lite.hostile_files`;
`refuse_integer`: those of `tests.addrnn.lite.hostile_integer_files`. The
delegate is that machine's.
"""

import pathlib
import platform
import sys

import numpy as np

from addrnn import _libraries


def answer(folder):
    from addrnn.lite import Interpreter

    for model in sorted(pathlib.Path(folder).glob("*.tflite")):
        with np.load(model.with_suffix(".npz")) as inputs:
            run = Interpreter(model, num_threads=2).get_signature_runner()
            outputs = run(**inputs)
        with open(model.with_suffix(".answers"), "wb") as file:
            np.savez(file, **outputs)
        print(model.stem, flush=True)


def refuse(model):
    from tests.addrnn.lite import hostile_files

    hostile_files.main(model, "edited")


def refuse_integer(model, kind):
    from tests.addrnn.lite import hostile_integer_files

    hostile_integer_files.main(model, kind, "edited")


def main(delegate, task, *arguments):
    _libraries.LITERT_DELEGATE = pathlib.Path(delegate)
    tasks = {"answer": answer, "refuse": refuse, "refuse_integer": refuse_integer}
    tasks[task](*arguments)
    print(f"done on {platform.machine()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
