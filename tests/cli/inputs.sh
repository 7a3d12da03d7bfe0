#!/bin/sh
# All that a noxfile looks at while it is loaded decides whether the plan holds: what changes is in
# the very next make, and what does not is not asked for again.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

asked() {
	stat -c %.9Y "$state"/inputs.json 2>/dev/null
}

# sessions: what there is by the plan.
sessions() {
	sed -n 's/^_noxmk.sessions :=//p' "$state"/sessions.mk
}

# follows NAME CHANGE BEFORE AFTER: the sessions, before and after the shell command CHANGE. Without
# a change nox is asked once only.
follows() {
	mk -n ci
	check "$1: before" same "$(sessions)" "$3"
	before=$(asked)
	mk -n ci
	check "$1: it holds" same "$(asked)" "$before"
	eval "$2"
	mk -n ci
	check "$1: after" same "$(sessions)" "$4"
	before=$(asked)
	mk -n ci
	check "$1: it holds again" same "$(asked)" "$before"
}

# names EXPRESSION: a fresh noxfile with a session for each of these names, below what is on stdin.
names() {
	noxfile <<END
import glob, pathlib, shutil, subprocess
$(cat)
for _name in $1:
    @nox.session(python=False, name=_name)
    def _session(session):
        session.log("RUN")
END
}

names 'sorted(p.name for p in pathlib.Path("packages").iterdir())' </dev/null
mkdir -p packages/alpha packages/gamma
follows 'a folder' 'mkdir packages/beta' ' alpha gamma' ' alpha beta gamma'
follows 'a folder, renamed' 'mv packages/beta packages/delta' ' alpha beta gamma' ' alpha delta gamma'
touch packages/alpha/x
before=$(asked)
mk -n ci
check 'a folder: not what is in it' same "$(asked)" "$before"
follows 'a folder, gone' 'rmdir packages/delta' ' alpha delta gamma' ' alpha gamma'

names '[n.strip("/").split("/")[-1] for n in sorted(glob.glob("tests/*/"))]' </dev/null
mkdir -p tests/a
touch tests/b
follows 'glob' 'rm tests/b; mkdir tests/b' ' a' ' a b'

names '[p.stem for p in sorted(pathlib.Path(".").glob("requirements/*.txt"))]' </dev/null
mkdir requirements
touch requirements/django42.txt
follows 'a glob of files' 'touch requirements/django50.txt' ' django42' ' django42 django50'
echo x >>requirements/django42.txt
before=$(asked)
mk -n ci
check 'a glob of files: not what is in them' same "$(asked)" "$before"

names '["a"] + ["b"] * os.path.exists("extra.toml")' </dev/null
follows 'a file that appears' ': >extra.toml' ' a' ' a b'
follows 'a file that vanishes' 'rm extra.toml' ' a b' ' a'

names '["a"] + ["b"] * pathlib.Path("setup.cfg").is_file()' </dev/null
follows 'pathlib: is_file' ': >setup.cfg' ' a' ' a b'

names '["a"] + ["b"] * os.path.islink("current")' </dev/null
follows 'a link' 'ln -s nowhere current' ' a' ' a b'

names 'NAMES' <<'END'
try:
    NAMES = open("names.txt").read().split()
except FileNotFoundError:
    NAMES = ["none"]
END
follows 'a file found missing' 'echo one >names.txt' ' none' ' one'
follows 'a file by size' 'echo one two >names.txt; touch -d @1000 names.txt' ' one' ' one two'

mkdir bin
PATH=$PWD/bin:$PATH
names '["a"] + ["b"] * bool(shutil.which("noxmk-test-tool"))' </dev/null
mkdir bin
PATH=$PWD/bin:$PATH
follows 'shutil.which' 'echo >bin/noxmk-test-tool; chmod +x bin/noxmk-test-tool' ' a' ' a b'

