#!/bin/sh
# Noxfiles that come to the gate (gate.sh) in ways that nobody has thought of.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxfile <<'END'
import os
import signal
import sys
import threading

PYTEST = "env/bin/pytest"


def tests(session, *words):
    session.run(PYTEST, "-n", "auto", *words, external=True)


@nox.session(python=False)
def beside(session):
    tests(session, "beside")


@nox.session(python=False)
def threads(session):
    """Each is answered, and none by what another has asked for."""
    sys.setswitchinterval(1e-6)
    failed = []

    def several():
        try:
            for _ in range(3):
                tests(session, "threads")
        except BaseException as error:
            failed.append(error)

    started = [threading.Thread(target=several) for _ in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if failed:
        session.error(str(failed))


@nox.session(python=False)
def closes(session):
    """What it opens then has the number of the socket."""
    os.close(3)
    with open("own", "w") as file:
        assert file.fileno() == 3
        tests(session, "closes")
    assert os.path.getsize("own") == 0


@nox.session(python=False)
def passes_on(session):
    """A process that lives as long as the session has the socket, too."""
    os.set_inheritable(3, True)
    os.spawnlp(os.P_NOWAIT, "sh", "sh", "-c", "echo nonsense >&3; echo command wide 9 x >&3")
    tests(session, "passes_on")


@nox.session(python=False)
def nested(session):
    session.run("nox", "-s", "beside", external=True)


@nox.session(python=False)
def notifies(session):
    session.notify("notified")
    tests(session, "notifies")


@nox.session(python=False)
def notified(session):
    tests(session, "notified")


@nox.session(python=False)
def make(session):
    session.run("make", "-I", os.environ["INCLUDE"], "NOXMK=" + os.environ["PROGRAM"],
                "beside", "threads", external=True)
    tests(session, "make")


@nox.session(python=False)
def flaky(session):
    tests(session, "flaky")
    with open("tried", "a") as file:
        file.write("x")
    if os.path.getsize("tried") < 3:
        session.error("not yet")


@nox.session(python=False)
def hurries(session):
    """It gives up what it waits for. The answer is not taken for another one."""

    def give_up(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, give_up)
    for _ in range(20):
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            tests(session, "hurries")
        except TimeoutError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    tests(session, "hurries")
END
mkdir -p env/bin env/lib/python3/site-packages/xdist
cat >env/bin/pytest <<'END'
#!/bin/sh
echo "$3" >>"$NOTES"
END
chmod +x env/bin/pytest
NOTES=$scratch/notes
export NOTES

cat >pyproject.toml <<'CONFIG'
[tool.noxmk.session.flaky]
retries = 2
CONFIG
INCLUDE=$STAGE/include PROGRAM=$STAGE/bin/noxmk
export INCLUDE PROGRAM

count() {
	grep -c "^$1\$" "$NOTES"
}

for jobs in -j2 -j; do
	: >"$NOTES"
	mk $jobs threads beside
	check "$jobs: commands by several threads" same "$status $(count threads)" '0 12'
	mk $jobs closes beside
	check "$jobs: a session that closes the socket, and opens something else" exits 0
	mk $jobs passes_on beside
	check "$jobs: a process that asks on behalf of the session" exits 0
	mk $jobs nested
	check "$jobs: nox within nox" exits 0
	: >"$NOTES"
	mk $jobs notifies beside
	check "$jobs: a session that is notified" same "$status $(count notified)" '0 1'
	: >"$NOTES"
	mk $jobs make
	check "$jobs: a make of the session's own, with sessions that come there" \
		same "$status $(count make) $(count threads)" '0 1 12'
	rm -f tried
	: >"$NOTES"
	mk $jobs flaky beside
	check "$jobs: each of three attempts" same "$status $(count flaky)" '0 3'
	mk $jobs hurries beside
	check "$jobs: a session that does not wait for the answer" exits 0
	NOXMK_SHIM_ASK=nonsense NOXMK_SHIM_GATE=1 mk $jobs beside
	check "$jobs: a variable of ours in the environment" exits 0
	NOXMK_SHIM_ASK=0 NOXMK_BUDGET=strict mk $jobs beside
	check "$jobs: also where nobody waits" exits 0
done
finish
