"""A noxfile that raises while it is loaded."""

import nox


@nox.session(python=False)
def lint(session):
    """Never known."""


raise RuntimeError("this noxfile is broken on purpose")