# The same through a module of the project's own.
names 'helper.names()' <<'END'
sys.path.insert(0, os.path.dirname(__file__))
import helper
END
printf 'import os\ndef names():\n    return os.environ.get("NOXMK_SOME", os.getenv("SOME_NAMES", "a")).split()\n' >helper.py
follows 'a variable through a module' 'export SOME_NAMES="a b"' ' a' ' a b'
unset SOME_NAMES
follows 'the module itself' 'sed -i s/\"a\"/\"c\"/ helper.py' ' a' ' c'

names '["a"] + [module.NAME]' <<'END'
sys.path.insert(0, os.path.dirname(__file__))
try:
    import local_sessions as module
except ImportError:
    class module: NAME = "none"
END
follows 'a module that appears' 'echo "NAME = \"mine\"" >local_sessions.py' ' a none' ' a mine'

names '["a"] + ["publish"] * bool(os.environ.get("PYPI_TOKEN"))' </dev/null
follows 'whether there is a secret' 'export PYPI_TOKEN=s3cret' ' a' ' a publish'
check 'a secret is not written down' not grep -rq s3cret "$state"
unset PYPI_TOKEN

if "$python3" -c 'import sqlite3' 2>/dev/null; then
	for name in '"names.db"' '"file:./names%2edb?mode=ro", uri=True' 'f"file://{os.getcwd()}/names.db", uri=True'; do
		names "[name for name, in sqlite3.connect($name).execute('select * from names')]" <<END
import sqlite3
END
		write() {
			"$python3" - "$@" <<'END'
import sqlite3, sys

base = sqlite3.connect("names.db")
base.execute("create table if not exists names (name)")
base.executemany("insert into names values (?)", [sys.argv[1:]])
base.commit()
END
		}
		write a
		follows "a database: $name" 'write b' ' a' ' a b'
	done
else
	skip 'a database' 'no sqlite3'
fi

names '["v" + TAG]' <<'END'
TAG = subprocess.run(["git", "describe", "--tags"], capture_output=True, text=True).stdout.strip()
END
git init -q . && git -c user.name=x -c user.email=x commit -q --allow-empty -m x && git tag 1
mk -n ci
check 'git describe: before' same "$(sessions)" ' v1'
git tag -d 1 >/dev/null
git tag 2
mk -n ci
check 'git describe: after' same "$(sessions)" ' v2'
before=$(stat -c %i "$state"/sessions.mk)
mk -n ci
check 'git describe: a plan that is the same stays' same "$(stat -c %i "$state"/sessions.mk)" "$before"

names '["at" + str(time.time_ns())]' </dev/null
run timeout 240 "$MAKE" -I "$STAGE/include" -n ci
check 'another plan each time: make ends' exits 0
first=$(sessions)
mk -n ci
check 'another plan each time: by the clock' differ "$(sessions)" "$first"

names '["a"] + ["room"] * (shutil.disk_usage(".").total > 0)' </dev/null
mk -n ci
check 'the room on a disk is seen' has "$state"/inputs.json '"volatile":"how full a disk is"'

names '["a"] + ["late"] * (datetime.datetime.now().year > 2000)' <<'END'
import datetime
END
mk -n ci
check 'datetime.now() is seen' has "$state"/inputs.json '"volatile":"the clock"'

names '["a"] + ["late"] * (time.clock_gettime(time.CLOCK_REALTIME) > 0)' </dev/null
mk -n ci
check 'clock_gettime() is seen' has "$state"/inputs.json '"volatile":"the clock"'

names '["a"] + ["late"] * (year() > 2000)' <<'END'
import datetime
def today():
    return datetime.date.today()
def year():
    return today().year
END
mk -n ci
check 'date.today() in a function that is called is seen' has "$state"/inputs.json '"volatile":"the clock"'
names '["a"] + ["late"] * (Stamps().all[0].year > 2000)' <<'END'
import datetime
class Stamps:
    def __init__(self):
        self.all = [datetime.datetime.now() for _ in "x"]
