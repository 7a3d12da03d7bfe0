#!/bin/sh
# What the user asks for, in ARGS and in knobs, is data, and is checked once, before anything runs.

# shellcheck disable=SC2317,SC2016 # checks are called by name; dollars are for nobody
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

project_of_two() {
	noxfile <<'END'
def show(session):
    with open("shown.json", "w") as file:
        json.dump(session.posargs, file)

for name in ("lint", "types"):
    nox.session(show, name=name, python=False)
END
}

# words TEXT JSON: what the sessions get of ARGS.
words() {
	rm -f shown.json
	mk lint ARGS="$1"
	check "ARGS: $1" same "$(cat shown.json 2>/dev/null)" "$2"
	check "ARGS: $1: calm" calm
}

args() {
	words 'django>=4.2' '["django>=4.2"]'
	words 't.py::test_x[a|b]' '["t.py::test_x[a|b]"]'
	words 'a & b; touch pwned' '["a", "&", "b;", "touch", "pwned"]'
	words '$(touch pwned) `touch pwned`' '["$(touch", "pwned)", "`touch", "pwned`"]'
	words 'x$(shell touch pwned)$$y ${HOME}' '["x$(shell", "touch", "pwned)$$y", "${HOME}"]'
	words '#12 * ? ~' '["#12", "*", "?", "~"]'
	words "-k 'a  b' \"it's\" c\\ d" '["-k", "a  b", "it'\''s", "c d"]'
	words 'C:\\dir' '["C:\\dir"]'
	words "a'
'b" '["a\nb"]'
	words '' '[]'
	check 'ARGS: nothing of it was run' absent pwned =4.2
	printf 'include nox.mk\nARGS = -k $(WHAT)\nWHAT = "$$x y"\n' >GNUmakefile
	mk lint
	check "a makefile's ARGS: make's expansion" same "$(cat shown.json)" '["-k", "$x y"]'
	printf 'include nox.mk\nARGS = $(file <args)\n' >GNUmakefile
	seq 100000 140000 | sed 's/^/word-/' >args
	mk lint
	check 'ARGS of 400 KiB' same "$("$python3" -c 'import json; print(len(json.load(open("shown.json"))))')" 40001
	echo 'include nox.mk' >GNUmakefile
	rm -f pwned
	mk -n lint ARGS="it's; touch pwned"
	check 'make -n: nothing is run' absent pwned
	check 'make -n: exit 0' exits 0
}

# refused NAME TEXT ARGUMENT...: nothing runs, and there is one message.
refused() {
	what=$1
	text=$2
	shift 2
	rm -rf "$state"/runs "$state"/latest
	mk "$@"
	check "$what: exit 2" exits 2
	check "$what: told" has "$err" "$text"
	check "$what: once" same "$(grep -c '^noxmk: ' "$err")" 1
	check "$what: nothing ran" absent "$state"/runs "$state"/latest
	check "$what: no summary" quiet "$out"
	check "$what: no request is left" same "$(find "$state" -name '.request*')" ''
}

