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
for command in audit matrix merge; do
	noxmk "$command" --help
	mv "$out" asked
	noxmk help "$command"
	check "$command --help and help $command: the same" same "$status $(cat "$out")" "0 $(cat asked)"
	check "$command: what each option is, in a line" matches "$out" '^  --[a-z-]+ [A-Z]+ +[^ ]'
done
noxmk help audit
check 'help audit: all options that the page has' same \
	"$(sed -n 's/^  \(--[^ ]*\).*/\1/p' "$out" | sort)" \
	"$(sed -n '/^\.It Cm audit/,/^\.It Xo/s/^\.It Fl -\([^ ]*\).*/--\1/p' "$TOP/src/noxmk.1" | sort)"
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
for words in 'report --out' 'list --json=1' 'audit --from' '-C'; do
	# shellcheck disable=SC2086 # words
	noxmk $words
	check "$words: no option is like itself" same "$status $(grep -c 'did you mean' "$err")" '2 0'
done
noxmk --verson
check 'a global option that is nearly one' has "$err" 'did you mean --version?'
noxmk -q
check 'a global option that is none' same "$status" 2

# Words too many, and options anywhere

for words in 'report latest -2' 'history a b' 'compare a b c' 'list c' 'status c' 'savings c' \
	'doctor c' 'include c' 'completion bash c' 'help log c' 'report -2 --json -- --md'; do
	# shellcheck disable=SC2086 # words
	noxmk $words
	check "$words: one word too many" same "$status $(cat "$err")" \
		"2 noxmk: ${words%% *}: ${words##* } is one word too many: \`noxmk help ${words%% *}\` has the usage"
done
for words in '--md --json' 'latest --json --md' '-2 --md --json'; do
	# shellcheck disable=SC2086 # words
	noxmk report $words
	check "report $words: one form at a time" same "$status $(cat "$err")" \
		'2 noxmk: report: --json or --md? One of them at a time'
done
noxmk report --md latest --trace
check 'report: a second form' same "$status $(cat "$err")" \
	'2 noxmk: report: --md or --trace? One of them at a time'
noxmk history lint --jsom
check 'an option that is none, behind a word' has "$err" 'did you mean --json?'

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
for words in list 'list --json' show 'show lint'; do
	rm -rf .nox
	# shellcheck disable=SC2086 # words
	noxmk $words
	check "$words: a plan is made where there is none" same "$status $(cat "$err") $(grep -c lint "$out" | sed 's/[1-9]/some/')" \
		'0  some'
done
noxmk show
check 'show: without a goal it is ci' has "$out" 'would run 2 sessions'
rm -rf .nox
mkdir elsewhere
noxmk -C elsewhere list
check 'no noxfile: what makes a plan' same "$status $(cat "$err")" \
	"125 noxmk: no $state here, and so no plan: \`noxmk plan\` or \`make nox-list\` in the project's folder makes it"
for words in 'make ci' 'make -n ci' plan bench; do
	# shellcheck disable=SC2086 # words
	noxmk -C elsewhere $words
	check "$words, no noxfile: what to do" has "$err" \
		"noxmk: noxfile.py: No such file or directory: go to the project's folder, or write one"
	check "$words: and no more than that" lacks "$err" 'does not load'
done
noxmk -C elsewhere log
check 'log, in the wrong folder' has "$err" "no $state here: \`make ci\` in the project's folder makes it"
check 'and nothing is written' rmdir elsewhere
echo 'raise SystemError("broken")' >broken.py
mkdir broken
mv broken.py broken/noxfile.py
noxmk -C broken show
check 'a noxfile that does not load: that is said, and no more' same "$status $(grep -c 'no plan' "$err")" '125 0'
rm -r broken
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
noxmk log ci
check 'log: of all sessions of a group' same "$status $(cat "$err") $(grep -c 'Running session' "$out")" '0  2'
mv "$out" logs
noxmk log -f ci
check 'log -f: the same' same "$status $(cat "$out")" "0 $(cat logs)"
noxmk why ci
check 'why: of all sessions of a group' same "$status $(sed -n 's/: .*started.*//p' "$out" | tr '\n' ' ')" \
	'0 lint tests '
noxmk why -r -2 ci
check 'why -r: those that were in that run' same "$status $(cat "$err") $(grep -c '^lint: passed' "$out")" \
	'1 noxmk: tests: no record in this run (`make nox-list` names the targets) 1'
noxmk history ci
check 'history: of one session only' same "$status $(cat "$err")" '1 noxmk: ci is a group: lint, tests'
noxmk list
check 'list: of a plan that is fresh' same "$status $(cat "$err")" '0 '
echo >>noxfile.py
for words in list 'list --json' show; do
	# shellcheck disable=SC2086 # words
	noxmk $words
	check "$words: the noxfile has changed since" matches "$err" \
		'^noxmk: the plan is stale, as .*noxfile.py has changed: `noxmk plan`, or the next make, makes it anew$'
done
mv "$state/plan.jsonl" "$scratch"
noxmk list
check 'list: the plan is gone, and made anew' same "$status $(cat "$err")" '0 '
mv "$scratch/plan.jsonl" "$state"
rm -rf "$state"/runs
noxmk log lint
check 'log: a session that has not run' has "$err" 'noxmk: lint: in none of the runs that are kept'

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
