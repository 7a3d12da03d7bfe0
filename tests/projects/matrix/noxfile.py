"""Pythons, parameters and tags.

A python that is missing (3.99 always is) makes nox skip the session; with CI set, fail it.
"""

import nox

nox.options.sessions = ["tests", "numpy", "ignored", "lint"]
if hasattr(nox.options, "download_python"):  # 2025.10.14; nothing is to be downloaded
    nox.options.download_python = "never"

DATABASES = [nox.param("sqlite", id="sqlite"), nox.param("postgres", id="pg")]


@nox.session(python=["3.11", "3.99"], tags=["tests"])
@nox.parametrize("django", ["4.2", "5.1"])
def tests(session, django):
    """Real environments, one of them for a python that is not there."""
    session.run("python", "--version")


@nox.session(python=["3.8", "3.9", "3.10", "3.11", "3.12", "3.99", "pypy3.10"], tags=["tests"])
@nox.parametrize("django", ["4.2", "5.1"])
@nox.parametrize("db", DATABASES)
def grid(session, django, db):
    """28 variants; for lists, as it takes a while to run."""
    session.run("python", "--version")


@nox.session(venv_backend="none", tags=["static"])
@nox.parametrize(
    "python,numpy", [("3.10", "1.26"), ("3.12", "2.0"), nox.param("3.12", "2.1", id="newest")]
)
def numpy(session, numpy):
    """A python that is a parameter."""
    session.run("echo", str(session.python), numpy)


@nox.session(python=["3.11", "3.12"], venv_backend="none", tags=["static"])
@nox.parametrize("db", DATABASES)
def ignored(session, db):
    """Without an environment nox ignores the list."""
    session.run("echo", str(session.python), db)


@nox.session(python="3.99", tags=["static", "slow"])
def missing(session):
    """One python, which is not there."""
    session.run("python", "--version")


@nox.session(python=False, tags=["static", "fast"])
def lint(session):
    """No python."""
    session.run("echo", "lint")
