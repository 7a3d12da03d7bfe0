#!/bin/sh
# The plan: nox is asked anew when, and only when, something that decides the plan has changed; and
# what happens when it cannot be made. inputs.sh has what a noxfile looks at.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

plan="$state"/sessions.mk

# When nox was asked.
dated() {
	stat -c %.9Y "$state"/inputs.json 2>/dev/null
}

# now FILE...: changed just now. The kernel's clock for files is coarse.
now() {
	until touch "$@" && [ -n "$(find "$1" -newer "$plan")" ]; do :; done
}

# remade NAME ARGUMENT... and kept NAME ARGUMENT...: by make -n ci with these.
remade() {
	before=$(dated)
	name=$1
	shift
	mk -n ci "$@"
	check "remade: $name" differ "$(dated)" "$before"
	check "remade: $name: exit 0" exits 0
	before=$(dated)
	mk -n ci "$@"
	check "and then kept: $name" same "$(dated)" "$before"
}

kept() {
	before=$(dated)
	name=$1
	shift
	mk -n ci "$@"
	check "kept: $name" same "$(dated)" "$before"
	check "kept: $name: exit 0" exits 0
}

# When it is remade.

project readsfile
mk -n ci
check 'a first plan: exit 0' exits 0
check 'a first plan: only that was made' same "$(cd "$state" && find . -type f | sort | tr '\n' ' ')" \
	'./.gitignore ./CACHEDIR.TAG ./forked ./inputs.json ./lock ./order.mk ./plan.jsonl ./sessions.mk '
kept 'nothing changed'
kept 'another goal' nox-list
now noxfile.py
remade 'the noxfile'
echo '[project]' >pyproject.toml
now pyproject.toml
remade 'pyproject.toml appears'
now pyproject.toml
remade 'pyproject.toml'
rm pyproject.toml
remade 'pyproject.toml vanishes'
echo plums >>data.txt
now data.txt
remade 'a file that the noxfile reads'
check 'and it has the new session' has "$out" '  plums'
now helper.py
remade 'a module of the project'
now README GNUmakefile other.py
kept 'files that the noxfile does not read'
mv data.txt plums.txt
mk -n ci
check 'a file that is gone: nox says so' has "$err" 'data.txt'
check 'a file that is gone: exit 2' exits 2
mv plums.txt data.txt
mk -n ci
check 'a file that is back: exit 0' exits 0
sed -i 's/data.txt/other.txt/' noxfile.py
mv data.txt other.txt
now noxfile.py
remade 'a file by another name: it counts'
now other.txt
remade 'a file by another name: it is known'

NOXPYTHON=3.11 remade NOXPYTHON
remade 'NOXPYTHON no longer'
NOXSESSION=apples remade NOXSESSION
remade 'NOXSESSION no longer'
remade NOXMK_RESERVED NOXMK_RESERVED='apples clean'
check 'NOXMK_RESERVED: another name' has "$out" '  nox-apples'
remade 'NOXMK_RESERVED no longer'
nox=$(command -v nox)
remade NOX NOX="$nox"
remade 'NOX of several words' NOX="env -u FOO $nox"
NOX="$nox" remade 'NOX from the environment'
remade 'NOX as before'
NOXMK_KEEP=3 NOXMK_OUTPUT=live ARGS=x kept 'what only runs know' ARGS='-k x'
kept 'on -j' -j4
cp noxfile.py tasks.py
remade NOXMK_NOXFILE NOXMK_NOXFILE=tasks.py
rm -rf "$state"

# The helper and nox themselves.

real_stage=$STAGE
cp -R "$STAGE" "$scratch/stage"
sed -i "s|^NOXMK ?= .*|NOXMK ?= $scratch/stage/bin/noxmk|" "$scratch/stage/include/nox.mk"
STAGE=$scratch/stage
mk -n ci
now "$scratch/stage/bin/noxmk"
remade 'a newer helper'

# A nox that can be upgraded: the same code behind a folder of its own.
package=$("$python3" -c 'import nox, os; print(os.path.dirname(nox.__file__))' 2>/dev/null)
if [ -n "$package" ]; then
	mkdir -p "$scratch/site/nox-2000.1.1.dist-info"
	cp -R "$package" "$scratch/site/nox"
	echo 'Version: 2000.1.1' >"$scratch/site/nox-2000.1.1.dist-info/METADATA"
	touch -d '2000-01-01' "$scratch/site/nox-2000.1.1.dist-info/METADATA"
	upgradable="env PYTHONPATH=$scratch/site $python3 -m nox"
	remade 'another nox' NOX="$upgradable"
	mv "$scratch/site/nox-2000.1.1.dist-info" "$scratch/site/nox-2000.2.2.dist-info"
	remade 'nox upgraded, to a version with old files' NOX="$upgradable"
	now "$scratch/site/nox-2000.2.2.dist-info/METADATA"
	remade 'nox reinstalled' NOX="$upgradable"
else
	skip 'nox upgraded' "nox is no module of $python3"
fi

# Dates.

