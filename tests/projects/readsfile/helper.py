"""Read the list of sessions."""


def names(path):
    """Return the lines of *path* that are not comments."""
    with open(path, encoding="utf-8") as lines:
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
