"""One session for each way to end."""

import os
import pathlib
import signal
import sys

import nox

NOISE = b"bell \a, nul \0, bad \xff\xfe \xc3\x28, cr \r, no newline at the end"
NEVER = "noxmk-test-no-such-program"


@nox.session(name="pass", python=False)
def passed(session):
    """Pass."""
    session.run("true")


@nox.session(name="fail", python=False)
def failed(session):
    """Run a command that exits 3."""
    session.run("sh", "-c", "echo before the fall; echo and an error >&2; exit 3")


@nox.session(python=False)
def error(session):
    """Give up with session.error."""
    session.error("no database here")


@nox.session(python=False)
def skip(session):
    """Skip, with a reason."""
    session.skip("not on a Sunday")


@nox.session(python=False)
def raise_exc(session):
    """Raise an exception that nox does not know."""
    raise LookupError("the noxfile's own mistake")


@nox.session(python=False)
def missing_program(session):
    """Run a program that does not exist."""
    session.run(NEVER)


@nox.session(python=False)
def exit7(session):
    """Take the whole of nox down, with a code of its own."""
    raise SystemExit(7)


@nox.session(python=False)
@nox.parametrize("value", [pathlib.PurePosixPath("a b"), {"set"}, object(), int])
def passpath(session, value):
    """Pass, with a parameter for which nox's own --report fails."""
    session.run("true")


@nox.session(python=False)
def killself(session):
    """Kill nox."""
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


@nox.session(python=False)
def killed_command(session):
    """Run a command that dies of a signal."""
    session.run("sh", "-c", "kill -TERM $$")


@nox.session(python=False)
def noisy(session):
    """Print what is not text."""
    session.run(sys.executable, "-c", f"import os; os.write(1, {NOISE!r})")


@nox.session(python=False)
def quiet(session):
    """Print nothing, run nothing."""


nox.options.sessions = ["pass", "fail", "error", "skip", "raise_exc", "missing_program"]
