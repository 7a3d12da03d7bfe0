"""Sessions that ask for others once they have run.

Each appends its name and posargs to the file RUNS_OUT if that is set: what two ask for runs once.
"""

import os

import nox

nox.options.sessions = ["unit", "integration"]


def ran(session):
    """Tell the test that this session runs."""
    if os.environ.get("RUNS_OUT"):
        with open(os.environ["RUNS_OUT"], "a", encoding="utf-8") as out:
            out.write(" ".join([session._runner.friendly_name, *session.posargs]) + "\n")


@nox.session(python=False)
def coverage(session):
    """Asked for by unit and integration."""
    ran(session)


@nox.session(python=False)
def unit(session):
    """Asks for coverage."""
    ran(session)
    session.notify("coverage")


@nox.session(python=False)
def integration(session):
    """Asks for coverage, too."""
    ran(session)
    session.notify("coverage")


@nox.session(python=False)
def with_posargs(session):
    """Asks for upload with arguments for it."""
    ran(session)
    session.notify("upload", posargs=["--from", "with posargs", "$(x)"])


@nox.session(python=False)
def without_posargs(session):
    """Asks for upload without the arguments it has got itself."""
    ran(session)
    session.notify("upload", posargs=[])


@nox.session(python=False)
def upload(session):
    """Prints its arguments."""
    ran(session)


@nox.session(python=False)
def chain(session):
    """Asks for link, which asks for coverage."""
    ran(session)
    session.notify("link")


@nox.session(python=False)
def link(session):
    """Asks for coverage when asked for."""
    ran(session)
    session.notify("coverage")


@nox.session(python=False)
def circle(session):
    """Asks for itself, which nox ignores."""
    ran(session)
    session.notify("circle")


@nox.session(python=False)
def variants(session):
    """Asks for shards: nox runs the first of them."""
    ran(session)
    session.notify("shards")


@nox.session(python=False)
@nox.parametrize("n", [1, 2])
def shards(session, n):
    """Two variants."""
    ran(session)


@nox.session(python=False)
def helper(session):
    """Asks by a name that is not in its own code."""
    ran(session)
    session.notify("".join(["cover", "age"]))


@nox.session(python=False)
def unknown(session):
    """Asks for a session that does not exist, and fails."""
    ran(session)
    session.notify("no_such_session")


@nox.session(python=False)
def fails_after(session):
    """Asks for coverage, then fails: coverage runs all the same."""
    ran(session)
    session.notify("coverage")
    session.run("sh", "-c", "exit 4")


@nox.session(python=False)
def bad_coverage(session):
    """Fails when asked for."""
    ran(session)
    session.error("less than 100 %")


@nox.session(python=False)
def asks_for_failure(session):
    """Passes, but what it asks for fails."""
    ran(session)
    session.notify("bad_coverage")
