#!/bin/sh
# Sessions whose tests fan out: they are told of all processors, and wait for them at the gate. Times
# are ratios within one run.
# Runs alone: others would take the processors that it waits for.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxfile <<'END'
nox.options.sessions = ["lint", "one", "two"]
PYTEST = "env/bin/pytest"


def burn(session, seconds):
    code = f"import time\nt = time.process_time()\nwhile time.process_time() - t < {seconds}: pass"
    session.run("python3", "-c", code, external=True)


@nox.session(python=False)
def lint(session):
    burn(session, 1)


@nox.session(python=False)
def one(session):
    session.run(PYTEST, "-n", "auto", "one", "2", external=True)


@nox.session(python=False)
def two(session):
    session.run(PYTEST, "-n", "auto", "two", "2", external=True)


@nox.session(python=False)
@nox.parametrize("n", [1, 2, 3])
def sibling(session, n):
    session.run(PYTEST, "-n", "auto", f"sibling{n}", "1", external=True)


@nox.session(python=False)
@nox.parametrize("n", [1, 2, 3, 4])
def quiet(session, n):
    session.run("sleep", "3", external=True)


@nox.session(python=False)
def prepare(session):
    burn(session, 0.5)


@nox.session(python=False)
def long(session):
    burn(session, 4)


@nox.session(python=False)
def after(session):
    session.run(PYTEST, "-n", "auto", "after", "2", external=True)


@nox.session(python=False)
def user(session):
    session.run(PYTEST, "-n", "auto", "user", "1", external=True)


@nox.session(python=False)
def other_user(session):
    session.run(PYTEST, "-n", "auto", "other_user", "1", external=True)


@nox.session(python=False)
def two_workers(session):
    session.run(PYTEST, "-n", "2", "two_workers", "1", external=True)


@nox.session(python=False)
def hold(session):
    session.run(PYTEST, "-n", "auto", "hold", "10", external=True)


@nox.session(python=False)
def stopped(session):
    session.run("sleep", "1", external=True)
    session.run(PYTEST, "-n", "auto", "stopped", "1", external=True)
END
# A stand-in for pytest with xdist, which notes when each of its workers is there.
mkdir -p env/bin env/lib/python3/site-packages/xdist
cat >env/bin/pytest <<'END'
#!/usr/bin/env python3
import os, subprocess, sys, time

def note(text):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{text} {time.monotonic()}\n")

told = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS", str(os.cpu_count()))
count = int(told if sys.argv[2] == "auto" else sys.argv[2])
name, work = sys.argv[3], float(sys.argv[4])
note(f"begin {name} {count} {os.environ.get('OMP_NUM_THREADS', '-')}")
burn = f"import time\nt = time.process_time()\nwhile time.process_time() - t < {work / count}: pass"
workers = [subprocess.Popen([sys.executable, "-c", burn]) for _ in range(count)]
codes = [worker.wait() for worker in workers]
note(f"end {name} {count} -")
sys.exit(any(codes))
END
chmod +x env/bin/pytest
cat >pyproject.toml <<'END'
[tool.noxmk.session."*user"]
uses = ["database"]
[tool.noxmk.session.after]
needs = ["prepare"]
[tool.noxmk.session.stopped]
timeout = "4s"
END
NOTES=$scratch/notes
export NOTES
unset PYTEST_XDIST_AUTO_NUM_WORKERS OMP_NUM_THREADS
processors=$(nproc)
if [ "$processors" -lt 2 ]; then
	skip 'the gate' 'one processor: nobody waits for another'
	finish
fi

# timed COMMAND...: like run, and the milliseconds that it took are in $took.
timed() {
	begun=$(date +%s%N)
	run "$@"
	took=$((($(date +%s%N) - begun) / 1000000))
}

# told NAME: the workers that the stand-in of that name had, and the threads that each may have.
told() {
	sed -n "s/^begin $1 \([^ ]* [^ ]*\) .*/\1/p" "$NOTES"
}

# shared: the percentage of their time in which several stand-ins ran at once.
shared() {
	sort -k5 -n "$NOTES" | awk '
		{ all += n > 0 ? $5 - at : 0; several += n > 1 ? $5 - at : 0; at = $5 }
		$1 == "begin" { n++ }
		$1 == "end" { n-- }
		END { print (all > 0) ? int(100 * several / all) : 100 }'
}

# apart: they ran one after the other. The last worker of one may meet the first ones of the next.
apart() {
	[ "$(shared)" -le 40 ] || {
		echo "# together for $(shared) % of their time"
		false
	}
}

