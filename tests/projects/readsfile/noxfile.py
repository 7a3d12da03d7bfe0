"""Sessions from a file and a module: a change of either is a change of the plan."""

import os
import sys

import nox

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import helper  # noqa: E402


def session_for(name):
    """Register one session."""

    def body(session):
        session.run("echo", name)

    body.__doc__ = f"Print {name}."
    nox.session(name=name, python=False)(body)


for line in helper.names("data.txt"):
    session_for(line)
