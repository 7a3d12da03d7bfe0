import pytest

from stockroom.cli import main


def test_a_day_at_work(lasting, capsys):
    for words in (
        "receive bolt 40 --place shelf",
        "receive nut 7 --place shelf",
        "move bolt 15 --from shelf --to van",
        "issue bolt 5 --place van",
        "list",
        "total bolt",
    ):
        assert main(["--store", lasting, *words.split()]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "      25 bolt (shelf)",
        "      10 bolt (van)",
        "       7 nut (shelf)",
        "35",
    ]


def test_shortage(where, capsys):
    assert main(["--store", where, "issue", "bolt", "1", "--place", "van"]) == 1
    assert capsys.readouterr().err == "stockroom: van holds 0 of bolt, not 1\n"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["size", "1.5 MiB"], "1572864 bytes, 1.5 MiB\n"),
        (["duration", "90m"], "5400 seconds, 1h 30m\n"),
    ],
)
def test_quantities(words, out, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out == out


@pytest.mark.parametrize(
    "words",
    [["size", "big"], ["--store", "paper:x", "list"], ["--store", "json:/nowhere/x", "list", "x"]],
)
def test_mistakes(words, capsys):
    try:
        code = main(words)
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert "stockroom:" in capsys.readouterr().err
