"""The store under test: STOCKROOM_BACKEND is memory (default), json or sqlite."""

import os
from contextlib import closing

import pytest

from stockroom import open_store

BACKEND = os.environ.get("STOCKROOM_BACKEND", "memory")


@pytest.fixture
def where(tmp_path):
    """What to call the store of this test."""
    return "memory:" if BACKEND == "memory" else f"{BACKEND}:{tmp_path / 'stock'}"


@pytest.fixture
def store(where):
    """An empty store."""
    with closing(open_store(where)) as store:
        yield store


@pytest.fixture
def lasting(where):
    """The name of a store that outlives its process; else the test is skipped."""
    if BACKEND == "memory":
        pytest.skip("kept in memory only")
    return where
