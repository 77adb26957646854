"""What the examples' command lines share."""

import pytest


def test_interrupted(capsys):
    import command_line

    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        command_line.run(main)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "\ninterrupted\n"


def test_epochs():
    import command_line

    assert [command_line.epochs(count) for count in (1, 2)] == ["1 epoch", "2 epochs"]
