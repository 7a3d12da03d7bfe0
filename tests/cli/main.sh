#!/bin/sh
# The main job: the sample project's sessions as make targets, and what a user may ask for.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

all_passed='coverage_report: passed
docs: passed
install_check: passed
lint: passed
security_scan: passed
typecheck: passed
unit_tests-json: passed
unit_tests-memory: passed
unit_tests-sqlite: passed'

# nox's own report in the form of verdicts(), by session names instead of targets.
nox_verdicts() {
	"$python3" - "$1" <<'END' | sort
import json, sys
for session in json.load(open(sys.argv[1]))["sessions"]:
    result = session["result"].replace("success", "passed")
    print(f"{(session['signatures'] or [session['name']])[0]}: {result}")
END
}

# The same of our records.
session_verdicts() {
	awk -F '"' '/^ "session": /{ name = $4 } /^ "verdict": /{ print name ": " $4 }' \
		"$state"/latest/*.json | sort
}

# logs TARGET...: each has a log with a first line, something in it, and the last line.
logs() {
	[ $# -gt 0 ] || return
	for target; do
		log="$state"/latest/$target.log
		[ "$(head -c 2 "$log")" = '$ ' ] && [ "$(wc -l <"$log")" -gt 4 ] &&
			[ "$(tail -n 1 "$log")" = '[exited with status 0.]' ] || return
	done
}

# The wall time in the last line is less than what the sessions took together.
is_faster() {
	tail -n 1 "$out" | sed -n 's/.*; \([0-9.]*\)s wall time.*/wall \1/p' |
		cat - "$state"/latest/*.json | awk '
		$1 == "wall" { wall = $2 }
		/^ "duration": / { sum += $2 }
		END { exit !(wall > 0 && wall < sum) }'
}

# The log is shown behind the table and before the line with the total.
log_is_last() {
	awk -v head="--- $1 failed: $state/runs/" '
		/^session +verdict/ { table = NR }
		index($0, head) == 1 { shown = NR }
		/^noxmk: [0-9]+ sessions?: / { total = NR }
		END { exit !(table && table < shown && shown < total && total == NR) }' "$out"
}

# The whole sample, as nox runs it and as we do.

project sample
run nox --report "$scratch/report.json"
check 'plain nox passes' exits 0
expected=$(nox_verdicts "$scratch/report.json")
git init -q . 2>/dev/null && git add -A . && before=$(git status --porcelain)
mk -j2 ci
check 'ci: exit 0' exits 0
check 'ci: the verdicts of plain nox' same "$(session_verdicts)" "$expected"
check 'ci: nine records' same "$(verdicts)" "$all_passed"
# shellcheck disable=SC2046 # targets
check 'ci: a log for each' logs $(verdicts | sed 's/:.*//')
check 'ci: a table' matches "$out" '^session +verdict +time +reason$'
check 'ci: the total is the last line' \
	same "$(tail -n 1 "$out" | sed 's/; .*//')" 'noxmk: 9 sessions: 9 passed'
check 'ci: less wall time than the sum' is_faster
check 'ci: nothing on stderr' quiet "$err"
if [ -d .git ]; then
	check 'ci: git sees nothing of it' same "$(git status --porcelain)" "$before"
else
	skip 'ci: git sees nothing of it' 'no git here'
fi

# Broken sessions hide no other.

echo 'import os' >>src/stockroom/quantity.py
NOXSESSION='lint,typecheck,security_scan,docs' mk -j2 ci
check 'lint broken: exit 2' exits 2
check 'lint broken: all the others are reported' \
	same "$(verdicts)" 'docs: passed
lint: failed
security_scan: passed
typecheck: passed'
check 'lint broken: its log comes last' log_is_last lint
check 'lint broken: with the reason in it' matches "$out" 'F401|E402'
check 'lint broken: the reason in the record' matches "$state"/latest/lint.json \
	'"reason": "Command .*flake8 .* failed with exit code 1"'
check "lint broken: make's last word names it" has "$err" 'noxmk: ci: lint failed'

project sample
echo 'def test_broken(): assert False' >>tests/test_quantity.py
printf 'def broken() -> int:\n    """No."""\n    return "x"\n' >>src/stockroom/quantity.py
NOXSESSION='lint,typecheck,unit_tests,docs' mk -j2 ci
check 'three broken: exit 2' exits 2
check 'three broken: all the others are reported' same "$(verdicts)" 'docs: passed
lint: failed
typecheck: failed
unit_tests-json: failed
unit_tests-memory: failed
unit_tests-sqlite: failed'
check 'three broken: the total counts them' \
	has "$out" 'noxmk: 6 sessions: 1 passed, 5 failed; '
check 'three broken: logs of the failed' \
	same "$(grep -c '^--- [a-z_-]* failed: ' "$out")" 5
check 'three broken: no log of the passed' lacks "$out" '--- docs'

# Single targets and groups.

project sample
mk lint docs
check 'two sessions: exit 0' exits 0
check 'two sessions: only these' same "$(verdicts)" 'docs: passed
lint: passed'
mk -j2 unit_tests ARGS=--version
# A nox without requires= has coverage_report notified; it has nothing to report here.
check 'a group: its sessions and no other' \
	same "$(verdicts | grep -v coverage_report)" "$(echo "$all_passed" | grep unit_)"
rm -f .coverage*
mk unit_tests-json ARGS='-k "size or price" --collect-only -q'
check 'one variant: only it' same "$(verdicts)" 'unit_tests-json: passed'
check 'posargs: reach the tool' has "$state"/latest/unit_tests-json.log \
	"-- -k 'size or price' --collect-only -q"
check 'posargs: reach pytest' has "$state"/latest/unit_tests-json.log 'tests/test_quantity.py: '
mk static
check 'a tag: its sessions, default or not' same "$(verdicts)" 'format_check: passed
lint: passed
security_scan: passed
typecheck: passed'
mk nox-list
check 'nox-list: a default session' matches "$out" '^\* lint  +Style and unused code \(flake8\)\.$'
check 'nox-list: one that is not' matches "$out" '^- profile  +Where the time goes'
check 'nox-list: the name of a variant' matches "$out" '^\* unit_tests-json  +unit_tests\(json\): '
check 'nox-list: groups' matches "$out" '^\+ unit_tests +unit_tests \(3 sessions\)$'
check 'nox-list: the default group' matches "$out" '^\+ ci +the default sessions \(9 sessions\)$'
check 'nox-list: tags' matches "$out" '^\+ docs-2|^\+ tag-docs|^\+ static +tag static \(4 sessions\)$'

# Posargs, byte for byte.

noxfile <<'END'
@nox.session(python=False)
def show(session):
    with open("shown.json", "w") as file:
        json.dump(session.posargs, file)

@nox.session(python=False)
def other(session):
    pass
nox.options.sessions = ["other"]
END
shown() {
	mk show "$@"
	cat shown.json 2>/dev/null
	rm -f shown.json
}
check 'posargs: words, quotes and blanks' same "$(shown "ARGS=-k 'a b' \"c d\" e\\ f ''")" \
	'["-k", "a b", "c d", "e f", ""]'
