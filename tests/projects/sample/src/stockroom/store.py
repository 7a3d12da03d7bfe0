"""Where an inventory is kept: in memory, in a JSON file or in SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

Row = tuple[str, str, int]


class Store(Protocol):
    """What an inventory asks of the place it is kept in."""

    def get(self, item: str, place: str) -> int:
        """Return how many of *item* lie in *place*."""
        ...

    def put(self, *rows: Row) -> None:
        """Set the counts of all *rows* (item, place, count), or of none of them."""
        ...

    def rows(self) -> Iterator[Row]:
        """Yield every row whose count is not 0, by item and place."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class MemoryStore:
    """Rows in a dictionary; gone with the process."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def get(self, item: str, place: str) -> int:
        """See `Store.get`."""
        return self._counts.get((item, place), 0)

    def put(self, *rows: Row) -> None:
        """See `Store.put`."""
        for item, place, count in rows:
            self._counts[item, place] = count
            if not count:
                del self._counts[item, place]

    def rows(self) -> Iterator[Row]:
        """See `Store.rows`."""
        for (item, place), count in sorted(self._counts.items()):
            yield item, place, count

    def close(self) -> None:
        """See `Store.close`."""


class JsonStore(MemoryStore):
    """Rows in a JSON file, rewritten and renamed at every change."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            super().put(*json.loads(path.read_text(encoding="utf-8")))

    def put(self, *rows: Row) -> None:
        """See `Store.put`."""
        super().put(*rows)
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(json.dumps(list(self.rows()), indent=1), encoding="utf-8")
        os.replace(new, self._path)


class SqliteStore:
    """Rows in a table of an SQLite database."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS stock (item TEXT, place TEXT, count INTEGER NOT NULL,"
            " PRIMARY KEY (item, place)) WITHOUT ROWID"
        )

    def get(self, item: str, place: str) -> int:
        """See `Store.get`."""
        found = self._db.execute(
            "SELECT count FROM stock WHERE item = ? AND place = ?", (item, place)
        ).fetchone()
        return int(found[0]) if found else 0

    def put(self, *rows: Row) -> None:
        """See `Store.put`."""
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO stock VALUES (?, ?, ?)", rows)
            self._db.execute("DELETE FROM stock WHERE count = 0")

    def rows(self) -> Iterator[Row]:
        """See `Store.rows`."""
        yield from self._db.execute("SELECT item, place, count FROM stock ORDER BY item, place")

    def close(self) -> None:
        """See `Store.close`."""
        self._db.close()


def open_store(where: str) -> Store:
    """Return the store named `memory:`, `json:PATH` or `sqlite:PATH`."""
    kind, colon, path = where.partition(":")
    if kind == "memory" and colon and not path:
        return MemoryStore()
    if kind == "json" and path:
        return JsonStore(Path(path))
    if kind == "sqlite" and path:
        return SqliteStore(Path(path))
    raise ValueError(f"not a store: {where!r} (memory:, json:PATH or sqlite:PATH)")
