"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import pathlib
import secrets
import stat
from collections.abc import Iterator

_LONGEST_NAME = 255  # bytes, of a Linux file system
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def checked_path(path: str | os.PathLike[str]) -> pathlib.Path:
    """The path of a file to write, checked before the work whose result goes there.

    Raises a `ValueError` where a file can be neither made nor replaced.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(
            f"The path must be that of a file. Received the directory: {path}. Add a file's name."
        )
    if path.exists() and not path.is_file():
        raise ValueError(
            f"The path must be that of a file. Received a device or pipe: {path}. Give another."
        )
    if not path.parent.is_dir():
        raise ValueError(
            f"The path must be in a directory that exists. Received: {path}. Make the "
            "directory first."
        )
    return path


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """Gives the path of a temporary file beside `path`, and renames it at the end.

    The temporary file has the same suffix, and nobody can read it who cannot read what it replaces.
    Content and name are on the disk when this returns. If the body raises, `path` stays as it was
    and nothing is left beside it. A writer that is killed leaves `.<name>.incomplete-<number>`.
    Where `path` is a symbolic link, the file that it leads to is replaced. A file that was there
    keeps its permissions.

    Raises:
        OSError: What the body raises, or the renaming; where it names the temporary path, or is of
            a full disk and names none, it now names `path`. Or what is there is no file: renaming
            would replace a device or a pipe.
    """
    target = pathlib.Path(os.path.realpath(path))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "A device or a pipe. Give the path of a file", str(path))
    temporary = _temporary(target)
    try:
        create = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        os.close(os.open(temporary, create, 0o666 if mode is None else stat.S_IMODE(mode)))
        yield temporary
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        _flush(temporary)
        os.replace(temporary, target)
        with contextlib.suppress(OSError):  # some file systems have no such call for folders
            _flush(target.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            no_room = error.errno in _NO_ROOM
            # A full disk is told by the descriptor, without a name.
            if str(error.filename) == str(temporary) or (error.filename is None and no_room):
                why = error.strerror
                if no_room:
                    why = f"{why}. Nothing is written: make room, or write elsewhere"
                raise OSError(error.errno, why, str(path)) from error
        raise


def _temporary(target: pathlib.Path) -> pathlib.Path:
    """A path that no other process or thread has."""
    end = f".incomplete-{secrets.token_hex(8)}{target.suffix}"
    room = _LONGEST_NAME - len(os.fsencode(end)) - 1
    name = os.fsencode(target.stem)[:room].decode(errors="ignore")
    return target.with_name(f".{name}{end}")


def _flush(path: pathlib.Path) -> None:
    """Returns when the file, or the folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
