"""What `keras.callbacks.BackupAndRestore` left behind, so that an interrupted training goes on."""

import contextlib
import json
import shutil

import h5py

WEIGHTS, METADATA = "latest.weights.h5", "training_metadata.json"


def mend(backup):
    """Makes the callback's folder whole, or removes it.

    A process may be killed while `BackupAndRestore(double_checkpoint=True)` writes, and not all
    that this leaves does the callback get over. Then the backup before it takes its place.
    """
    for suffix in ("", ".bkp"):
        weights, metadata = backup / (WEIGHTS + suffix), backup / (METADATA + suffix)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # not there; not whole
            h5py.File(weights).close()
            json.loads(metadata.read_text())["epoch"]
            if suffix:
                shutil.copy(weights, backup / WEIGHTS)
                shutil.copy(metadata, backup / METADATA)
            return
    shutil.rmtree(backup, ignore_errors=True)
