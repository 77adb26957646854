"""The command line that the demonstrations share."""

import pytest
from common import command_line


def test_interrupted(capsys):
    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        command_line.run(main)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


def test_epochs():
    assert [command_line.epochs(count) for count in (1, 2)] == ["1 epoch", "2 epochs"]
