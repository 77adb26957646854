"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import pathlib
import secrets
import stat


def checked_path(path):
    """The path of a file to write, before the work whose result goes there.

    Raises:
        ValueError: It is that of a directory, a device or a pipe, or in a directory that does not
            exist.
    """
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(f"The path must be that of a file. Received the directory: {path}")
    if path.exists() and not path.is_file():
        raise ValueError(f"The path must be that of a file. Received a device or pipe: {path}")
    if not path.parent.is_dir():
        raise ValueError(f"The path must be in a directory that exists. Received: {path}")
    return path


@contextlib.contextmanager
def replacing(path):
    """Gives a temporary path beside `path`, with the same suffix, and renames it at the end.

    If the body raises, `path` stays as it was and nothing is left beside it. Where `path` is a
    symbolic link, the file that it leads to is replaced. A file that was there keeps its
    permissions.

    Raises:
        OSError: What the body raises, or the renaming; where it names the temporary path, it now
            names `path`. Or what is there is no file: renaming would replace a device or a pipe.
    """
    target = pathlib.Path(os.path.realpath(path))
    mode = target.stat().st_mode if target.exists() else None
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "Not a file, but a device or a pipe", str(path))
    # Short, and of nobody else, whatever the process or the thread.
    temporary = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
    try:
        yield temporary
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and str(error.filename) == str(temporary):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