touch -d '2 days' noxfile.py
mk -n ci
check 'a noxfile from the future: exit 0' exits 0
kept 'a noxfile from the future'
now=$(date +%s)
touch -d "@$now" other.txt
touch -d "@$now.000000001" helper.py
rm -rf "$state"
mk -n ci
kept 'files of this very moment'
touch -d '2 hours' other.txt
run timeout 240 "$MAKE" -I "$STAGE/include" apples
check 'a file from the future: runs, and does not loop' exits 0
check 'a file from the future: it passes' same "$(verdicts)" 'apples: passed'

# Two makes at once. Their nox ends at the worst time: the first waits a second for the other, which
# waits for the first one's plan. (They take turns, so the first waits in vain.)

touch noxfile.py other.txt helper.py
rm -rf "$state"
cat >"$scratch/slow-nox" <<'END'
nox "$@" || exit
mkdir ../first 2>/dev/null && rivals='[ -e ../second ]' || rivals='mkdir -p ../second; [ -e .nox/.noxmk/sessions.mk ]'
for turn in 1 2 3 4 5 6 7 8 9 10; do
	! eval "$rivals" || break
	sleep 0.1 # ten turns at most
done
[ ! -e ../second ] || sleep 0.1 # the other may still write its plan
END
"$MAKE" -I "$STAGE/include" NOX="sh $scratch/slow-nox" apples >"$scratch/one" 2>"$err" </dev/null &
one=$!
"$MAKE" -I "$STAGE/include" NOX="sh $scratch/slow-nox" pears >"$scratch/two" 2>>"$err" </dev/null &
two=$!
wait $one
check 'two makes plan at once: the one' same "$? $(grep -c '^apples  *passed ' "$scratch/one")" '0 1'
wait $two
check 'two makes plan at once: the other' same "$? $(grep -c '^pears  *passed ' "$scratch/two")" '0 1'
check 'two makes plan at once: no waste is left' \
	same "$(find "$state" -maxdepth 1 ! -type d | sort | tr '\n' ' ')" \
	'.nox/.noxmk/.gitignore .nox/.noxmk/CACHEDIR.TAG .nox/.noxmk/forked .nox/.noxmk/history.json .nox/.noxmk/inputs.json .nox/.noxmk/latest .nox/.noxmk/lock .nox/.noxmk/order.mk .nox/.noxmk/plan.jsonl .nox/.noxmk/sessions.mk '
rm -rf "$state"
last='make <&-'
"$MAKE" -I "$STAGE/include" apples >"$out" 2>"$err" <&-
status=$?
check 'standard input closed: exit 0' exits 0
check 'standard input closed: it passes' same "$(verdicts)" 'apples: passed'

# Noxfiles that do not load.

# bad PROJECT TEXT: nox's words.
bad() {
	project "$1"
	cp "$TOP/tests/projects/noop/noxfile.py" good.py
	printf 'include nox.mk\nhello: ; @echo hello\n' >GNUmakefile
	cp noxfile.py bad.py
	mk lint
	check "$1: exit 2" exits 2
	check "$1: nox's words" matches "$err" "$2"
	check "$1: and ours" has "$err" 'noxfile.py does not load (nox: exit '
	check "$1: no plan" absent "$plan" "$state"/plan.jsonl
	check "$1: nothing ran" absent "$state"/runs
	for goal in ci -n nox-list; do
		mk $goal
		check "$1: $goal: exit 2" exits 2
	done
	cp good.py noxfile.py
	mk lint
	check "$1: mended: exit 0" exits 0
	check "$1: mended: it passes" same "$(verdicts)" 'lint: passed'
	cp bad.py noxfile.py
	now noxfile.py
	mk lint
	check "$1: again: exit 2" exits 2
	check "$1: again: the old plan is gone" absent "$plan" "$state"/plan.jsonl
	check "$1: again: no second run" same "$(runs)" 1
	mk hello
	check "$1: other goals still work" has "$out" hello
}
bad broken 'RuntimeError: this noxfile is broken on purpose'
bad syntax 'SyntaxError'
bad needs_version '>=2999.1.1'

project empty
mk ci
check 'empty: exit 2' exits 2
check 'empty: it says why' has "$err" 'noxmk: ci: nox cannot select the default sessions: No sessions found'
check 'empty: no complaint' calm
mk -n ci
check 'empty: make -n says so, too' exits 2
check 'empty: with the reason' has "$err" 'ci: nox cannot select the default sessions: No sessions found'
check 'empty: and no number of sessions' lacks "$out" 'would run'

project noop
mk lint NOX=noxmk-test-no-nox
check 'no nox: exit 2' exits 2
check 'no nox: what to do' has "$err" "cannot run nox (NOX='noxmk-test-no-nox'): install it, or set NOX"
check 'no nox: no plan' absent "$plan"
mk lint NOX=true
check 'NOX=true: exit 2' exits 2
check 'NOX=true: it says why' has "$err" 'NOX=true has ended well and not run nox for the noxfile'
rm noxfile.py
mk ci
check 'no noxfile: exit 2' exits 2
check 'no noxfile: nox says so' has "$err" 'noxfile.py'
check 'no noxfile: no plan' absent "$plan"

