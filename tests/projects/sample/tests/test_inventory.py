import random
from collections import Counter

import pytest

from stockroom import Inventory, Line, Shortage, open_store


@pytest.fixture
def stock(store):
    return Inventory(store)


def test_receive_issue_move(stock):
    stock.receive("bolt", 40, "shelf")
    stock.move("bolt", 15, "shelf", "van")
    stock.issue("bolt", 25, "shelf")
    assert stock.lines() == [Line("bolt", "van", 15)]
    assert stock.total("bolt") == 15
    assert stock.total("nut") == 0


def test_shortage_changes_nothing(stock):
    stock.receive("bolt", 3, "shelf")
    with pytest.raises(Shortage, match="shelf holds 3 of bolt, not 4"):
        stock.issue("bolt", 4, "shelf")
    with pytest.raises(Shortage):
        stock.move("bolt", 4, "shelf", "shelf")
    stock.move("bolt", 3, "shelf", "shelf")
    assert stock.lines() == [Line("bolt", "shelf", 3)]


@pytest.mark.parametrize(
    ("item", "count", "place"), [("", 1, "shelf"), ("bolt", 1, " "), ("bolt", 0, "shelf")]
)
def test_nonsense(stock, item, count, place):
    with pytest.raises(ValueError):
        stock.receive(item, count, place)


def test_names_are_only_names(stock):
    names = ["Robert'); DROP TABLE stock;--", "Schraube M8 × 40", '"', "a\nb", "%s", "$HOME"]
    for count, name in enumerate(names, 1):
        stock.receive(name, count, name)
    assert stock.lines() == sorted(Line(name, name, n) for n, name in enumerate(names, 1))


@pytest.mark.parametrize("seed", range(10))
def test_against_a_model(stock, seed):
    """Random work on the store and on a Counter must agree, step by step."""
    rng = random.Random(seed)
    model = Counter()
    for _ in range(120):
        item, count = rng.choice("abc"), rng.randint(1, 9)
        source, target = rng.choice("xyz"), rng.choice("xyz")
        enough = model[item, source] >= count
        step = rng.choice(("receive", "issue", "move"))
        if step == "receive":
            stock.receive(item, count, source)
            model[item, source] += count
        elif not enough:
            with pytest.raises(Shortage):
                stock.issue(item, count, source)
        elif step == "issue":
            stock.issue(item, count, source)
            model[item, source] -= count
        else:
            stock.move(item, count, source, target)
            model[item, source] -= count
            model[item, target] += count
        assert stock.lines() == sorted(Line(*key, n) for key, n in model.items() if n)


def test_it_lasts(lasting):
    for count in (1, 2, 3):
        store = open_store(lasting)
        Inventory(store).receive("bolt", count, "shelf")
        store.close()
    assert Inventory(open_store(lasting)).total("bolt") == 6


@pytest.mark.parametrize("where", ["", "memory", "memory:x", "json:", "sqlite:", "paper:x"])
def test_not_a_store(where):
    with pytest.raises(ValueError, match="not a store"):
        open_store(where)
