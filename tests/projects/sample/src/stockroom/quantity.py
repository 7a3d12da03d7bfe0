"""Sizes and durations, read and written the way people do."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction
from typing import Final

_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
_SIZE: Final = re.compile(_NUMBER + r" ?([A-Za-z]*)")
_DURATION: Final = re.compile(_NUMBER + r" ?(ms|[dhms])(?![a-z]) ?")

_BINARY: Final = {"TiB": 2**40, "GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
_DECIMAL: Final = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "kB": 10**3, "B": 1, "": 1}
_FACTORS: Final = {**_BINARY, **_DECIMAL}
_MILLISECONDS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


class QuantityError(ValueError):
    """The text is not a size or a duration."""


def parse_size(text: str) -> int:
    """Return how many bytes *text* means.

    >>> parse_size("20 kB")
    20000
    >>> parse_size("1.5KiB")
    1536
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None or match[2] not in _FACTORS:
        raise QuantityError(f"not a size: {text!r}")
    count = Fraction(match[1]) * _FACTORS[match[2]]
    if count.denominator != 1:
        raise QuantityError(f"not a whole number of bytes: {text!r}")
    return int(count)


def format_size(count: int) -> str:
    """Return the shortest exact text for *count* bytes, with at most one decimal.

    >>> [format_size(count) for count in (0, 1000, 1024, 1536, 3 * 2**30)]
    ['0 B', '1000 B', '1 KiB', '1.5 KiB', '3 GiB']
    """
    if count < 0:
        raise QuantityError(f"a size is not negative: {count}")
    for unit, factor in _BINARY.items():
        tenths, rest = divmod(count * 10, factor)
        if rest == 0 and tenths >= 10:
            whole, tenth = divmod(tenths, 10)
            return f"{whole}.{tenth} {unit}" if tenth else f"{whole} {unit}"
    return f"{count} B"


def parse_duration(text: str) -> timedelta:
    """Return the duration that *text* means, to the millisecond.

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    total, at, rest = Fraction(0), 0, text.strip()
    seen = list(_MILLISECONDS)
    while at < len(rest):
        match = _DURATION.match(rest, at)
        if match is None or match[2] not in seen:
            break
        total += Fraction(match[1]) * _MILLISECONDS[match[2]]
        seen = seen[seen.index(match[2]) + 1:]
        at = match.end()
    if at == 0 or at < len(rest):
        raise QuantityError(f"not a duration: {text!r}")
    if total.denominator != 1:
        raise QuantityError(f"finer than a millisecond: {text!r}")
    try:
        return timedelta(milliseconds=int(total))
    except OverflowError as error:
        raise QuantityError(f"too long: {text!r}") from error


def format_duration(duration: timedelta) -> str:
    """Return *duration* in days, hours, minutes, seconds and milliseconds.

    >>> format_duration(timedelta(hours=25, seconds=1))
    '1d 1h 1s'
    """
    rest, finer = divmod(duration, timedelta(milliseconds=1))
    if rest < 0 or finer:
        raise QuantityError(f"negative, or finer than a millisecond: {duration!r}")
    parts = []
    for unit, factor in _MILLISECONDS.items():
        count, rest = divmod(rest, factor)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
