import random
from datetime import timedelta

import pytest

from stockroom import (
    QuantityError,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("17", 17), ("17B", 17), ("2 kB", 2000), (" 1.5 KiB ", 1536), ("0.5TiB", 2**39)],
)
def test_size(text, count):
    assert parse_size(text) == count


@pytest.mark.parametrize(
    "text", ["", "KiB", "-1", "1 kb", "1  B", "1.B", ".5 KiB", "0.5", "1.0001 KiB", "1 B B", "²"]
)
def test_not_a_size(text):
    with pytest.raises(QuantityError):
        parse_size(text)


def test_size_round_trip():
    rng = random.Random(20240415)
    for bits in range(50):
        for _ in range(400):
            count = rng.getrandbits(bits + 1)
            assert parse_size(format_size(count)) == count
            step = count << rng.choice((0, 10, 20, 30))
            assert parse_size(format_size(step)) == step


def test_size_is_as_short_as_it_can_be():
    for whole in range(1, 1024):
        assert format_size(whole * 2**20) == f"{whole} MiB"
        assert format_size(whole * 2**20 + 2**19) == f"{whole}.5 MiB"


def test_negative_size():
    with pytest.raises(QuantityError, match="negative"):
        format_size(-1)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("0s", 0), ("1ms", 1), ("1.5s", 1500), ("1h30m", 5_400_000), ("1d 1 ms", 86_400_001)],
)
def test_duration(text, milliseconds):
    assert parse_duration(text) == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    "text",
    ["", "1", "s", "-1s", "1m1h", "1s1s", "1 h x", "1hour", "0.0001s", "1y", "99999999999d"],
)
def test_not_a_duration(text):
    with pytest.raises(QuantityError):
        parse_duration(text)


def test_duration_round_trip():
    rng = random.Random(20221121)
    for digits in range(1, 12):
        for _ in range(1000):
            duration = timedelta(milliseconds=rng.randrange(10**digits))
            assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize("duration", [timedelta(seconds=-1), timedelta(microseconds=1500)])
def test_duration_that_has_no_text(duration):
    with pytest.raises(QuantityError):
        format_duration(duration)