# The fallback, for a nox that the probe does not know.

echo 'raise SystemExit(97)' >"$scratch/stage/share/noxmk/probe.py"
fallback() {
	project requires
	mk -n ci NOX="$1"
	check 'exit 0' exits 0
	# shellcheck disable=SC2016 # they are in the message
	check 'a warning' has "$err" 'planned from `nox --list --json`'
	mk -j2 ci NOX="$1"
	check 'ci: exit 0' exits 0
	check 'ci: what it selects runs' same "$(verdict report) $(verdict needs_skipped)" 'passed passed'
	mk broken skipped tests-a NOX="$1"
	check 'verdicts: exit 2' exits 2
	check 'verdicts' same "$(verdicts)" 'broken: failed
skipped: skipped
tests-a: passed'
}

no_fallback() {
	project requires
	mk -n ci NOX="$1"
	check 'exit 2' exits 2
	check 'it says why' has "$err" 'gave no list (exit 2)'
	check 'no plan' absent "$plan"
}

for nox in nox "$TOP/build/peers/nox-newest/bin/nox"; do
	topic="fallback, $nox: "
	if [ "$nox" != nox ]; then
		topic=
		peer nox-newest nox
		[ -n "$peer" ] || break
		topic='fallback, newest nox: '
	fi
	if "$nox" -l --json -f "$TOP/tests/projects/noop/noxfile.py" >/dev/null 2>&1 </dev/null; then
		fallback "$nox"
	else
		no_fallback "$nox"
	fi
done
topic=
STAGE=$real_stage

# What is there instead of our files.

project noop
mkdir -p .nox
: >"$state"
mk lint
check '.nox/.noxmk is a file: exit 2' exits 2
check '.nox/.noxmk is a file: a message' has "$err" '.nox/.noxmk'
rm "$state"
mk lint
echo '{"schema' >"$state"/plan.jsonl
mk lint
check 'plan.jsonl damaged: it is made anew' same "$status $(verdicts)" '0 lint: passed'
rm "$state"/plan.jsonl
mk lint
check 'plan.jsonl gone: it is made anew' same "$status $(verdicts)" '0 lint: passed'
for text in '' '{"schema":1}' '[' '{"schema":1,"knobs":{},"plan":{},"inputs":[[]]}'; do
	echo "$text" >"$state"/inputs.json
	mk lint
	check "inputs.json is $text: passes" same "$status $(verdicts)" '0 lint: passed'
	check "inputs.json is $text: it is made anew" has "$state"/inputs.json '"NOX":"nox"'
	before=$(dated)
	mk lint
	check "inputs.json is $text: then it holds" same "$(dated)" "$before"
done

# On demand.

before=$(dated)
mk nox-plan
check 'nox-plan: exit 0' exits 0
check 'nox-plan: nox was asked' differ "$(dated)" "$before"
before=$(dated)
mk -n nox-plan
check '-n nox-plan: nox was not asked' same "$(dated)" "$before"
mk nox-plan NOX=false
check 'nox-plan: it fails as nox does' exits 2
check 'nox-plan: then there is no plan' absent "$plan"
mk lint NOX="env A=1 'B=x y' nox"
before=$(dated)
run "$STAGE/bin/noxmk" plan
check 'noxmk plan: exit 0' exits 0
check 'noxmk plan: nox was asked' differ "$(dated)" "$before"
check 'noxmk plan: with the command of the last plan' has "$state"/plan.jsonl \
	'"command":["env","A=1","B=x y","nox"]'
before=$(dated)
mk lint NOX="env A=1 'B=x y' nox"
check 'noxmk plan: make has nothing to ask' same "$(dated)" "$before"

# Text in NOX is data.

# shellcheck disable=SC2016 # nothing is to expand
for nox in 'nox; touch harm' 'nox `touch harm`' 'nox $$(touch harm)' 'nox & touch harm' 'nox >harm' \
	"nox '\$(shell touch harm)'" 'nox $(shell touch harm)'; do
	mk -n ci NOX="$nox"
	check "NOX=$nox: nothing else runs" absent harm
	NOX=$nox mk -n ci
	check "NOX=$nox in the environment: nothing else runs" absent harm
done
# shellcheck disable=SC1003 # a backslash is meant
for nox in 'nox -- -v' 'nox --' "it's nox" 'nox "x' 'nox \'; do
	mk lint
	before=$(runs)
	mk ci NOX="$nox"
	check "NOX=$nox: exit 2" exits 2
	check "NOX=$nox: a line says why" matches "$err" '^noxmk: NOX (has|ends)'
	check "NOX=$nox: no session runs" same "$(runs)" "$before"
done
mk ci NOX='nox -f other.py'
check 'NOX has -f: exit 2' exits 2
check 'NOX has -f: what to do' has "$err" 'noxmk: NOX has -f other.py: set NOXMK_NOXFILE instead'
mk lint NOX='nox --report report.json'
check 'NOX has --report: passes' same "$status $(verdicts)" '0 lint: passed'
check 'NOX has --report: it says what is not' has "$err" 'noxmk: NOX has --report report.json: that is not written'

finish
