"""Names, descriptions and tags that break shells, makefiles and terminals.

Every session appends its friendly name, as one line of JSON, to the file NAMES_OUT if that is set.
The first are those of reference/nox.md, part 3.
"""

import json
import os
import pathlib
import sys

import nox


def ran(session):
    """Tell the test which session this is."""
    if os.environ.get("NAMES_OUT"):
        line = json.dumps(session._runner.friendly_name) + "\n"
        with open(os.environ["NAMES_OUT"], "a", encoding="ascii") as out:
            out.write(line)


def named(name, *parameters, doc=None, tags=None):
    """Register a session called *name* with these decorators of nox.parametrize."""

    def body(session, **_):
        ran(session)

    body.__doc__ = doc
    for parameter in parameters:
        body = parameter(body)
    nox.session(name=name, python=False, tags=tags)(body)


def ids(*names):
    """Return a decorator with one variant for each explicit id."""
    return nox.parametrize("x", [nox.param(name, id=name) for name in names])


# Without environments nox ignores lists of pythons, so those names are spelt out;
# matrix/ has real ones.
named("tests-3.12(all)")
named("unit-3.12(torch_211, tf_latest)")
named("unit-3.8(oauth2client=None)")
named("tests", nox.parametrize("django", ["6.1", ">=4,<5", None]))
named("tests-3.11(django='>=4,<5')")
named("integration_tests_grpcio", nox.parametrize("python,grpcio_version", [("3.9", "1.56.0")]))
named(
    "test",
    nox.parametrize("cython", ["0.29"]),
    nox.parametrize("python", ["3.9"]),
    nox.parametrize("pytest", ["7"]),
)
named("test (blank)", ids("Python 3.12 × Django 5.1"))
named("test(Python 3.12 × Django 5.1)")
named("black", ids("fix"))
named("unit-pypy")
named("s4", nox.parametrize("opts", [["-x", "--cov=a b"]]))
named("s10", nox.parametrize("s", ["it's", "a:b;c|d&e#f", "$(x)", "%", "a=b", "a\tb", "\x1b[31m"]))
named('say "hi" $HOME `id` %d\\n')
named("проверка")

# Quoting: for make, the shell, printf and a terminal.
named("s9", nox.parametrize("p", [pathlib.Path("/a b")]))
named("s5", ids("line\nbreak", "back\\slash", "trailing\\", "cr\r\n", "$$", "${x}", "~", "*?[a]"))
named("$(shell touch noxmk-was-here)")
named("`touch noxmk-was-here`")
named("; touch noxmk-was-here #")
named("-dash")
named("--help")
named("..")
named(".")
named("a/b")
named("/")
named(" blank ")
named("a -> b")
named("* starred")
named("eq=ual")
named("comma,comma")
named("per%cent")
named("col:on")
named("\u202eright to left")
named("\U0001f600")
if os.environ.get("NAMES_SURROGATE"):  # with this name nox's own -s dies, whatever it is to select
    named("lone \udcff surrogate")
named("x" * 200)
named("lint-" + os.path.abspath(sys.executable))

# Names a makefile has already, and words of noxmk's own.
for word in ("Makefile", "noxfile.py", "ci", "nox-list", "all", "check", "clean", "run", "FORCE"):
    named(word)
for word in (".PHONY", ".SUFFIXES", "include", "define", "endef", "ifdef", "export"):
    named(word)

# One slug, or one environment, for several.
named("Lint")
named("lint")
named("lint!")
named("лint")
named("x-1.0")
named("x-1-0")
named("lint-2")
named("a(b)")
named("a", ids("b"))
named("!!!")
named("???")

# One name, or one to nox's eyes, for several.
named("twins", ids("same", "same", "same"))
named("equal", nox.parametrize("x", [1000]), nox.parametrize("y", [7, nox.param(0, id="y=0x7")]))
named("ghost", nox.parametrize("n", []))

# Names that differ in each process.
named("unstable", nox.parametrize("thing", [object(), object()]))
named("mixed", nox.parametrize("names", [{"one", "two", "three", "four"}]))

# Descriptions and tags.
named("doc-make", doc="$(shell touch noxmk-was-here) $$ # not a comment \\")
named("doc-shell", doc="'; touch noxmk-was-here; echo \"`touch noxmk-was-here`")
named("doc-terminal", doc="\x1b]0;title\x07\x1b[2J red \x9b31m \u202e and back")
named("doc-html", doc="<script>alert(1)</script> ]]> &amp; \" '")
named("doc-lines", doc="first line\n\nand a second one")
named("doc-blank", doc="\n\n   ")
named("doc-long", doc="very " * 400 + "long")
named("doc-unicode", doc="naïve – 试 \U0001f600 \udcff")
named("tagged", tags=["ci", "lint", "a b", "$(x)", "tag!", "Tag!", "-t", "", "tests"])
named("tagged-too", tags=["a-b", "all", "метка"])
