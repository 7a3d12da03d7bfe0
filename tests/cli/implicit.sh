#!/bin/sh
# Sessions that lean on being one process, in one order, as under nox: what they hand on in global
# variables and in files reaches the others, and the user is told; nobody else is told anything.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# ties: those that the plan holds: `READER<MAKER` for the order, `READER^MAKER` for variables.
ties() {
	"$python3" -c '
import json
found = []
for line in map(json.loads, open("'"$state"'/plan.jsonl", encoding="utf-8")):
    if "target" in line:
        found += [line["target"] + "<" + other for other in line["after"]]
        found += [line["target"] + "^" + other for other in line.get("globals", {}).get("takes", [])]
print(" ".join(found))'
}

# plan_of NAME TIES [NOTES]: of the noxfile from stdin. NOTES: how many there are.
plan_of() {
	noxfile
	mk -n ci
	check "$1: it is planned" exits 0
	check "$1: the ties" same "$(ties)" "$2"
	check "$1: ${3:-0} notes" same "$(grep -c '^noxmk: noxfile.py: ' "$err")" "${3:-0}"
}

# well NAME: and all of it passes, as under nox, at once as well.
well() {
	run nox
	check "$1: passes under nox" exits 0
	rm -rf ./*.out .nox dist
	mk -j4 ci
	check "$1: passes" exits 0
}

# Global variables

plan_of 'a global' 'tests<build tests^build' 1 <<'END'
@nox.session(python=False)
def build(session):
    global wheel, files
    wheel = "dist/a.whl"
    files = {"a": [1, (2, None)], "b": {b"x"}}

@nox.session(python=False)
def tests(session):
    print("got", wheel)
END
check 'a global: the note names all' has "$err" \
	'tests reads the global variable wheel, which "build" assigns, and each session'
check 'a global: the note has the line to add' has "$err" \
	'[tool.noxmk.session.tests] after = ["build"]'
mk nox-list
check 'a global: nox-list has the note, too' has "$out" 'note: tests reads the global variable wheel'
well 'a global'
check 'a global: the value' has "$state"/latest/tests.log 'got dist/a.whl'
run "$STAGE/bin/noxmk" why tests
check 'a global: why tells what made it wait' has "$out" "the noxfile's code (global wheel)"
mk tests
check 'a global: alone it fails, as under nox' same "$status $(verdict tests)" '2 failed'
printf '[tool.noxmk.session.tests]\nafter = ["build"]\n' >pyproject.toml
mk -j4 ci
check 'a global, declared: no note' same "$status $(cat "$err")" '0 '
printf '[tool.noxmk.session.tests]\nafter = []\n' >pyproject.toml
mk -j4 ci
check 'a global, declared not to wait: nothing is handed on' same \
	"$(verdict tests) $(ties)" 'failed '

plan_of 'kinds of variables' \
	'b<a b^a d<a d<b d<c d^a d^b d^c e<a e^a' 3 <<'END'
import types

RESULTS, TABLE, SEEN = ["first"], {"a": 0, "kept": {}}, set()
STATE = types.SimpleNamespace(path=None)

class Config:
    level = 0

total = 0

def note(text):
    RESULTS.append(text)

@nox.session(python=False)
def a(session):
    global total, where
    note("a")
    TABLE["a"] = [1, 2]
    Config.level = 3
    STATE.path = "x"
    total += 1
    where = __import__("pathlib").Path("y")

@nox.session(python=False)
def b(session):
    global total
    note("b")
    SEEN.add(("b", 1.5))
    total += 10

@nox.session(python=False)
def c(session):
    note("c")

@nox.session(python=False)
def d(session):
    assert RESULTS == ["first", "a", "b", "c"], RESULTS
    assert TABLE == {"a": [1, 2], "kept": {}}, TABLE
    assert SEEN == {("b", 1.5)}, SEEN
    assert total == 11, total

@nox.session(python=False)
def e(session):
    assert (Config.level, STATE.path, str(where)) == (3, "x", "y")
END
well 'kinds of variables'

plan_of 'two that assign it and use their own' 'c<a c<b c^a c^b' 1 <<'END'
@nox.session(python=False)
def a(session):
    global x
    x = 1
    assert x == 1

@nox.session(python=False)
def b(session):
    global x
    x = 2
    assert x == 2

@nox.session(python=False)
def c(session):
    assert x == 2
END
well 'two that assign it and use their own'

plan_of 'another module' 'user<maker user^maker' 1 <<'END'
sys.path.insert(0, os.path.dirname(__file__))
open("shared.py", "w").write("LIST = []\nname = None\ndef remember(x):\n    LIST.append(x)\n")
import shared
from shared import LIST

@nox.session(python=False)
def maker(session):
    shared.name = "n"
    shared.remember(1)

@nox.session(python=False)
def user(session):
    assert (LIST, shared.name) == ([1], "n"), (LIST, shared.name)
END
well 'another module'

plan_of 'a value that cannot be carried' 'stop<start stop^start' 1 <<'END'
import subprocess

@nox.session(python=False)
def start(session):
    global server
    server = subprocess.Popen(["sleep", "0"])
    server.wait()

@nox.session(python=False)
def stop(session):
    server.wait()
END
mk -j2 ci
check 'a value that cannot be carried: the reader fails' same "$(verdict stop)" failed
check 'a value that cannot be carried: the reason' same "$(reason stop)" "start leaves a Popen in the \
global variable server, which cannot be carried into this process: use a file, or do both in one session"

# Whoever reads the file may not be made to run anything by what stands in it.
plan_of 'a damaged file' 'tests<build tests^build' 1 <<'END'
@nox.session(python=False)
def build(session):
    global wheel
    wheel = "w"

@nox.session(python=False, tags=["t"])
def tests(session):
    print(wheel)

@nox.session(python=False, default=False) if "default" in nox.session.__code__.co_varnames else lambda f: f
def unused(session):
    pass
END
export FOLDER="$scratch/globals"
mkdir -p "$FOLDER"
cat >"$scratch/try.py" <<'END'
import importlib.util, json, os, sys
spec = importlib.util.spec_from_file_location("handover", sys.argv[1])
handover = importlib.util.module_from_spec(spec)
spec.loader.exec_module(handover)
folder = os.environ["FOLDER"]
wheel = "before"
for text in sys.argv[2:]:
    path = f"{folder}/.build.globals"
    if os.path.lexists(path):
        os.remove(path)
    if text == "FIFO":
        os.mkfifo(path)
    elif text == "LINK":
        os.symlink("/dev/zero", path)
    else:
        with open(path, "w") as file:
            file.write(text)
    wanted = json.dumps({"leaves": [["__main__", "wheel"]], "takes": ["build", "gone"]})
    one = handover.Handover(wanted, f"{folder}/.tests.report")
    try:
        one.take()
        print(wheel)
    except ValueError as error:
        print("ValueError:", error)
    one.leave()
END
run timeout 240 "$python3" "$scratch/try.py" "$STAGE/share/noxmk/handover.py" \
	'{"__main__ wheel": {"value": {"tuple": [1, {"bytes": "00ff"}]}}}' \
	'{"__main__ wheel": {"value": {"os.system": ["x"]}}}' '{"__main__ wheel": {"dict": [[1, 2]]}}' \
	'{"__main__ gone.x": {"value": 1}}' '{"no.such wheel": {"value": 1}}' '{"x": 1}' '[' '' FIFO LINK
check 'a damaged file: an error, each time' same "$status $(grep -c '^ValueError' "$out")" '0 9'
check 'a damaged file: a sound one holds' has "$out" "(1, b'\\x00\\xff')"

# What is no hand-over: nobody is told.
plan_of 'constants, caches, counters, registries' '' <<'END'
import functools, logging

LOG = logging.getLogger("x")
DEPS = ["pytest"]
REGISTRY = {}
_version = None
_cache = {}
count = 0
nox.options.reuse_existing_virtualenvs = True

def register(function):
    REGISTRY[function.__name__] = function
    return function

def version():
    global _version
    if _version is None:
        _version = "1"
    return _version

def cached(key):
    if key not in _cache:
        _cache[key] = key * 2
    return _cache[key]

@nox.session(python=False)
@register
def a(session):
    global count, mine
    count += 1
    mine = count
    LOG.info("%s %s %s", version(), cached(1), mine)
    DEPS_HERE = [*DEPS, "x"]
    DEPS_HERE.append("y")
    REGISTRY["a"]

@nox.session(python=False)
@register
def b(session):
    global mine
    mine = 2
    LOG.info("%s %s %s", version(), cached(1), mine)
    wheel = mine
    print(DEPS, wheel, REGISTRY, os.environ.get("HOME"))

@nox.session(python=False)
@nox.parametrize("n", [1, 2])
def many(session, n):
    global sum_of
    sum_of = n
    print(sum_of)
    def inner(count, DEPS=1):
        REGISTRY = [count]
        REGISTRY.append(DEPS)
    inner(1)
    [LOG for LOG in (1, 2)]
END

# Files

plan_of 'coverage' 'coverage<tests' 1 <<'END'
nox.options.sessions = ["tests", "lint", "coverage"]

@nox.session(python=False)
def lint(session):
    session.run("true", external=True)

@nox.session(python=False)
def coverage(session):
    session.run("python", "-m", "coverage", "combine", external=True)

@nox.session(python=False)
def tests(session):
    session.run("coverage", "run", "-m", "pytest", external=True)
END
check 'coverage: the line to add' has "$err" '[tool.noxmk.session.coverage] after = ["tests"]'
check 'coverage: how to do without' has "$err" 'after = []'

# A report by a variable, an upload of it, and a session that clears the way.
plan_of 'coverage in steps' 'tests-n-1<clean tests-n-2<clean report<tests-n-1 report<tests-n-2 upload<tests-n-1 upload<tests-n-2 upload<report' 3 <<'END'
@nox.session(python=False)
def clean(session):
    session.run("coverage", "erase")

def test_with(session, *args):
    session.run("pytest", "--cov", *args)

@nox.session(python=False)
@nox.parametrize("n", [1, 2])
def tests(session, n):
    test_with(session, str(n))

@nox.session(python=False)
def report(session):
    args = session.posargs or ["report", "--fail-under=100"]
    session.run("coverage", *args)

@nox.session(python=False)
def upload(session):
    session.run("codecov", "-f", "coverage.xml")
END

# Who says that it makes coverage data is waited for, not who may by its configuration; and what
# clears the way at its end, or only sounds like coverage, is no reason to wait.
plan_of 'coverage of some' 'cover<unit' 1 <<'END'
@nox.session(python=False)
def system(session):
    session.run("pytest", "tests/system")

@nox.session(python=False)
def unit(session):
    session.run("pytest", "--cov=x", "tests/unit")

@nox.session(python=False)
def cover(session):
    session.run("coverage", "report")
    session.run("coverage", "erase")

@nox.session(python=False)
def docs(session):
    session.run("sphinx-build", "-D", "extensions=sphinx.ext.coverage")

@nox.session(python=False)
def prerelease(session):
    session.run("pytest", "--cov")
END

plan_of 'coverage that is declared, or its own' '' <<'END'
@nox.session(python=False)
def tests(session):
    session.run("coverage", "run", "-m", "pytest")
    session.run("coverage", "report")

@nox.session(python=False)
def all_in_one(session):
    session.run("pytest", "--cov")
    session.run("coverage", "xml")

@nox.session(python=False)
def docs(session):
    session.install("coverage")
    session.log("then say: coverage report")
    session.run("true", "--exclude", ".nox", external=True)

@nox.session(python=False)
def scratch(session):
    session.create_tmp()

@nox.session(python=False)
def clean(session):
    import glob, shutil
    for path in glob.glob(".nox/*/tmp"):
        shutil.rmtree(path)
END

plan_of 'coverage that is notified' 'coverage<tests' <<'END'
@nox.session(python=False)
def tests(session):
    session.run("pytest", "--cov")
    session.notify("coverage")

@nox.session(python=False)
def coverage(session):
    session.run("coverage", "report")
END

plan_of 'files of others' 'find<make_it read<write_it' 2 <<'END'
import glob, pathlib
OUT = pathlib.Path("made") / "a.out"

@nox.session(python=False)
def make_it(session):
    (pathlib.Path(session.create_tmp()) / "data").write_text("d")

@nox.session(python=False)
def find(session):
    assert glob.glob(".nox/*/tmp/data")

@nox.session(python=False)
def write_it(session):
    OUT.parent.mkdir(exist_ok=True)
    with open(OUT, "w") as file:
        file.write("x")

@nox.session(python=False)
def read(session):
    session.run("cat", "made/a.out", external=True)
END
well 'files of others'

plan_of 'distributions' 'check<build' 1 <<'END'
@nox.session(python=False)
def build(session):
    session.run("python", "-m", "build")

@nox.session(python=False)
def check(session):
    session.run("twine", "check", "dist/*")
END

plan_of 'variables of the environment' 'tests<build tests^build upload<build upload^build' 2 <<'END'
from os import environ

@nox.session(python=False)
def build(session):
    os.environ["WHEEL"] = "a=b.whl"
    environ.setdefault("STAGE_AREA", "s")
    os.environ["OWN"] = "build"

@nox.session(python=False)
def tests(session):
    os.environ["OWN"] = "tests"
    session.log("GOT " + environ["WHEEL"] + os.environ.get("OWN") + os.environ.get("CI", ""))

@nox.session(python=False)
def upload(session):
    session.run("sh", "-c", "echo TO $STAGE_AREA", external=True)
    session.log(os.getenv("STAGE_AREA"))

@nox.session(python=False)
def lint(session):
    session.log(os.environ.get("HOME"))
END
well 'variables of the environment'
check 'variables of the environment: a value' has "$state"/latest/tests.log 'GOT a=b.whltests'
check 'variables of the environment: for what the session runs, too' has "$state"/latest/upload.log 'TO s'

# The notes come once a plan, not once a make.
mk -n ci
check 'a plan that is kept: no note again' quiet "$err"

# What cannot be analysed is no fault of the noxfile.
plan_of 'odd noxfiles' '' <<'END'
exec(compile("""
@nox.session(python=False)
def made(session):
    global x
    x = 1
""", "<made>", "exec"))

class Odd:
    def __getattr__(self, name):
        raise RuntimeError(name)

odd = Odd()

@nox.session(python=False)
def other(session):
    print(odd.x, odd.y.z)
    odd.q = 1
    odd.list.append(1)
END

peer nox-newest nox
if [ -n "$peer" ]; then
	PATH=$(dirname "$peer"):$PATH
	plan_of 'newest nox, requires=' 'tests^build' 1 <<'END'
@nox.session(python=False)
def build(session):
    global wheel
    wheel = "w"

@nox.session(python=False, requires=["build"])
def tests(session):
    print(wheel)
END
	well 'newest nox, requires='
fi

finish
