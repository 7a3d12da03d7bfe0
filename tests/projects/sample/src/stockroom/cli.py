"""The `stockroom` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing

from .inventory import Inventory, Shortage
from .quantity import format_duration, format_size, parse_duration, parse_size
from .store import open_store


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for a shortage or 2 for a mistake in the command."""
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except Shortage as error:
        print(f"stockroom: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"stockroom: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stockroom", description="What lies where?")
    parser.add_argument("--store", default="json:stock.json", help="json:PATH or sqlite:PATH")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, places in (
        ("receive", ["--place"]),
        ("issue", ["--place"]),
        ("move", ["--from", "--to"]),
    ):
        command = commands.add_parser(name)
        command.add_argument("item")
        command.add_argument("count", type=int)
        for place in places:
            command.add_argument(place, required=True, dest=place.strip("-") + "_")
    commands.add_parser("list")
    commands.add_parser("total").add_argument("item")
    commands.add_parser("size").add_argument("text")
    commands.add_parser("duration").add_argument("text")
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.command == "size":
        count = parse_size(options.text)
        print(f"{count} bytes, {format_size(count)}")
        return 0
    if options.command == "duration":
        duration = parse_duration(options.text)
        print(f"{duration.total_seconds():g} seconds, {format_duration(duration)}")
        return 0
    with closing(open_store(options.store)) as store:
        stock = Inventory(store)
        if options.command == "receive":
            stock.receive(options.item, options.count, options.place_)
        elif options.command == "issue":
            stock.issue(options.item, options.count, options.place_)
        elif options.command == "move":
            stock.move(options.item, options.count, options.from_, options.to_)
        elif options.command == "total":
            print(stock.total(options.item))
        else:
            for line in stock.lines():
                print(f"{line.count:8} {line.item} ({line.place})")
    return 0
