"""Makes the backup of `keras.callbacks.BackupAndRestore` whole, so that a training can go on."""

import contextlib
import json
import shutil

import h5py

WEIGHTS, METADATA = "latest.weights.h5", "training_metadata.json"


def epochs_done(backup):
    """The epochs that a training has behind it, by its backup; 0 where there is none.

    A process may be killed while `BackupAndRestore(double_checkpoint=True)` writes. The callback
    fails on some of the files that this leaves. So a file that is not whole is replaced here by the
    backup before it, or removed where there is no other.

    Args:
        backup: `pathlib.Path` of the callback's directory.
    """
    for suffix in ("", ".bkp"):
        weights, metadata = backup / (WEIGHTS + suffix), backup / (METADATA + suffix)
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # not there; not whole
            h5py.File(weights).close()
            epoch = json.loads(metadata.read_text())["epoch"]
            if suffix:
                shutil.copy(weights, backup / WEIGHTS)
                shutil.copy(metadata, backup / METADATA)
            return epoch
    remove(backup)
    return 0


def remove(*paths):
    """Removes files and directories, as far as they are there."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
