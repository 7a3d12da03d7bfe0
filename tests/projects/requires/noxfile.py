"""Sessions that need others; without requires= (nox before 2025.02.09) just the sessions.

Each appends its name to the file RUNS_OUT if that is set: nothing may run twice.
"""

import inspect
import os

import nox

KNOWS_REQUIRES = "requires" in inspect.signature(nox.session).parameters


def needs(*names):
    """Return requires=names if this nox knows it."""
    return {"requires": list(names)} if KNOWS_REQUIRES else {}


def ran(session):
    """Tell the test that this session runs."""
    if os.environ.get("RUNS_OUT"):
        with open(os.environ["RUNS_OUT"], "a", encoding="utf-8") as out:
            out.write(f"{session._runner.friendly_name}\n")


@nox.session(python=False, **needs("build"))
@nox.parametrize("part", [nox.param("a", id="a"), nox.param("b", id="b")])
def tests(session, part):
    """Needs build, which is defined later."""
    ran(session)


@nox.session(python=False)
def build(session):
    """Needed by two, run once."""
    session.run("sh", "-c", "echo building")
    ran(session)


@nox.session(python=False, **needs("tests"))
def report(session):
    """Needs all variants of tests."""
    ran(session)


@nox.session(python=False, **needs("needs_broken"))
def needs_needs_broken(session):
    """Never runs."""
    ran(session)


@nox.session(python=False, **needs("broken"))
def needs_broken(session):
    """Never runs."""
    ran(session)


@nox.session(python=False)
def broken(session):
    """Fails."""
    ran(session)
    session.run("sh", "-c", "exit 5")


@nox.session(python=False, **needs("skipped"))
def needs_skipped(session):
    """Runs: to nox, skipped is as good as passed."""
    ran(session)


@nox.session(python=False)
def skipped(session):
    """Skips."""
    ran(session)
    session.skip("nothing to do")


nox.options.sessions = ["report", "build", "needs_skipped"]