# at_most A B PERCENT: A is at most so much of B.
at_most() {
	[ "$1" -le $(($2 * $3 / 100)) ] || {
		echo "# $1 of $2"
		false
	}
}

# What a command is taken for: its kind, how many processes it wants, its name.
cat >"$scratch/words.py" <<'END'
import os, sys, tempfile
sys.path.insert(0, sys.argv[1])
import gate
here = os.getcwd()
cases = {
    "pytest -n auto": "wide 0 pytest", "pytest -nauto": "wide 0 pytest", "pytest -n4": "wide 4 pytest",
    "pytest -n 0": "plain 0 pytest", "pytest -n1": "plain 0 pytest", "pytest": "plain 0 pytest",
    "pytest --numprocesses=3 -x": "wide 3 pytest", "pytest --numprocesses logical": "wide 0 pytest",
    "pytest -n 99999": "wide 65536 pytest", "pytest -k n --no-header": "plain 0 pytest",
    "python -m pytest -n auto": "wide 0 pytest", "python -W error -m pytest -n 2": "wide 2 pytest",
    "python3.12 -m coverage run -m pytest -n auto": "wide 0 pytest",
    "coverage run --branch -m pytest -n auto": "wide 0 pytest", "coverage report": "plain 0 coverage",
    "python -c secret": "sibling 0 python", "python tools/all.py": "sibling 0 all.py",
    "make -j4": "sibling 0 make", "python": "sibling 0 python", "python -m": "sibling 0 python",
    "python -mpytest -n auto": "wide 0 pytest", "python -Im pytest -n 2": "wide 2 pytest",
    "python -Ic secret": "sibling 0 python", "python -csecret it": "sibling 0 python",
    "python -Wmodule -X dev all.py": "sibling 0 all.py",
    "coverage run --source src --omit x -pm pytest -n auto": "wide 0 pytest",
    "coverage run --rcfile x --branch tools/all.py": "sibling 0 all.py",
}
env = os.path.abspath("env")
for words, expected in cases.items():
    found = gate.question(words.split(), {}, env, True, {})
    if found != f"command {expected}":
        print(f"{words}: {found}, not {expected}")
for environment, expected in [
    ({"PYTEST_ADDOPTS": "-n 3"}, "wide 3 pytest"), ({gate.WORKERS: "5"}, "plain 0 pytest"),
    ({"PYTEST_ADDOPTS": "-n auto", gate.WORKERS: "5"}, "wide 5 pytest"),
    ({"PYTEST_ADDOPTS": "-n auto", gate.WORKERS: "many"}, "wide 0 pytest"),
]:
    found = gate.question(["pytest"], environment, env, False, {})
    if found != f"command {expected}":
        print(f"{environment}: {found}, not {expected}")
for name, text in {"pytest.ini": "[pytest]\naddopts = -q\n  -n auto\n", "tox.ini": "[pytest]\naddopts=-n6\n",
                   "setup.cfg": "[tool:pytest]\naddopts = -n auto\nother = -n 3\n"}.items():
    with open(name, "w") as file:
        file.write(text)
    found = gate.question(["pytest"], {}, env, False, {})
    if not found.startswith("command wide"):
        print(f"{name}: {found}")
    os.remove(name)
# pytest reads one file only, the first that is for it.
for texts, expected in [
    ({"pytest.ini": "", "setup.cfg": "[tool:pytest]\naddopts = -n 3\n"}, "plain 0"),
    ({"tox.ini": "[tox]\n", "setup.cfg": "[tool:pytest]\naddopts = -n 3\n"}, "wide 3"),
    ({"pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["-n", "2"]\n',
      "tox.ini": "[pytest]\naddopts = -n 3\n"}, "wide 2"),
]:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, text in texts.items():
            with open(name, "w") as file:
                file.write(text)
        found = gate.question(["pytest"], {}, env, False, {})
        os.chdir(here)
    if found != f"command {expected} pytest":
        print(f"{texts}: {found}, not {expected}")
if gate.question(["pytest", "-n", "auto"], {}, "/nowhere", False, {}) != "command plain 0 pytest":
    print("no xdist, no workers")
