"""Write the reference: one HTML page a module, from its docstrings.

Usage: python build.py FOLDER. Fails when something public has no docstring,
or when an example in a docstring or in the README is wrong.
"""

import doctest
import importlib
import inspect
import pkgutil
import pydoc
import sys
from pathlib import Path

import stockroom

README = Path(__file__).parent.parent / "README.md"


def undocumented(module):
    """Yield the names of public functions, classes and methods without a docstring."""
    for name, thing in inspect.getmembers(module):
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(thing):
            yield from (
                f"{module.__name__}.{name}.{method}"
                for method, code in inspect.getmembers(thing, inspect.isfunction)
                if not method.startswith("_") and not inspect.getdoc(code)
            )
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and not inspect.getdoc(thing):
            yield f"{module.__name__}.{name}"


def main(folder):
    """Write all pages into *folder*; return how many things are wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    wrong = doctest.testfile(str(README), module_relative=False, encoding="utf-8").failed
    names = [info.name for info in pkgutil.iter_modules(stockroom.__path__, "stockroom.")]
    for name in ["stockroom", *names]:
        module = importlib.import_module(name)
        for missing in undocumented(module):
            print(f"no docstring: {missing}", file=sys.stderr)
            wrong += 1
        wrong += doctest.testmod(module).failed
        page = pydoc.html.page(pydoc.describe(module), pydoc.html.document(module, name))
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        print(folder / f"{name}.html")
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
