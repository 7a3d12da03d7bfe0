#!/bin/sh
# noxmk why: what a session waited for, how long, and who said so. nox alone takes long enough for
# a wait to be worth a line.
. "$(dirname "$0")/lib.sh"

noxfile <<'END'
@nox.session(python=False)
def build(session):
    """Others need it."""


@nox.session(python=False)
def checks(session):
    """Comes after it."""


@nox.session(python=False)
def tests(session):
    """Shares the database with build."""


@nox.session(python=False)
def memory(session):
    """Holds the memory until the other one waits for it."""
    with open("go") as fifo:
        fifo.read()


@nox.session(python=False)
def hungry(session):
    """Needs memory, too."""
END
cat >pyproject.toml <<'END'
[tool.noxmk.resources]
memory = "8G"

[tool.noxmk.session.build]
uses = ["database"]
[tool.noxmk.session.checks]
after = ["build"]
[tool.noxmk.session."test*"]
uses = ["database"]
needs = ["checks"]
[tool.noxmk.session.memory]
uses = ["memory:5G"]
[tool.noxmk.session.hungry]
uses = ["memory:4G"]
END

# why TARGET: what noxmk says, without the seconds, nor if it was forked (fork.sh).
why() {
	run "$STAGE/bin/noxmk" why "$@"
	sed -e '/^ *forked from /d' -e '/^ *had a nox of its own: /d' \
		-e 's/[0-9][0-9.]*s/Ns/g; s/pid [0-9]*/pid N/; s/  */ /g' "$out"
}

mk -j4 build checks tests
check 'all pass' exits 0
# Was there time to look what it used? That is chance; and a slow machine starts nothing at once.
check 'the first waited for nothing' same \
	"$(why build | grep -v -e '^ *told of' -e '^ *Ns for a job slot, which make gives$')" \
	'build: passed, started Ns into the run, took Ns'
check 'after' same "$(why checks | sed -n 2p)" \
	' Ns until build had ended: it comes after build (tool.noxmk.session.checks.after)'
check 'needs' same "$(why tests | sed -n 2p)" \
	' Ns until checks had ended: it requires checks (tool.noxmk.session."test*".needs)'
check 'an unknown target' same "$(why nobody; echo "$status")" 1

# make would start what is ready in the place of what is more urgent, but for its cue.
echo '{"schema":1,"sessions":{"build":[1],"memory":[4],"tests":[5],"checks":[0.5],"lint":[1]}}' \
	>"$state"/history.json
mv pyproject.toml old.toml
cat >pyproject.toml <<'END'
[tool.noxmk.session.tests]
needs = ["build"]
[tool.noxmk.group]
some = ["build", "hungry", "tests", "checks"]
END
sed 's/"memory"/"hungry"/' "$state"/history.json >with-hungry && mv with-hungry "$state"/history.json
mk -n -j2 some
check 'a cue: -n tells it' same "$(planned | sed 's/   */ /g')" 'build
hungry
tests requires build
checks when hungry ends'
mk -j2 some
check 'a cue: all pass' exits 0
check 'a cue: why tells it' same "$(why checks | sed -n 2p)" \
	' Ns until hungry had ended: it was due then (the order by expected times)'
mv old.toml pyproject.toml
touch pyproject.toml
mkfifo go
"$MAKE" -I "$STAGE/include" -j memory >"$scratch/one" 2>&1 </dev/null &
one=$!
at_exit="kill $one 2>/dev/null"
wait_for [ -e "$state"/latest/memory.log ]
: >"$scratch/two"
"$MAKE" -I "$STAGE/include" hungry >>"$scratch/two" 2>&1 </dev/null &
two=$!
wait_for grep -q waits "$scratch/two"
# Shorter waits are not worth a line.
run nox -l
echo >go
wait $one $two
check 'the one that waits says for whom' \
	matches "$scratch/two" '^waits  *hungry: for memory \(pid [0-9]*\), which has memory$'
# On a slow machine it may have waited for its slot, too.
check 'a resource that another make had' same "$(why hungry | grep resource)" \
	' Ns for the resource memory, which memory (pid N) had (tool.noxmk.session.hungry.uses)'

# How wide a session was, and what it waited for while it ran.
echo '{"schema":1,"sessions":{"build":[1]},"learned":{"build":{"told":2,"width":2,"cpu":2}}}' \
	>"$state"/history.json
mk -n -j2 build
check 'a wide session: -n tells it' same "$(planned | sed 's/   */ /g')" 'build 2 processors'
mk build
"$python3" - "$state"/latest/build.json <<'END'
import json, sys
with open(sys.argv[1]) as file:
    record = json.load(file)
record.update(told=2, width=2, wide=["pytest"], waits=record["waits"] + [
    {"for": "processors", "seconds": 1.5, "command": "pytest", "needed": 2, "used": 3}])
with open(sys.argv[1], "w") as file:
    json.dump(record, file)
END
# What it had of memory depends on when it was looked at.
check 'a wide session: why tells it' same "$(why build | tail -n 2 | sed 's/, and .* of memory$//')" \
	' Ns for 2 processors, for pytest, while others had use for 3
 told of 2 processors, used 2 (pytest)'
finish
