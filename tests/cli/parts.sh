#!/bin/sh
# A session that is cut in parts: each is a target, and where people look they are one session.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk() {
	run "$STAGE/bin/noxmk" "$@"
}

# standin FOLDER: a project in which a shell script stands in for nox (tests/standin.py). Each run
# of a session leaves its words in the file `words`; part 2 fails while there is a file `broken`.
standin() {
	fresh "$1"
	"$python3" - "$TOP/tests" "$PWD" "$STAGE" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import standin
standin.of_names(*sys.argv[2:], ["lint", "tests", "types"], {
    "tests": {"parts": 3, "part-args": ["--splits={parts}", "--group={part}"],
              "env": {"PART": "{part}/{parts}"}}})
END
	sed -i 's/>"$5"/>"$report"/; /^echo/i report=$5; shift 6; echo "$name ${PART-} $*" >>words\
[ "${PART-}" != 2/3 ] || [ ! -e broken ] || { echo bad; exit 1; }' nox
	mkdir .git
	echo 0123456789abcdef0123456789abcdef01234567 >.git/HEAD
	export NOX=./nox
}
# junit: cases and failures, without what differs from run to run.
junit() {
	sed -n 's/.*<testcase .* name="\([^"]*\)".*/\1/p
		s/ *<failure message="\(part [0-9]* of [0-9]*\): .*/failure: \1/p' \
		"$state/latest/junit.xml" | tr '\n' '|'
}
# table: sessions and verdicts of the summary.
table() {
	sed -n '/^session /,/^$/s/^\([a-z][^ ]*\)  *\([a-z]*\) .*/\1 \2/p' "$out" | tr '\n' '|'
}

# As targets

standin project
noxmk plan ./nox
noxmk list
check 'list: the parts, and the session as a group' same \
	"$(sed -n 's/   */  /g; /tests/p' "$out")" "* tests.part-1  tests, part 1 of 3
* tests.part-2  tests, part 2 of 3
* tests.part-3  tests, part 3 of 3
+ tests  tests (3 parts)"
noxmk list --json
check 'list --json' same "$(grep -c '"whole": "tests"' "$out") $(grep -c '"kind": "parts"' "$out")" '3 1'
mk -n tests
check 'make -n shows the parts' same "$(planned | tr '\n' ' ')" 'tests.part-1 tests.part-2 tests.part-3 '
mk -j3 ci ARGS='-k fast'
check 'each part knows which one it is, before the words of ARGS' same "$status $(sort words | tr '\n' '|')" \
	'0 lint  -- -k fast|tests 1/3 -- --splits=3 --group=1 -k fast|tests 2/3 -- --splits=3 --group=2 -k fast|tests 3/3 -- --splits=3 --group=3 -k fast|types  -- -k fast|'
check 'the summary has one session' same "$(table)" 'session verdict|lint passed|tests passed|types passed|'
check 'and counts one' matches "$out" '^noxmk: 3 sessions: 3 passed; '
check 'so does JUnit' same "$(junit)" 'lint|tests|types|'

# One that fails

touch broken
mk -j3 ci
check 'a part that fails fails the goal' exits 2
check 'by its name' has "$err" 'ci: tests.part-2 failed'
check 'the session has failed, and it says which part' has "$out" 'part 2 of 3: '
check 'the session has failed once' matches "$out" '^noxmk: 3 sessions: 2 passed, 1 failed; '
check 'the log of the part is shown' has "$out" '/tests.part-2.log'
check 'JUnit: the failure, and that log' same "$(junit) $(grep -c '^bad' "$state/latest/junit.xml")" \
	'lint|tests|failure: part 2 of 3|types| 1'
mk -n rerun-failed
check 'rerun-failed: that part alone' same "$(planned)" tests.part-2
noxmk why tests
check 'why tells of all parts' same "$(sed -n 's/: .*//; /^tests/p' "$out" | tr '\n' '|')" \
	'tests.part-1, part 1 of 3|tests.part-2, part 2 of 3|tests.part-3, part 3 of 3|'