knobs() {
	refused "ARGS with an odd '" "ARGS has a ' without its second: it's" ci ARGS="it's"
	refused 'ARGS with an odd "' 'ARGS has a " without its second: a "b' ci ARGS='a "b'
	refused 'ARGS with a last backslash' 'ARGS ends in a backslash: a' ci ARGS="a\\"
	refused MAX_FAIL 'MAX_FAIL=x: it takes a number' -j2 ci MAX_FAIL=x
	refused NOXMK_OUTPUT 'NOXMK_OUTPUT=lvie: it takes auto, board, stream, prefix, failed, final or quiet; did you mean live?' ci NOXMK_OUTPUT=lvie
	refused FAIL_FAST 'FAIL_FAST=wiat: it takes 1, wait or 0; did you mean wait?' ci FAIL_FAST=wiat
	refused NOXMK_FLAKY 'NOXMK_FLAKY=fial: it takes pass or fail; did you mean fail?' ci NOXMK_FLAKY=fial
	refused NOXMK_DEADLINE 'NOXMK_DEADLINE=soon: it takes a duration' ci NOXMK_DEADLINE=soon
	refused NOXMK_JOBS 'NOXMK_JOBS=all: it takes a number' -j ci NOXMK_JOBS=all
	refused NOXMK_KEEP 'NOXMK_KEEP=0: it takes a number' -k ci NOXMK_KEEP=0
	refused 'a knob that is code' 'NOXMK_KEEP=$(shell touch pwned): it takes a number' ci 'NOXMK_KEEP=$(shell touch pwned)'
	refused 'a knob spelled wrong' 'NOXMK_OUPUT: there is no such knob; did you mean NOXMK_OUTPUT?' ci NOXMK_OUPUT=live
	refused 'a plain knob with our prefix' 'NOXMK_FAIL_FAST: there is no such knob; did you mean FAIL_FAST?' -j2 ci NOXMK_FAIL_FAST=1
	refused 'a plain knob spelled wrong' 'FAILFAST: there is no such knob; did you mean FAIL_FAST?' ci FAILFAST=1
	refused 'a plain knob in small letters' 'args: there is no such knob; did you mean ARGS?' ci args='-k x'
	refused 'a session with parameters' "unit(db='pg'): make takes that for a variable; the target of such a session is unit-db-pg" \
		"unit(db='pg')"
	refused 'a session with two' 'the target of such a session is unit-db-pg-x-1' lint "unit(db='pg', x=1)"
	mk lint MAX_FALSE=1 COLOUR=blue ARGS='FAILFAST=1 unit(x=1)' 'x=a FAILFAST=1'
	check 'others of the command line' exits 0
	printf 'include nox.mk\nshow: ; @echo $(ARG)\n' >GNUmakefile
	mk lint ARG=1
	check 'a name that a makefile has' exits 0
	printf 'sub: ; @$(MAKE) -I "%s" -f below.mk lint\n' "$STAGE/include" >GNUmakefile
	echo 'include nox.mk' >below.mk
	mk sub FAILFAST=1
	check 'a name of the make above' exits 0
	echo 'include nox.mk' >GNUmakefile
	FAILFAST=1 mk lint
	check 'such a name in the environment' exits 0
	NOXMK_JOB=2 refused 'a knob spelled wrong in the environment' 'NOXMK_JOB: there is no such knob; did you mean NOXMK_JOBS?' -j ci
	printf 'NOXMK_KEPE := 3\ninclude nox.mk\n' >GNUmakefile
	NOXMK_CHECKOUT=/src mk lint NOXMK_COLOUR=blue
	check "variables of the makefile's own, and others that are like no knob" exits 0
	echo 'include nox.mk' >GNUmakefile
	mk ci MAX_FAIL=x NOXMK_KEEP=y
	check 'two bad knobs: two messages' same "$(grep -c 'it takes a number' "$err")" 2
	for knob in ARGS FAIL_FAST MAX_FAIL NOXMK_OUTPUT NOXMK_JOBS NOXMK_KEEP NOXMK_DEADLINE NOXMK_FLAKY \
		NOXMK_HEARTBEAT NOXMK_STATUS NOXMK_TERMINAL NOXMK_RECHECK NOXMK_REPORT NOXMK_WATCH \
		NOXMK_PROJECT NOXMK_STATE NOXMK_NOXFILE NOXMK_HISTORY NOXMK_RESERVED NOX NOXMK; do
		mk lint "$knob="
		check "$knob empty: as if it were not set" exits 0
		check "$knob empty: calm" calm
		run env "$knob=" "$MAKE" -I "$STAGE/include" lint
		check "$knob empty in the environment: as if it were not set" exits 0
	done
	FAIL_FAST=nonsense MAX_FAIL=nonsense ARGS="it's" mk lint
	check 'plain names of the environment are not ours' exits 0
	# All that there are; NOXMK_RUN is not for people.
	for knob in $(sed -n '/RUN/d; s/^\(NOX[A-Z_]*\) ?=.*/\1/p' "$STAGE/include/nox.mk") ARGS FAIL_FAST MAX_FAIL; do
		mk lint "$knob=\$(shell touch pwned)"
		run env "$knob=\$(shell touch pwned)" "$MAKE" -I "$STAGE/include" lint
		check "$knob: make runs nothing of it" absent pwned
	done
	mk lint NOXMK_KEEP=' 3 '
	check 'blanks around a value do not count' exits 0
	mkdir "it's"
	cp noxfile.py "it's"
	mk lint NOXMK_PROJECT="it's"
	check 'a project with a quote in its name' exits 0
	touch "it's; touch pwned"
	check 'nothing of it all was run' absent pwned
}

