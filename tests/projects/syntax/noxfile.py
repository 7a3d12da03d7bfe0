"""A noxfile that is not Python."""

import nox


@nox.session(python=False)
def lint(session)
    """Lacks a colon above."""
