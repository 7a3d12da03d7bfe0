#!/bin/sh
# What the including makefile adds to our targets: prerequisites, goals of its own, recipes, and
# rules and settings that would reach ours; goals that nobody makes. With the system's make and with
# 4.4.1.

# shellcheck disable=SC2317,SC2016 # checks are called by name; dollars are for make
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# makefile: from stdin; nothing is known of an older one.
makefile() {
	cat >GNUmakefile
	rm -rf "$state" ./*.txt
}

# sums: how many summaries there were.
sums() {
	grep -c 'sessions\{0,1\}: ' "$out"
}

# well NAME ARGUMENT...: one make that is well and sums up once.
well() {
	what=$1
	shift
	mk "$@"
	check "$what: exit 0" exits 0
	check "$what: one summary" same "$(sums)" 1
	check "$what: no complaint" calm
	check "$what: nothing is circular" lacks "$err" Circular
}

# ended SESSION: when, in seconds. before SESSION SESSION: the first ended before the other started.
ended() {
	sed -n 's/^ "ended": \([0-9.]*\),$/\1/p' "$state/latest/$1.json"
}
before() {
	awk -v ended="$(ended "$1")" '$1 == "\"started\":" { exit !($2 + 0 >= ended) }' \
		"$state/latest/$2.json"
}

sessions() {
	noxfile <<'END'
def show(session):
    if os.path.exists(f"{session.name}-fails"):
        session.error("as told")
    session.log("sees " + " ".join(sorted(n for n in os.listdir() if n.endswith(".txt"))))

for name in ("docs", "lint", "tests", "types"):
    nox.session(show, name=name, python=False)
nox.options.sessions = ["docs", "lint", "tests"]
END
}

prerequisites() {
	makefile <<'END'
include nox.mk
tests: a.txt
ci: b.txt
a.txt b.txt: ; touch $@
END
	for times in once again; do
		rm -f ./*.txt
		well "a session's prerequisite, $times" tests
		check "a session's prerequisite, $times: is made first" has "$state"/latest/tests.log 'sees a.txt'
		rm -f ./*.txt
		well "a group's, $times" -j2 ci
		check "a group's, $times: before each session" same \
			"$(cat "$state"/latest/*.log | grep -c 'sees.* b.txt')" 3
		check "a session's in a group, $times" has "$state"/latest/tests.log 'sees a.txt b.txt'
	done
	rm -f ./*.txt
	mk -n ci
	check 'make -n: makes nothing' absent a.txt
	check 'make -n: shows it' has "$out" 'touch a.txt'
	mk lint
	check "another session's: is not made" absent a.txt b.txt

	makefile <<'END'
include nox.mk
tests: a.txt
a.txt: ; @false
END
	mk -k lint tests
	check 'one that cannot be made: exit 2' exits 2
	check 'one that cannot be made: make says so' has "$err" '[GNUmakefile:3: a.txt] Error 1'
	check 'one that cannot be made: its session does not run' absent "$state"/latest/tests.json
	check 'one that cannot be made: others do' same "$(verdicts)" 'lint: passed'
	mk rerun-failed
	check 'one that cannot be made: rerun-failed: exit 2' exits 2
	check 'one that cannot be made: rerun-failed knows that there was no end' has "$err" \
		'noxmk: the last run has not come to its end: `noxmk end` sums it up'
	run noxmk end
	check 'one that cannot be made: noxmk end sums up' has "$out" '1 passed, 1 not run'
	check 'one that cannot be made: with the reason' matches "$out" 'tests .*make was stopped before its turn'
	mk -n rerun-failed
	check 'one that cannot be made: rerun-failed knows it then' same "$(planned)" tests
}

order() {
	makefile <<'END'
include nox.mk
tests: lint
END
	well 'a session before another' -j2 tests
	check 'a session before another: it is' before lint tests
	touch lint-fails
	mk -j2 ci
	check 'a session before another, that fails: exit 2' exits 2
	check 'a session before another, that fails: the other is not run' same "$(reason tests)" \
		'it requires lint, which was aborted'
	check 'a session before another, that fails: one summary' same "$(sums)" 1
	rm lint-fails

	makefile <<'END'
include nox.mk
docs: r.txt
r.txt: lint ; touch r.txt
END
	for goals in docs 'ci docs' 'lint docs' ci; do
		rm -f r.txt
		# shellcheck disable=SC2086 # words
		well "a prerequisite that needs a session, $goals" -j3 $goals
		check "a prerequisite that needs a session, $goals: in that order" before lint docs
		check "a prerequisite that needs a session, $goals: it is made" \
			has "$state"/latest/docs.log 'sees r.txt'
	done
	mk -n -j2 ci
	check 'a prerequisite that needs a session: make -n knows' has "$out" 'docs   after lint'
	rm -f r.txt
	touch lint-fails
	mk -j2 docs
	check 'a prerequisite that needs a session that fails: exit 2' exits 2
	check 'a prerequisite that needs a session that fails: one summary' same "$(sums)" 1
	check 'a prerequisite that needs a session that fails: its log' has "$out" 'as told'
	check 'a prerequisite that needs a session that fails: it is not made' absent r.txt
	rm lint-fails

	makefile <<'END'
include nox.mk
ci: types
docs: c.txt
c.txt: docs ; touch $@
END
	mk -j2 ci
	check 'a session added to a group: it runs' same "$(verdict types)" passed
	check 'a session added to a group: one summary' same "$(sums)" 1
	check 'a circle of the makefile: runs all the same' same "$(verdict docs)" passed
}

goals() {
	makefile <<'END'
include nox.mk
.PHONY: check all
all: check | extra.txt
check: lint types docs
extra.txt: tests ; touch $@
END
	for goal in check all 'check types' ; do
		# shellcheck disable=SC2086 # words
		well "make $goal" -j2 $goal
	done
	well 'make all again' -j2 all
	check 'make all: all of them' same "$(verdicts)" 'docs: passed
lint: passed
tests: passed
types: passed'
	check 'make all: one order' matches "$state"/order.mk '^_noxmk.order := [a-z]* [a-z]* [a-z]* [a-z]*$'
	mk -n check
	check 'make -n check: the plan' has "$out" 'would run 3 sessions'
	touch types-fails
	mk -j2 check
	check 'make check, one fails: exit 2' exits 2
	check 'make check, one fails: one summary' same "$(sums)" 1
	check 'make check, one fails: make names it' has "$err" 'types] Error 1'
	mk -j2 rerun-failed
	check 'make check, one fails: it is to rerun' has "$out" '1 session: 1 aborted'
	rm types-fails
	printf 'check: lint types\ninclude nox.mk\n' | makefile
	well 'plain make of a goal above' -j2
	printf 'include nox.mk\ninclude more.mk\n' | makefile
	echo 'again: lint types' >more.mk
	well 'a goal of an included makefile' again
	echo 'again: lint types docs' >more.mk
	well 'a goal of a makefile that has changed' again
	check 'a goal of a makefile that has changed: the new sessions' same "$(verdict docs)" passed
	printf 'include nox.mk\nagain: tests types\n' >other.mk
	touch -d '2001-01-01' other.mk
	well 'a goal of another makefile' -f other.mk again
	check 'a goal of another makefile: its sessions' same "$(verdict tests)" passed
	rm -f more.mk other.mk

	# What own.mk cannot know: a pattern's prerequisite. Each session then sums up for itself, and
	# the one that does so must not wait for those that need its slot.
	printf 'include nox.mk\ncheck: lint.odd types.odd docs.odd tests.odd\n%%.odd: %% ; @:\n' | makefile
	cat >pyproject.toml <<'END'
[tool.noxmk.session."*"]
uses = ["database"]
END
	mk ci
	# One of some tries: on a busy machine the others may take long.
	for _ in 1 2 3 4; do
		begun=$(date +%s)
		mk -j2 check
		took=$(($(date +%s) - begun))
		[ "$took" -ge 9 ] || break
	done
	check 'a goal that is not known: exit 0' exits 0
	check 'a goal that is not known: nobody waits for nothing' [ "$took" -lt 9 ]
	rm pyproject.toml
}

# The graph costs a parse when a makefile has changed, and nothing where there is no rule.
cost() {
	cat >"$scratch/bin/make-noted" <<END
#!/bin/sh
echo "\$*" >>"$scratch/calls"
exec "$MAKE" "\$@"
END
	chmod +x "$scratch/bin/make-noted"
	: >"$scratch/calls"
	echo 'include nox.mk' | makefile
	mk MAKE="$scratch/bin/make-noted" lint
	check 'a makefile without rules: no second parse' quiet "$scratch/calls"
	check 'a makefile without rules: no file' absent "$state"/own.mk
	printf 'include nox.mk\nhello: ; @echo "hello $(MAKELEVEL)"\n-include made.mk\nmade.mk: ; touch made.mk; echo x >>count\n' | makefile
	for times in 1 2 3; do
		mk MAKE="$scratch/bin/make-noted" hello
		check "a makefile with rules, $times: parsed once more" same "$(grep -c 'nothing' "$scratch/calls")" 1
	done
	check 'the second parse remakes nothing' same "$(cat count)" x
	echo '# x' >>GNUmakefile
	mk MAKE="$scratch/bin/make-noted" hello
	check 'a makefile that has changed: parsed once more' same "$(grep -c nothing "$scratch/calls")" 2
	rm -f made.mk count

	printf 'include nox.mk\ncheck: lint tests\n$(info level $(MAKELEVEL) $(VALUE))\n' | makefile
	printf '#!/bin/sh\nexit 3\n' >"$scratch/bin/make-noted"
	mk MAKE="$scratch/bin/make-noted" check
	check 'a parse that fails: as without it' exits 0
	check 'a parse that fails: silent' lacks "$err" graph
	echo '_noxmk.own_goals := $(shell touch pwned)' >>"$state"/own.mk
	mk lint
	check 'own.mk that is damaged: is made anew' has "$err" 'own.mk is damaged: it is made anew'
	check 'own.mk that is damaged: runs nothing' absent pwned
	mk lint
	check 'own.mk that was damaged: no complaint' calm
}

# Rules and settings for everything.
everything() {
	for line in '%: ; @echo match-anything $@; exit 1' '%:: ; @echo match-anything $@; exit 1' \
		'.DEFAULT: ; @echo default $@; exit 1' export '.EXPORT_ALL_VARIABLES:' .ONESHELL: .SECONDEXPANSION: \
		.POSIX: .SUFFIXES: 'MAKEFLAGS += -rR' 'MAKEFLAGS += --warn-undefined-variables' 'SHELL := /bin/bash' \
		.NOTPARALLEL: .SILENT: '.RECIPEPREFIX := >' '.DELETE_ON_ERROR:' \
		'%: GNUmakefile ; @echo catch-all $@; exit 1#.PHONY: GNUmakefile' \
		'%: FORCE ; @echo force $@; exit 1#FORCE: ;#GNUmakefile: ;'; do
		printf '.DEFAULT_GOAL := ci\n%s\ninclude nox.mk\nci: | lint.txt\nlint.txt: types ; touch $@\n' "$line" |
			tr '#' '\n' | makefile
		: >lint.txt
		well "$line" -j2 ci
		well "$line, again" -j2 ci
		check "$line: no warning" lacks "$err" warning
	done
	for line in 'SHELL=/bin/false' '.SHELLFLAGS=-x'; do
		echo 'include nox.mk' | makefile
		well "make $line" "$line" lint tests
	done
	printf 'SHELL := /bin/false\ninclude nox.mk\n' | makefile
	well 'SHELL above us' lint tests
	printf 'include nox.mk\nSHELL := /bin/false\n' | makefile
	well 'SHELL below us' lint tests
	mk rerun-failed
	check 'SHELL below us: nothing to rerun' exits 0
}

# A recipe for a target of ours.
clashes() {
	printf 'include nox.mk\nlint: ; @echo mine\n' | makefile
	mk lint
	check 'a recipe for our target: told' has "$err" 'lint: GNUmakefile:2 has a recipe for it, and so has the session'
	check 'a recipe for our target: told what to do' has "$err" 'NOXMK_RESERVED += lint'
	check 'a recipe for our target: told once' same "$(grep -c NOXMK_RESERVED "$err")" 1
	printf 'NOXMK_RESERVED += lint\ninclude nox.mk\nlint: ; @echo mine\n' | makefile
	mk lint nox-lint
	check 'a reserved name: no complaint' calm
	check "a reserved name: the makefile's" has "$out" mine
	check 'a reserved name: the session' same "$(verdicts)" 'nox-lint: passed'
	printf 'include nox.mk\nNOXMK_PROJECT := other\ninclude nox.mk\n' | makefile
	mk lint
	check 'two projects: exit 2' exits 2
	check 'two projects: a message' has "$err" 'included for ./noxfile.py and now for other/noxfile.py'
	printf 'include nox.mk\ninclude nox.mk\n' | makefile
	well 'one project, included twice' lint
}

# nothing_runs NAME GOALS WORDS...: each of the goals fails, also when make is asked again.
nothing_runs() {
	because=$1
	goals=$2
	shift 2
	for goal in $goals; do
		for time in first second; do
			mk "$goal" "$@"
			check "$because, $goal, the $time time: exit 2" exits 2
			check "$because, $goal, the $time time: says that nothing runs" has "$err" 'there is no plan to run by'
		done
	done
}

# Goals that are up to date for make, since a folder has the name or a rule gives prerequisites,
# though no session of that name can run: with makefiles that have no rules, and with some.
unmade() {
	other=$scratch/unmade
	rm -rf "$other"
	mkdir -p "$other/tests" "$other/docs" "$other/site" "$other/build"
	cd "$other" || exit 1
	printf 'import nox\nfor name in ("tests", "docs", "lint"):\n' >whole
	printf '    nox.session(lambda session: None, name=name, venv_backend="none")\n' >>whole
	{
		cat whole
		echo 'import nonsense'
	} >broken
	own='include nox.mk
check: tests docs
docs: page
page site: FORCE ; @echo $@
FORCE:
build/x: | build ; @echo $@
build: ; @mkdir build
clean:: ; @echo clean
.PHONY: lint'
	for rules in 'include nox.mk' "$own"; do
		echo "$rules" | makefile
		[ "$rules" = "$own" ] && more='check docs lint' || more=docs
		cp broken noxfile.py
		nothing_runs 'a broken noxfile' "tests tests/ $more"
		cp whole noxfile.py
		nothing_runs 'no nox' "tests $more" NOX=noxmk-test-no-nox
		printf '[tool.noxmk]\nbogus = 1\n' >pyproject.toml
		nothing_runs 'wrong configuration' "tests $more"
		rm pyproject.toml
		well 'all is well' tests
	done
	echo 'include nox.mk' | makefile
	sed 's/"tests"/"test"/' whole >noxfile.py
	mk tests
	check 'a session that is gone: exit 2' exits 2
	check 'a session that is gone: which is meant' has "$err" 'did you mean test?'
	echo "$own" | makefile
	cp broken noxfile.py
	for goal in site build build/x clean page; do
		mk "$goal"
		check "no plan, an own goal $goal: runs" exits 0
	done
	cp whole noxfile.py
	well 'own goals besides a session' site lint build clean
	cd ../project || exit 1
}

one_make() {
	topic=$("$MAKE" --version | sed -n '1s/.* \(.*\)/\1: /p')
	prerequisites
	order
	goals
	cost
	everything
	clashes
	unmade
}

mkdir "$scratch/bin"
PATH=$STAGE/bin:$PATH
export PATH
fresh project
sessions
one_make
topic=
peer make-4.4.1 make
if [ -n "$peer" ]; then
	MAKE=$peer
	one_make
fi

finish