# A goal that nobody has.
slips() {
	mk -j2 lint lnit
	check 'a goal spelled wrong: exit 2' exits 2
	check 'a goal spelled wrong: what may be meant' has "$err" \
		'noxmk: lnit: no target of this plan (`make nox-list` lists them); did you mean lint?'
	check 'a goal spelled wrong: nothing runs' quiet "$out"
	mk -n all
	check 'a goal like none: told' has "$err" 'noxmk: all: no target of this plan (`make nox-list` lists them)'
	check 'a goal like none: a dry run fails, too' exits 2
	run "$STAGE/bin/noxmk" lgo lint
	check 'an unknown command' has "$err" \
		'noxmk: there is no command lgo: did you mean log?'
	check 'an unknown command: exit 2' exits 2
	mk 'lint-größe!'
	check 'a goal by the name of a session' has "$err" 'noxmk: lint-größe!: no target of this plan'
	mk 'lïnt'
	check 'a name beyond ASCII' has "$err" '; did you mean lint?'
	mk '$(shell touch pwned)'
	check 'a goal that is code' exits 2
	mk 'lint(x)'
	check 'a member of an archive' has "$err" "No rule to make target 'lint(x)'"
	mk --eval='late: ; @echo LATE' late
	check 'a rule on the command line' same "$(cat "$out")" LATE
	echo 'int x;' >prog.c
	mk -n prog.o
	check "make's own rules" matches "$out" 'prog\.c'
	printf 'include nox.mk\ninclude more.mk\n' >GNUmakefile
	echo 'late: ; @echo LATE' >more.mk
	mk late
	check 'a rule in a makefile that comes later' same "$(cat "$out")" LATE
	printf 'late: ; @echo LATE\ninclude nox.mk\n' >GNUmakefile
	mk nobody
	check "a makefile with rules: make's own message" has "$err" "No rule to make target 'nobody'"
	echo 'include nox.mk' >GNUmakefile
	check 'nothing of it all was run by a shell' absent pwned
}

# Thousands of goals fit nowhere but in a file.
many() {
	noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("number", list(range(2500)))
@nox.parametrize("word", ["a-rather-long-parameter-by-which-names-are-long"])
def many(session, word, number):
    pass

@nox.session(python=False)
def lint(session):
    pass
END
	mk -s nox-list
	sed -n 's/^{"target":"\(many-[^"]*\)".*/\1/p' "$state"/plan.jsonl | tr '\n' ' ' >"$state"/failed
	mk -n -j2 rerun-failed
	check 'thousands of goals: make -n' has "$out" 'would run 2500 sessions'
	mk -s -j2 rerun-failed FAIL_FAST=1 NOXMK_DEADLINE=1
	check 'thousands of goals: none is too long' lacks "$err" 'too long'
	check 'thousands of goals: they were begun' has "$out" '2500 sessions: '
}

# Without default sessions, and without a plan.
nothing() {
	noxfile <<'END'
nox.options.sessions = []

@nox.session(python=False)
def build(session):
    """Makes the wheel."""
END
	run nox
	code=$status
	mk ci
	check 'no default session: exits as nox' exits "$code"
	check 'no default session: lists what there is' has "$out" 'Makes the wheel.'
	check 'no default session: says so' has "$out" 'selects no session by default. There are (make nox-list):'
	check 'no default session: calm' calm
	rm -rf "$state"
	echo 'import nonsense' >noxfile.py
	for goal in nox-list '-n ci' ci rerun-failed; do
		# shellcheck disable=SC2086 # words
		mk -s $goal
		check "no plan, make $goal: exit 2" exits 2
		check "no plan, make $goal: one sentence" same \
			"$(grep -c 'there is no plan to run by: see the message above' "$err")" 1
		check "no plan, make $goal: no recipe is shown" quiet "$out"
	done
}

# NOXMK= is the one that is found.
PATH=$STAGE/bin:$PATH
export PATH
project_of_two
args
knobs
slips
many
nothing
finish
