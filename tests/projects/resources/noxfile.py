"""Sessions that share things, as pyproject.toml says. Each notes when it starts and ends.

The file log has a line `+ NAME` or `- NAME` each time, appended by one write. MEET=N makes each of
the readers, the thirds and the free ones wait until N of its kind have started: half a minute at
most, then it fails. Then, as those do who are not to be met, they wait a moment for whoever comes
all the same.
"""

import os
import time

import nox

PATIENCE = 30


def note(mark, session):
    """Append one line."""
    log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.write(log, f"{mark} {session.name}\n".encode())
    os.close(log)


def wait_for(holds, what):
    """Poll, with a bound."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"in vain for {what}")
        time.sleep(0.01)


def started(kind):
    """Those of that kind that have started by now, in order."""
    with open("log", encoding="utf-8") as log:
        return [line[2:-1] for line in log if line.startswith(f"+ {kind}")]


def meets(session):
    """One of a kind: waits for the others of its batch of MEET."""
    kind = session.name.split("_")[0] + "_"
    together = int(os.environ.get("MEET", "1"))
    batch = (started(kind).index(session.name) // together + 1) * together
    wait_for(lambda: len(started(kind)) >= batch, f"{batch} of {kind}")
    if together > 1:
        time.sleep(0.2)


def avoids(session):
    """Is not to meet others."""
    time.sleep(0.05)


def base(session):
    """Ends as BASE says."""
    time.sleep(0.05)
    if os.environ.get("BASE") == "fails":
        session.error("as BASE says")
    if os.environ.get("BASE") == "skips":
        session.skip("as BASE says")


def holder(session):
    """Has what it uses until there is a file go."""
    wait_for(lambda: os.path.exists("go"), "go")


def opener(session):
    """Lets the holder go."""
    with open("go", "w", encoding="utf-8"):
        pass


def noted(function):
    """Return the session that does this between its two notes."""
    def run(session):
        note("+", session)
        try:
            function(session)
        finally:
            note("-", session)
    run.__doc__ = function.__doc__
    return run


FUNCTIONS = {
    meets: ["read_a", "read_b", "read_c", "third_a", "third_b", "third_c", "third_d", "free_a",
            "free_b"],
    avoids: ["write_a", "write_b", "write_c", "all_memory", "alone", "after_base", "needs_base",
             "wants_port", "wants_licence"],
    base: ["base"],
    holder: ["holder"],
    opener: ["opener"],
}
for function, names in FUNCTIONS.items():
    for name in names:
        nox.session(name=name, python=False)(noted(function))
nox.options.sessions = ["write_a"]