# What the helper has set, of 8, is no number of the user's; it may be told to be another one.
os.environ.update({gate.WORKERS: "8", "OMP_NUM_THREADS": "8", "MKL_NUM_THREADS": "8"})
ours = {gate.WORKERS: "8", "OMP_NUM_THREADS": "8"}
command = ["pytest", "-n", "auto"]
for changed, asked, settings in [
    ({}, "wide 0", {gate.WORKERS: "3", "OMP_NUM_THREADS": "1"}),
    ({gate.WORKERS: "5"}, "wide 5", {"OMP_NUM_THREADS": "1"}),
    ({"OMP_NUM_THREADS": "2"}, "wide 0", {gate.WORKERS: "3"}),
]:
    os.environ.update({**ours, **changed})
    environment = dict(os.environ)
    found = gate.question(command, environment, env, False, ours)
    if found != f"command {asked} pytest" or gate.settings(found, 3, ours, environment) != settings:
        print(f"{changed}: {found}, {gate.settings(found, 3, ours, environment)}")
del os.environ[gate.WORKERS]
if gate.WORKERS in gate.settings("command wide 0 pytest", 3, ours, dict(os.environ)):
    print("what the noxfile has deleted stays so")
os.environ.update(ours)
for kind in ("plain", "sibling"):
    asked = f"command {kind} 0 run-tests"
    if gate.settings(asked, 3, ours, dict(os.environ)) != dict.fromkeys(ours, "3"):
        print(f"{kind}: what may be wide is told of fewer")
    for told in (0, 8):
        if gate.settings(asked, told, ours, dict(os.environ)):
            print(f"{kind}: told of {told}, nothing else")
workers = {"MYPY_NUM_WORKERS": "4", gate.WORKERS: "4"}
if gate.settings("command plain 0 mypy", 1, workers, workers) != {**dict.fromkeys(workers), gate.WORKERS: "1"}:
    print("mypy has no workers rather than one")
END
run "$python3" "$scratch/words.py" "$STAGE/share/noxmk"
check 'what is what' same "$(cat "$out" "$err")" ''

# Without -j nothing is told and nothing waits: just as under nox.
mk one
check 'no -j: as wide as under nox' same "$(told one)" "$processors -"

# wait_of TARGET: whether it has waited at the gate.
wait_of() {
	python3 -c 'import json, sys
waits = [wait["seconds"] for wait in json.load(open(sys.argv[1]))["waits"] if wait["for"] == "processors"]
print(sum(waits) > 0.1)' "$state/latest/$1.json"
}

# first MAKE-OPTION...: a run of which earlier ones have taught nothing.
first() {
	: >"$NOTES"
	rm -f "$state/history.json"
	mk "$@"
}

for jobs in -j2 "-j$((2 * processors))" -j; do
	n=$processors
	[ "$jobs" != -j2 ] || n=2
	first $jobs one
	check "$jobs: one wide session alone has all processors" same "$(told one)" "$n 1"
	first $jobs ci
	check "$jobs: two wide ones and a lint pass" exits 0
	check "$jobs: each is told of all processors" same "$(told one) $(told two)" "$n 1 $n 1"
	check "$jobs: one after the other" apart
	first $jobs sibling
	check "$jobs: three siblings pass" exits 0
	check "$jobs: one after the other" apart
	first $jobs after lint
	check "$jobs: a wide one that requires another, beside a lint" \
		same "$status $(told after)" "0 $n 1"
	first $jobs user other_user one
	check "$jobs: wide ones with a resource, beside another: nobody waits for ever" exits 0
	check "$jobs: and all are as wide" same "$(grep -c "^begin [a-z_]* $n 1 " "$NOTES")" 3
done

# undisturbed TARGET...: as if the machine had done nothing else in that run, and each had kept two
# processors busy once it was started. Where others want them, workers that do not run look like
# workers that wait.
undisturbed() {
	python3 - "$state/history.json" "$@" <<'END'
import json, sys
start = 0.2
with open(sys.argv[1]) as file:
    history = json.load(file)
for target in sys.argv[2:]:
    learned = history["learned"][target]
    learned["alone"] = start + (learned["cpu"] - start) / 2
    history["sessions"][target] = [learned["alone"]]
with open(sys.argv[1], "w") as file:
    json.dump(history, file)
END
}

# What is known of the first run: where that takes no longer, nobody waits, and nothing is crowded.
first -j2 long user
undisturbed user
check 'beside a long one nothing is known: two workers' same "$(told user)" '2 1'
: >"$NOTES"
mk -j2 long user
check 'then it is told of the processor that is left' same "$(told user)" '1 1'
check 'and has not waited' same "$(wait_of user)" 'False'
first -j2 sibling
undisturbed sibling-n-1 sibling-n-2 sibling-n-3
: >"$NOTES"
mk -j2 sibling
alone=$(grep -c '^begin sibling. 1 1 ' "$NOTES")
check "siblings share the processors while there are others: $alone of 3" test "$alone" -ge 2
check 'so they run at once' not apart

