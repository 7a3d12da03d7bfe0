# /// script
# dependencies = ["nox"]
# ///
"""A noxfile that says what it needs itself (PEP 723); only nox here, so nothing is downloaded."""

import nox


@nox.session(python=False)
def lint(session):
    """Pass."""
    session.run("true")


@nox.session(python=False)
def tests(session):
    """Pass, too."""
    session.run("true")


if __name__ == "__main__":
    nox.main()