noxmk why -r latest tests
check 'why: of a run' same "$status $(grep -c '^tests.part' "$out")" '0 3'
noxmk log tests
check 'log prints those of all parts' same "$status $(grep -c 'exited with' "$out")" '0 3'
noxmk log -f tests
check 'log -f follows all parts' same "$status $(grep -c 'exited with' "$out")" '0 3'
noxmk report
check 'report: one session' same "$(table)" 'session verdict|lint passed|tests failed|types passed|'
noxmk report --md
check 'Markdown: one session' same "$(grep -c '^| tests' "$out") $(grep -c 'part 2 of 3' "$out")" '1 1'
noxmk report --json
check 'JSON has the parts' same "$(grep -c '"whole": "tests"' "$out")" 3
rm broken
mk tests.part-2
check 'a part is a target' same "$status $(table)" '0 session verdict|tests passed|'
check 'and is not taken for the whole' matches "$out" '^tests +passed +[0-9.]+s  only part 2 of 3$'
noxmk report --md
check 'nor is it in Markdown' has "$out" 'only part 2 of 3'
mk tests.part-1 tests.part-3
check 'nor are two' has "$out" '  only parts 1, 3 of 3'
noxmk history tests
check 'history has the session as it was in each run' same \
	"$status $(sed -n 's/^2[^ ]*  *\([a-z]*\) *[0-9.]*s *\(p.* of 3\|o.*\)*.*/\1 \2/p' "$out" | tr '\n' '|')" \
	'0 passed |failed part 2 of 3|passed only part 2 of 3|passed only parts 1, 3 of 3|'
noxmk compare -2 latest
check 'compare: some parts are not all' same "$(sed -n 's/^\(tests[^ ]*\) .*/\1/p' "$out" | sort | tr '\n' '|')" \
	'tests.part-1|tests.part-2|tests.part-3|'
check 'JUnit: nor there' same "$(junit)" 'tests.part-1|tests.part-3|'

# On several machines: a part of which nothing is known yet takes its share of the whole.

standin matrix
echo '{"schema":1,"sessions":{"lint":[10],"tests":[90],"types":[20]}}' >history.json
export NOXMK_HISTORY=history.json
noxmk matrix --shards 3
check 'matrix: each part takes its share of what the whole has taken' same \
	"$(sed -n 's/  */ /g; /^[1-3]\//p' "$out")" '1/3 30.0s lint tests.part-2
2/3 30.0s tests.part-1 types
3/3 30.0s tests.part-3'
noxmk matrix --shards 3 lint tests.part-1
check 'matrix: how a part that is too long becomes shorter' has "$out" \
	'To be faster, cut it: parts = 6 in [tool.noxmk.session.tests], see nox.mk(5).'
noxmk matrix --shards 2 types lint
check 'matrix: how a session becomes shorter' has "$out" \
	'To be faster, cut it: parts = 2 in [tool.noxmk.session.types], see nox.mk(5).'
noxmk matrix --shards 3 --json tests.part-3 tests.part-1 tests.part-2
cp "$out" ordered
noxmk matrix --shards 3 --json tests
check 'matrix: the order of the goals does not count' same "$(cat "$out")" "$(cat ordered)"
noxmk matrix --within 7s tests
check 'matrix: how many parts are short enough' same "$status $(head -n 1 "$err")" \
	'1 noxmk: no machine can be done in 7.0s: tests.part-1 alone takes 30.0s: to be faster, cut it: parts = 15 in [tool.noxmk.session.tests], see nox.mk(5)'

# What comes after all of them may read what they leave.
sed -i.old 's/"tests": {/"types": {"after": ["tests"]}, &/' facts.json
noxmk plan ./nox
noxmk matrix --shards 3
check 'matrix: why all parts are on one machine, in a line' same "$(grep -c 'stay together:' "$out")
$(grep 'All parts of\|comes after' "$out")" "1
  types comes after tests (tool.noxmk.session.types.after)
