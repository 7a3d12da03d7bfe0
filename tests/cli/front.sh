#!/bin/sh
# What people type without a makefile, and what they mistype.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk() {
	run "$STAGE/bin/noxmk" "$@"
}

# Help and versions, in all the ways that people know

for words in help --help -h; do
	noxmk "$words"
	check "$words: all commands, those for makefiles apart" same \
		"$status $(sed -n '/^  log /p; /^For makefiles/p; /^  begin /p' "$out" | cut -c 1-8 | tr '\n' '|')" \
		'0   log [-|For make|  begin |'
done
for words in 'help log' 'log --help' 'log -h'; do
	# shellcheck disable=SC2086 # words
	noxmk $words
	check "$words: that one" same "$status $(head -n 1 "$out")" \
		'0 usage: noxmk [-C FOLDER] [-S STATE] log [-f] [-r RUN] [--raw] [TARGET ...]'
done
for words in --version -V; do
	noxmk "$words"
	check "$words" matches "$out" '^noxmk [0-9.]+$'
done

# Words that are none

noxmk lsit
check 'a command that is nearly one' same "$status $(cat "$err")" \
	'2 noxmk: there is no command lsit: did you mean list?'
noxmk help repotr
check 'help for a command that is nearly one' has "$err" 'did you mean report?'
noxmk frobnicate
check 'a command that is none' has "$err" '`noxmk help` lists them'
noxmk
check 'no command' same "$status $(cat "$err")" '2 noxmk: which command? `noxmk help` lists them'
noxmk list --jsom
check 'an option that is nearly one' has "$err" 'did you mean --json?'
noxmk list --frobnicate
check 'an option that is none' has "$err" 'usage: noxmk [-C FOLDER] [-S STATE] list [--json]'
noxmk --verson
check 'a global option that is nearly one' has "$err" 'did you mean --version?'
noxmk -q
check 'a global option that is none' same "$status" 2

# A project that has no makefile

noxfile <<'END'
@nox.session(python=False)
def lint(session):
    print("args", session.posargs)

@nox.session(python=False)
def tests(session):
    session.error("no")
END
rm GNUmakefile
noxmk make -j2 lint ARGS='a "b c"'
check 'noxmk make runs make' same "$status $(verdicts)" '0 lint: passed'
check "its words are make's" has "$state"/latest/lint.log "args ['a', 'b c']"
check 'and nothing more is said' quiet "$err"
noxmk make
check 'without words it is ci' same "$status $(verdicts | tr '\n' ' ')" '2 lint: passed tests: aborted '
noxmk make -n
check 'make -n' has "$out" 'would run 2 sessions'
noxmk make lnit
check 'a goal that is nearly one' same "$status $(head -n 1 "$err")" \
	'2 noxmk: lnit: no target of this plan (`make nox-list` lists them); did you mean lint?'
noxmk make -k lint frobnicate
check 'a goal that is none' has "$err" 'frobnicate: no target of this plan (`make nox-list` lists them)'
MAKE=/nonexistent/make noxmk make lint
check 'no make: what to do' same "$status $(cat "$err")" \
	'2 noxmk: /nonexistent/make: install GNU make (Debian: apt-get install make): No such file or directory'
for makefile in Makefile makefile GNUmakefile; do
	echo 'lint: ; @echo ours' >"$makefile"
	noxmk make lint
	check "$makefile is not read" lacks "$out" ours
	check "$makefile: which is said" has "$err" \
		"$makefile is not read; with \`include $STAGE/include/nox.mk\` in it plain \`make\` knows the sessions"
	rm "$makefile"
done
noxmk log lnit
check 'log: a target that is nearly one' same "$status $(cat "$err")" \
	'1 noxmk: lnit: no target of this plan (`make nox-list` lists them); did you mean lint?'
noxmk why tsets
check 'why: a target that is nearly one' has "$err" 'did you mean tests?'
rm -rf "$state"/runs
noxmk log lint
check 'log: a session that has not run' has "$err" 'lint.log: in none of the runs that are kept'

noxmk include
check 'include: the path of nox.mk' same "$status $(cat "$out")" "0 $STAGE/include/nox.mk"
mkdir -p "$scratch/a b/bin" "$scratch/alone/bin"
cp "$STAGE/bin/noxmk" "$scratch/alone/bin"
run "$scratch/alone/bin/noxmk" make
check 'a program that was copied alone' same "$status $(cat "$err")" \
	"2 noxmk: $scratch/alone/include/nox.mk is not there to be read: install noxmk as a whole"
cp -R "$STAGE/." "$scratch/a b"
run "$scratch/a b/bin/noxmk" include
check 'a path with a blank' has "$err" 'has a character in its path that make would take for its own'

finish
