"""The rules of the stockroom."""

from __future__ import annotations

from dataclasses import dataclass

from .store import Store


class Shortage(Exception):
    """More was asked of a place than it holds."""


@dataclass(frozen=True, order=True)
class Line:
    """So many of an item in one place."""

    item: str
    place: str
    count: int


class Inventory:
    """What lies where; every change is checked before it is stored."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def receive(self, item: str, count: int, place: str) -> None:
        """Put *count* of *item* into *place*."""
        _check(item, count, place)
        self._store.put((item, place, self._store.get(item, place) + count))

    def issue(self, item: str, count: int, place: str) -> None:
        """Take *count* of *item* out of *place*."""
        _check(item, count, place)
        self._store.put((item, place, self._left(item, count, place)))

    def move(self, item: str, count: int, source: str, target: str) -> None:
        """Carry *count* of *item* from *source* to *target*, in one step."""
        _check(item, count, source, target)
        left = self._left(item, count, source)
        if source != target:
            there = self._store.get(item, target)
            self._store.put((item, source, left), (item, target, there + count))

    def total(self, item: str) -> int:
        """Return how many of *item* there are in all places."""
        return sum(line.count for line in self.lines() if line.item == item)

    def lines(self) -> list[Line]:
        """Return everything there is, by item and place."""
        return [Line(*row) for row in self._store.rows()]

    def _left(self, item: str, count: int, place: str) -> int:
        here = self._store.get(item, place)
        if here < count:
            raise Shortage(f"{place} holds {here} of {item}, not {count}")
        return here - count


def _check(item: str, count: int, *places: str) -> None:
    if not all(name.strip() for name in (item, *places)):
        raise ValueError("items and places need a name")
    if count < 1:
        raise ValueError(f"not a count: {count}")
