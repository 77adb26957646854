"""Files are replaced whole or not at all, and errors name what the user named."""

import errno
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import pytest

from addrnn import _atomic_file


def test_replaces_the_file(tmp_path):
    path = tmp_path / "table.md"
    path.write_text("old")
    with _atomic_file.replacing(path) as temporary:
        assert temporary.suffix == ".md" and temporary.parent == tmp_path
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("written", [False, True])
def test_stays_as_it_was_where_the_body_fails(tmp_path, error, written):
    path = tmp_path / "table.md"
    path.write_text("old")
    with pytest.raises(error), _atomic_file.replacing(path) as temporary:
        if written:
            temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["n" * 250, "ß" * 125])
def test_the_longest_name(tmp_path, name):
    path = tmp_path / (name + ".json")
    with _atomic_file.replacing(path) as temporary:
        temporary.write_text("content")
    assert path.read_text() == "content"


def test_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with _atomic_file.replacing("table.md") as temporary:
        temporary.write_text("content")
    assert (tmp_path / "table.md").read_text() == "content"


@pytest.mark.parametrize("there", [False, True])
def test_a_link_stays_one(tmp_path, there):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "v2.json", tmp_path / "newest.json"
    if there:
        target.write_text("old")
    link.symlink_to(target)
    with _atomic_file.replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink() and target.read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_threads_do_not_share_the_temporary_file(tmp_path):
    path, wait = tmp_path / "table.md", threading.Barrier(2)

    def write(text):
        with _atomic_file.replacing(path) as temporary:
            temporary.write_text(text)
            wait.wait(10)
            assert temporary.read_text() == text
            wait.wait(10)
        done.append(text)

    done = []
    threads = [threading.Thread(target=write, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == ["one", "two"]
    assert path.read_text() in done
    assert list(tmp_path.iterdir()) == [path]


def _of(tmp_path, kind):
    """A path to which nothing can be written."""
    if kind == "missing":
        return tmp_path / "none" / "table.md"
    (tmp_path / "there").mkdir() if kind == "directory" else (tmp_path / "there").touch()
    return tmp_path / "there" if kind == "directory" else tmp_path / "there" / "table.md"


@pytest.mark.parametrize("kind", ["missing", "directory", "below a file"])
def test_errors_name_the_path(tmp_path, kind):
    path = _of(tmp_path, kind)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError) as raised, _atomic_file.replacing(path) as temporary:
        temporary.write_text("content")
    assert raised.value.filename == str(path)
    assert str(raised.value).endswith(f": '{path}'")
    assert sorted(tmp_path.iterdir()) == before


def test_a_full_disk_is_told_with_the_path_and_loses_nothing(tmp_path):
    path = tmp_path / "table.md"
    path.write_text("old")
    with pytest.raises(OSError, match=r"No space left.*make room.*table\.md") as raised:
        with _atomic_file.replacing(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert raised.value.errno == errno.ENOSPC and raised.value.filename == str(path)
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_other_errors_keep_their_names(tmp_path):
    with pytest.raises(FileNotFoundError) as raised, _atomic_file.replacing(tmp_path / "table.md"):
        (tmp_path / "none.csv").read_text()
    assert raised.value.filename == str(tmp_path / "none.csv")


def test_an_error_without_a_name_is_not_told_of_the_file(tmp_path):
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    with pytest.raises(ConnectionRefusedError) as raised:
        with _atomic_file.replacing(tmp_path / "table.md"):
            raise refused
    assert raised.value is refused and "table" not in str(refused)


def test_checked_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _atomic_file.checked_path("table.md") == pathlib.Path("table.md")
    with pytest.raises(ValueError, match="Received the directory.*Add a file's name"):
        _atomic_file.checked_path(os.curdir)
    with pytest.raises(ValueError, match="a directory that exists. Received: none/table.md"):
        _atomic_file.checked_path("none/table.md")


def test_a_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "secret.json"
    path.touch(0o600)
    with _atomic_file.replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new" and path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604])
def test_nobody_can_read_more_while_a_file_is_replaced(tmp_path, mode):
    path = tmp_path / "secret.json"
    path.touch(mode)
    path.chmod(mode)
    with _atomic_file.replacing(path) as temporary:
        assert temporary.stat().st_mode & 0o777 & ~mode == 0
        temporary.write_text("new")
        assert temporary.stat().st_mode & 0o777 & ~mode == 0
    assert path.stat().st_mode & 0o777 == mode


def test_a_new_file_has_the_permissions_that_any_has(tmp_path):
    path = tmp_path / "table.md"
    with _atomic_file.replacing(path) as temporary:
        temporary.write_text("new")
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_content_and_name_are_on_the_disk_before_it_goes_on(tmp_path, monkeypatch):
    path, calls = tmp_path / "table.md", []
    fsync, replace = os.fsync, os.replace

    def spy(descriptor):
        calls.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    monkeypatch.setattr(os, "replace", lambda *paths: (calls.append("rename"), replace(*paths)))
    with _atomic_file.replacing(path) as temporary:
        temporary.write_text("new")
        assert not calls
    assert calls == [str(temporary), "rename", str(tmp_path)]


def test_what_a_killed_writer_leaves_says_what_it_is(tmp_path):
    code = (
        "import os, signal\n"
        "from addrnn._atomic_file import replacing\n"
        f"with replacing({str(tmp_path / 'table.md')!r}) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code])
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert re.fullmatch(r"\.table\.incomplete-[0-9a-f]{16}\.md", left.name)


def test_a_pipe_stays_one(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(ValueError, match=r"Received a device or pipe: .*pipe\. Give another"):
        _atomic_file.checked_path(path)
    with (
        pytest.raises(OSError, match="device or a pipe. Give.*pipe"),
        _atomic_file.replacing(path) as temporary,
    ):
        temporary.write_text("content")
    assert path.is_fifo() and list(tmp_path.iterdir()) == [path]