# shellcheck disable=SC2016 # nothing is to expand
check 'posargs: characters of the shell in quotes' \
	same "$(shown "ARGS='; touch pwned' '&&' '|' '>x' '\`touch pwned\`' '*'")" \
	'["; touch pwned", "&&", "|", ">x", "`touch pwned`", "*"]'
# shellcheck disable=SC2016 # neither make nor a shell is to see the dollar
check 'posargs: a dollar is a dollar' same "$(shown 'ARGS=$HOME $(id) $$')" \
	'["$HOME", "$(id)", "$$"]'
check 'posargs: -- and options' same "$(shown 'ARGS=-- -x --help')" '["--", "-x", "--help"]'
# shellcheck disable=SC2037 # for one call
check 'posargs: ARGS of the environment does not count' same "$(ARGS='-x' shown)" '[]'
check 'posargs: nor ARGS of it after make -e' same "$(ARGS='-x' shown -e)" '[]'
echo 'ARGS = from makefile' >>GNUmakefile
check 'posargs: ARGS of the makefile counts' same "$(shown)" '["from", "makefile"]'
check 'posargs: nothing was injected' absent pwned x

# The including makefile.

echo 'include nox.mk' >GNUmakefile
mk
check 'plain make: the default sessions' same "$(verdicts)" 'other: passed'
rm -rf "$state"
printf 'mine: ; @echo this is mine\ninclude nox.mk\n' >GNUmakefile
mk
check 'a goal above wins: it runs' same "$(cat "$out")" 'this is mine'
check 'a goal above wins: no session does' absent "$state"/runs
printf '.DEFAULT_GOAL := show\ninclude nox.mk\nmine: ; @echo this is mine\n' >GNUmakefile
mk
check '.DEFAULT_GOAL above wins' same "$(verdicts)" 'show: passed'
cat >GNUmakefile <<'END'
NOXMK_RESERVED := clean other
include nox.mk
release: show nox-other ; @echo released
clean: ; @echo cleaned
END
mk -j2 release
check 'own target: after its sessions' same "$(tail -n 1 "$out")" released
check 'own target: both ran' same "$(verdicts)" 'nox-other: passed
show: passed'
check 'own target: no complaint' calm
mk clean show
check 'mixed goals: the own one' has "$out" cleaned
check 'mixed goals: the session' same "$(verdicts)" 'show: passed'
mk clean nox-other
check 'NOXMK_RESERVED: the session gets another name' same "$(verdicts)" 'nox-other: passed'
mk other
check 'NOXMK_RESERVED: and leaves this one alone: exit 2' exits 2
check 'NOXMK_RESERVED: and leaves this one alone: make says so' has "$err" 'No rule to make target'
mk -n ci
check 'NOXMK_RESERVED: ci runs it by the new name' has "$out" '  nox-other'
sed -i 's/    pass/    session.error("broken")/' noxfile.py
mk -j2 release
check 'own target: a session fails: exit 2' exits 2
check 'own target: a session fails: it is not made' lacks "$out" released
mk -j2 -k release show
check 'own target, -k: exit 2' exits 2
check 'own target, -k: it is not made' lacks "$out" released
check 'own target, -k: the other goal runs' same "$(verdict show)" passed
mk -j2 no-such-session
check 'an unknown goal: exit 2, nothing ran: exit 2' exits 2
check 'an unknown goal: exit 2, nothing ran: make says so' has "$err" 'No rule to make target'

finish
