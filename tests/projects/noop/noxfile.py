"""Sessions that do nothing: `lint`, and NOOP_N more (noop0, noop1, ...) for large plans."""

import os

import nox


@nox.session(python=False)
def lint(session):
    """Do nothing."""


def noop(session):
    """Do nothing."""


for number in range(int(os.environ.get("NOOP_N", "0"))):
    nox.session(name=f"noop{number}", python=False)(noop)