All parts of tests are on one machine, as types comes after them: leave that out (default = false), and they need not be: nox.mk(5), parts."
noxmk matrix --shards 3 lint tests
check 'matrix: without that they are on several' same "$(grep -c 'All parts' "$out") $(sed -n 's/  */ /g; /^[1-3]\//p' "$out" | cut -d ' ' -f 3- | tr '\n' '|')" \
	'0 lint tests.part-1|tests.part-2|tests.part-3|'
mv facts.json.old facts.json
sed -i.old 's/"parts": 3,/"needs": ["lint"], &/' facts.json
noxmk plan ./nox
noxmk matrix --shards 3
check 'matrix: what all parts require' has "$out" \
	'All parts of tests are on one machine, as each requires lint: nox.mk(5), parts.'
mv facts.json.old facts.json
unset NOXMK_HISTORY
folders=
for k in 1 2 3; do
	standin "machine-$k"
	touch broken
	mk -k -j2 ci "NOXMK_SHARD=$k/3"
	folders="$folders $PWD/$state/latest"
done
check 'each part ran on one machine' same "$(cat "$scratch"/machine-?/words | grep -c ' [123]/3 ')" 3
standin merged
# shellcheck disable=SC2086 # words
noxmk merge $folders
check 'merged: one session, which has failed' same "$status $(table)" \
	'1 session verdict|lint passed|tests failed|types passed|'
check 'merged: JUnit' same "$(junit)" 'lint|tests|failure: part 2 of 3|types|'
# shellcheck disable=SC2086 # words
noxmk merge ${folders% *}
check 'merged: a part that is missing' same "$status $(grep -c 'missing: no folder has' "$err")" '1 1'

# Nobody has said what the machines were to run: what is cut was to run whole.
folders=
for k in 1 3; do
	standin "named-$k"
	mk "tests.part-$k"
	check "a machine that ran part $k: JUnit has that part, and no session that looks whole" same \
		"$status $(junit)" "0 tests.part-$k|"
	folders="$folders $PWD/$state/latest"
done
standin unmerged
# shellcheck disable=SC2086 # words
noxmk merge $folders
check 'merged: a part that no machine was named to run is missing' same \
	"$status $(grep 'missing: no' "$err")" '1 noxmk: missing: no folder has what was to run: tests.part-2'
check 'merged: JUnit says so' has "$state/latest/junit.xml" \
	'<error message="part 2 of 3: its machine is missing"/>'

# Configuration

standin faults
for change in 's/"parts": 3, //' 's/"--group={part}"/"x"/; s/{part}.{parts}/x/'; do
	sed -i.old "$change" facts.json
	noxmk plan ./nox
	check "$change: one message" same "$status $(wc -l <"$err")" '125 1'
	mv facts.json.old facts.json
done
check 'with the place and the remedy' has "$err" 'pyproject.toml: tool.noxmk.session.tests.parts: nothing tells a part which one it is: part-args = ["--splits={parts}", "--group={part}"] does, or {part} in env'

# With nox itself, which knows nothing of parts: sessions behind them keep their numbers, and what
# is notified is all of it.

unset NOX
noxfile <<'END'
@nox.session(python=False)
def tests(session):
    session.run("sh", "-c", "echo $* >>words", "sh", *session.posargs, external=True)


@nox.session(python=False)
def lint(session):
    session.notify("tests", posargs=["-v"])
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.tests]
parts = 2
part-args = ["{part} of {parts}"]
default = false
END
mk -j2 ci
check 'all parts are notified' same "$status $(sort words | tr '\n' '|')" '0 1 of 2 -v|2 of 2 -v|'

# One part is the whole: what tells it so stays right when the number is changed.
sed -i.old 's/^parts = 2/parts = 1/' pyproject.toml
rm words
mk tests
check 'parts = 1: part 1 of 1' same "$status $(cat words) $(noxmk list | grep -c part-)" '0 1 of 1 0'

finish