END
mk -n ci
check 'datetime.now() in a class of which there is an object is seen' has "$state"/inputs.json '"volatile":"the clock"'
names '["a"]' <<'END'
import datetime
class Stamp:
    year = datetime.datetime.now().year
END
mk -n ci
check 'datetime.now() in the body of a class is seen' has "$state"/inputs.json '"volatile":"the clock"'
names '["a"]' <<'END'
import datetime
class Stamps:
    today = "a"
    def now(self):
        return datetime.datetime.now()
kept = Stamps()
def stamp():
    return datetime.datetime.now()
@nox.session(python=False)
def stamped(session):
    session.log(stamp())
END
mk -n ci
check 'the clock of a session does not count' has "$state"/inputs.json '"volatile":null'

names '[os.path.basename(os.path.realpath("current"))]' </dev/null
ln -s v1 current
follows 'where a link leads' 'ln -sfn v2 current' ' v1' ' v2'
names '["same" if os.path.samefile("a", "b") else "other"]' </dev/null
touch a b
follows 'the same file' 'ln -f a b' ' other' ' same'
names 'sorted(name.lower() for name in os.environ if name.startswith("WITH_"))' </dev/null
export WITH_A=1
follows 'the names of all variables' 'export WITH_B=1; unset WITH_A' ' with_a' ' with_b'
names '["got-" + os.environ.copy().get("WITH_A", "none")]' </dev/null
follows 'a copy of all variables' 'export WITH_A=2' ' got-none' ' got-2'
follows 'a copy of all variables, another value' 'export WITH_A=3' ' got-2' ' got-3'
unset WITH_A WITH_B

names 'nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "x") if hasattr(nox, "project") else NAMES' <<'END'
import re
NAMES = re.findall('"(.*?)"', open("pyproject.toml").read())
END
printf '[dependency-groups]\nx = ["one"]\n' >pyproject.toml
follows 'a dependency group' 'printf "[dependency-groups]\nx = [\"one\", \"two\"]\n" >pyproject.toml' ' one' ' one two'

# What sessions leave behind changes nothing but the check.
names '["a"] + ["b"] * ("b.txt" in os.listdir("."))' </dev/null
mk a
touch .coverage
before=$(stat -c %i "$state"/sessions.mk)
mk a
check 'a noxfile that lists ".": the plan stays' same "$(stat -c %i "$state"/sessions.mk)" "$before"
touch b.txt
mk b
check 'a noxfile that lists ".": a file counts' same "$status $(verdicts)" '0 b: passed'

# Saved while it is loaded.
names '["a"]' <<'END'
if os.path.exists("saves"):
    os.rename("saves", "saved")
    with open("noxfile.py", "a") as file:
        file.write('\n@nox.session(python=False)\ndef b(session):\n    pass\n')
END
touch saves
mk -n ci
check 'saved while it is loaded: this make begins afresh with it' same "$(sessions)" ' a b'
mk b
check 'saved while it is loaded: the new session runs' same "$(verdicts)" 'b: passed'

# Much to look at: the check is no more than that.
names '["n" + str(len(list(pathlib.Path("src").rglob("*.py"))))]' </dev/null
"$python3" -c 'import os
for i in range(500):
    os.makedirs(f"src/d{i // 20}/e{i}")
    open(f"src/d{i // 20}/e{i}/x.py", "w").close()'
follows '500 folders' ': >src/d3/e77/y.py' ' n500' ' n501'
if command -v strace >/dev/null; then
	run strace -f -e trace=%file -o "$scratch/calls" "$STAGE/bin/noxmk" plan -s
	# gcov's counts are no calls of ours, nor its looks at these open files, of which each of our
	# modules has one.
	check '500 folders: a call each' [ "$(grep -vc '\.gcda"\|AT_EMPTY_PATH' "$scratch/calls")" -lt 800 ]
else
	skip '500 folders: a call each' 'there is no strace'
fi

finish
