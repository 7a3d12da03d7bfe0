"""A noxfile without sessions."""

import nox

nox.options.reuse_existing_virtualenvs = True