rm -rf "$state"
mk -j2 one two lint
# Whose start takes longer is chance; who goes first may have waited for the lint a little.
one_waited() {
	python3 -c 'import json, sys
least, most = sorted(sum(wait["seconds"] for wait in json.load(open(path))["waits"]
                         if wait["for"] == "processors") for path in sys.argv[1:])
sys.exit(not (most > 0.1 and least < most / 2))' "$state/latest/one.json" "$state/latest/two.json"
}
check 'one of the two has waited' one_waited
[ "$(wait_of one)" = True ] && waited=one || waited=two
run "$STAGE/bin/noxmk" why "$waited"
check 'noxmk why tells of it' matches "$out" 'for 2 processors, for pytest'
# would_stop TARGET SECONDS: so much it would have taken, had its wait at the gate counted.
would_stop() {
	python3 -c 'import json, sys
record = json.load(open(sys.argv[1]))
waited = sum(wait["seconds"] for wait in record["waits"] if wait["for"] == "processors")
sys.exit(waited + record["duration"] < float(sys.argv[2]))' "$state/latest/$1.json" "$2"
}
for _ in 1 2 3 4; do # others may use the processors that it waits for
	mk -j2 hold stopped
	{ [ "$status" -ne 0 ] || ! would_stop stopped 4; } || break
done
check 'a wait is none of the time that a timeout counts' exits 0
check 'with that it would have been too long' would_stop stopped 4

: >"$NOTES"
mk -j2 NOXMK_BUDGET=strict one two
check 'strict: one worker each' same "$(told one) $(told two)" '1 1 1 1'
check 'strict: at once' not apart

: >"$NOTES"
mk -j2 two_workers one
check 'a number of its own is kept' same "$(told two_workers)" '2 1'
check 'and it waits as well' apart
: >"$NOTES"
OMP_NUM_THREADS=2 mk -j2 one
check "the user's number of threads is kept" same "$(told one)" '2 2'

# One of some tries: either may meet a moment at which the machine does something else.
for _ in 1 2 3 4 5; do
	timed nox -s lint one two
	theirs=$took
	timed "$MAKE" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -j2 ci
	! at_most "$took" "$theirs" 110 || break
done
check 'not slower than nox' at_most "$took" "$theirs" 110

# Of the first one nothing is known, so the second one waits until it has been seen; others do not.
# Then all of them go on at once; but each begins to wait when its start is done, sooner or later.
cat >"$scratch/waited.py" <<'END'
import json, sys
waits = [json.load(open(name))["waits"] for name in sys.argv[1:]]
ends = [max(wait["started"] + wait["seconds"] for wait in of_one if wait["for"] == "processors")
        for of_one in waits if any(wait["for"] == "processors" for wait in of_one)]
print(len(ends), max(ends, default=0) - min(ends, default=0) < 1)
END
for _ in 1 2 3 4; do
	rm -rf "$state"
	mk -j4 quiet
	waited=$("$python3" "$scratch/waited.py" "$state"/latest/quiet-*.json)
	[ "$waited" != '3 True' ] || break
done
check 'siblings that turn out to be narrow pass' exits 0
check 'what is known of one is known of all' same "$waited" '3 True'

# What the configuration sets is the user's, as what the noxfile sets.
cp pyproject.toml "$scratch/pyproject.toml"
printf '[tool.noxmk.session.two.env]\nPYTEST_XDIST_AUTO_NUM_WORKERS = "5"\nOMP_NUM_THREADS = "3"\n' >>pyproject.toml
: >"$NOTES"
mk -j2 two
check "numbers in the configuration stay" same "$status $(told two)" '0 5 3'
cp "$scratch/pyproject.toml" .

# A stop while a command waits at the gate. (In the background INT is ignored.)
rm -rf "$state"
: >"$NOTES"
setsid "$MAKE" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -j2 one two >"$out" 2>"$err" &
make=$!
waits() {
	grep -q '^begin' "$NOTES"
}
wait_for waits
# By then the other one is at the gate. Its log may be younger than this line.
at_the_gate() {
	grep -q 'noxmk: waits for processors' "$state"/latest/*.log
}
wait_for at_the_gate
kill -TERM "-$make"
wait "$make"
status=$?
check 'a stop at the gate ends the make' not same "$status" 0
check 'a stop at the gate: both are told' same "$(verdicts | tr '\n' ' ')" 'one: cancelled two: cancelled '
finish
