#!/bin/sh
# Names, descriptions, tags and settings that mean something to make, the shell or a terminal:
# every session of projects/names runs, exactly as nox runs it, and nothing else does.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# When nox was asked for the plan.
asked() {
	stat -c %.9Y "$state"/inputs.json
}

# plan FIELD: of all sessions, a line each, as JSON.
plan() {
	"$python3" - "$1" <<'END'
import json, sys
for line in open(".nox/.noxmk/plan.jsonl", encoding="utf-8"):
    line = json.loads(line)
    if "target" in line:
        print(line["target"] if sys.argv[1] == "target" else json.dumps(line[sys.argv[1]]))
END
}

groups() {
	sed -n 's/^{"group":"\([^"]*\)".*/\1/p' "$state"/plan.jsonl
}

# Names in the file are in the order of execution, and addresses differ in each process.
settled() {
	sed 's/ at 0x[0-9a-f]*/ at 0x/g' "$1" | "$python3" -c '
import json, sys
for line in sys.stdin:
    name = json.loads(line)
    start = name.find("{")  # a set has another order in each process
    print(json.dumps("".join(sorted(name)) if start > 0 and name.startswith("mixed") else name))' | sort
}

pwned() {
	find "$scratch" -name 'noxmk-was-here*' -o -name 'pwned*'
}

project names
export NAMES_OUT="$scratch/nox"
NAMES_OUT=$NAMES_OUT run nox
check 'nox itself: exit 0' exits 0
expected=$(settled "$scratch/nox" | grep -v '^"ghost"')
check 'nox itself: runs many' [ "$(echo "$expected" | wc -l)" -gt 90 ]

mk nox-list
check 'a plan: exit 0' exits 0
check 'a plan: no complaint' quiet "$err"
check 'nox-list: no control character' not matches "$out" '[[:cntrl:]]'
targets=$(plan target)
check 'as many targets as sessions' \
	same "$(echo "$targets" | wc -l)" "$(nox -l 2>/dev/null | grep -c '^[*-] ')"
check 'targets are unique, among each other and groups' \
	same "$({ echo "$targets" && groups; } | sort | uniq -d)" ''
check 'targets are slugs' same "$({ echo "$targets" && groups; } |
	grep -vE '^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$')" ''
rm -rf "$state"/sessions.mk "$state"/plan.jsonl
mk nox-list
check 'the same targets after planning again' same "$(plan target)" "$targets"
(export PYTHONHASHSEED=7 && rm -rf "$state" && mk nox-list)
check 'the same targets with another hash seed' \
	same "$(plan target | grep -v '^mixed')" "$(echo "$targets" | grep -v '^mixed')"

export NAMES_OUT="$scratch/ours"
# shellcheck disable=SC2046 # targets
mk -j4 $(plan target)
check 'every session by its target: exit 0' exits 0
check 'every session by its target: what nox runs' same "$(settled "$NAMES_OUT")" "$expected"
check 'every session by its target: a record each' \
	same "$(verdicts | wc -l)" "$(echo "$targets" | wc -l)"
check 'every session by its target: passed but for the ghost' \
	same "$(verdicts | grep -v ': passed$')" 'ghost: skipped'
check 'every session by its target: the names in the records' same "$("$python3" -c '
import glob, json
for path in glob.glob(".nox/.noxmk/latest/*.json"):
    print(json.dumps(json.load(open(path, encoding="utf-8"))["session"]))' | sort)" "$(plan session | sort)"
check 'every session by its target: no complaint' calm
check 'nothing was injected' same "$(pwned)" ''

# Each target alone, as make sees it: a makefile of theirs only asks make -n for each.
unmade=
for target in $(plan target) $(groups); do
	mk -n "$target"
	exits 0 && matches "$out" '^noxmk: would run [1-9]' || unmade="$unmade $target"
done
check 'make -n of each' same "$unmade" ''

