"""A small inventory: what lies where, and how much of it."""

from .inventory import Inventory, Line, Shortage
from .quantity import (
    QuantityError,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)
from .store import JsonStore, MemoryStore, SqliteStore, Store, open_store

__all__ = [
    "Inventory",
    "JsonStore",
    "Line",
    "MemoryStore",
    "QuantityError",
    "Shortage",
    "SqliteStore",
    "Store",
    "format_duration",
    "format_size",
    "open_store",
    "parse_duration",
    "parse_size",
]