rm "$scratch/ours"
mk twins
check 'three of one name: by the group' same "$(settled "$NAMES_OUT")" '"twins(same)"
"twins(same)"
"twins(same)"'
check 'three of one name: by different targets' same "$(verdicts)" 'twins-same-2: passed
twins-same-3: passed
twins-same: passed'
mk -j2 dash help
check 'names that look like options' same "$(verdicts)" 'dash: passed
help: passed'
mk -n nox-Makefile nox-noxfile.py nox-nox-list
check 'names that make needs for itself' same "$(planned | grep -c '^nox-')" 3
kept=$(sed -n 's/^{"target":"\([^"]*\)","session":"ci",.*/\1/p' "$state"/plan.jsonl)
mk "$kept"
check 'a session called ci: by another name' same "$(verdicts)" "$kept: passed"

# make remakes a makefile that it has a rule for: no session may be that rule.
rm -rf "$state"
printf 'include check nox.mk\n' >GNUmakefile
: >check
rm -f "$scratch/ours"
mk -n nox-check
check 'a makefile called like a session: that gets another name' has "$out" '  nox-check'
check 'a makefile called like a session: nothing ran' absent "$scratch/ours"
rm check
echo 'include nox.mk' >GNUmakefile

# A name that is no text. nox's own -s dies of it.
NAMES_SURROGATE=1 mk -n ci
check 'a lone surrogate: it is planned' exits 0
rm -rf "$state"
NAMES_SURROGATE=1 mk lone-udcff-surrogate
check 'a lone surrogate: it runs' same "$(verdict lone-udcff-surrogate)" passed

# Settings of nox's own end up in the plan, and in the recipe that makes it. (The knobs NOXMK_...
# are make's variables, and expand like any of the user's.)
project noop
try() {
	(export PYTHONPATH="$1" NOXSESSION="lint,$1" && mk "$2" lint && exit "$status")
	status=$?
}
quote="'"
# shellcheck disable=SC2016 # nothing is to expand
for value in '$(shell touch pwned)' '${shell touch pwned}' '`touch pwned`' "'; touch pwned; '" \
	'"; touch pwned; "' '$$(touch pwned)' "\\" "a\\" '#' "it's" '$' '%' ')' '(' "$quote" '~' '*' '
$(shell touch pwned)
' 'x
	touch pwned
' "$(printf '\001\033[31m')"; do
	rm -rf "$state"
	try "$value" --no-print-directory
	shown=$(printf %s "$value" | tr -d '[:cntrl:]')
	check "settings are $shown: it passes" same "$status $(verdicts)" '0 lint: passed'
	before=$(asked)
	try "$value" -n
	check "settings are $shown: the plan is kept" same "$(asked)" "$before"
done
check 'hostile settings: nothing is injected' same "$(pwned)" ''

# Nor do the names of files that the noxfile reads.
noxfile <<'END'
for name in sorted(os.listdir("read")):
    with open(os.path.join("read", name)) as file:
        file.read()

@nox.session(python=False)
def lint(session):
    pass
END
mkdir read
# shellcheck disable=SC2016 # nothing is to expand
names='$x/`touch pwned`/a b/a#b/a:b/$(id) c/*/x=/?/[a]/~/-n/&/</$(shell touch pwned)/a%b/a;b/a|b/a\b/notes (1)'
echo "$names" | tr / '\n' >"$scratch/list"
(cd read && while read -r name; do : >"./$name"; done) <"$scratch/list"
run timeout 240 "$MAKE" -I "$STAGE/include" lint
check 'hostile file names: it passes' same "$status $(verdicts)" '0 lint: passed'
check 'hostile file names: without a word' quiet "$err"
before=$(asked)
mk -n lint
check 'hostile file names: the plan is kept' same "$(asked)" "$before"
while read -r name; do
	before=$(asked)
	echo x >>"read/$name"
	mk -n lint
	check "hostile file names: $name has changed" differ "$(asked)" "$before"
done <"$scratch/list"
check 'hostile file names: nothing is injected' same "$(pwned)" ''

finish
