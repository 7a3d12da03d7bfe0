#!/bin/sh
# Several machines share the sessions of one project: `noxmk matrix`, and NOXMK_SHARD for make.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk() {
	run "$STAGE/bin/noxmk" "$@"
}

# standin FOLDER: a project in which a shell script stands in for nox (tests/standin.py): eight
# sessions, of which docs needs lint, and cover comes after the tests that it reads. Learned: how
# long each of them takes.
standin() {
	fresh "$1"
	"$python3" - "$TOP/tests" "$scratch/$1" "$STAGE" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import standin
names = ["lint", "docs", "test-a", "test-b", "cover", "types", "audit", "gpu"]
standin.of_names(*sys.argv[2:], names, {
    "docs": {"needs": ["lint"]}, "cover": {"after": ["test-*"]}, "gpu": {"runs-on": "big"}})
END
	cat >history.json <<'END'
{"schema":1,"sessions":{"lint":[10],"docs":[20],"test-a":[40],"test-b":[30],"cover":[5],
 "types":[50],"audit":[4],"gpu":[60]}}
END
	export NOX=./nox NOXMK_HISTORY=history.json
}

# ran: the targets of the last run, in the order of the alphabet.
ran() {
	verdicts | sed -n 's/: passed$//p' | tr '\n' ' '
}

# The division, for people and for engines

standin project
noxmk matrix --shards 4
check 'a table: every shard, what runs on another machine last' same \
	"$(sed -n 's/  */ /g; /^[1-4]\//p' "$out")" '1/4 50.0s types
2/4 45.0s test-a test-b cover
3/4 30.0s lint docs audit
4/4 big 60.0s gpu'
check 'a table: how long, and how long on one' has "$out" '8 sessions on 4 machines: '
check 'a table: what keeps it from being shorter' has "$out" \
	'No further machine makes this shorter: gpu alone takes the longest.'
check 'a table: why sessions are together, a line each' same \
	"$(sed -n '/^On one machine/,/^$/{/./p;}' "$out")" "On one machine stay together:
  docs requires lint (tool.noxmk.session.docs.needs)
  cover comes after test-a (tool.noxmk.session.cover.after)
  cover comes after test-b (tool.noxmk.session.cover.after)"
noxmk matrix --shards 4 --json
check 'JSON: why, for each machine' same "$(grep -o '"tied":"[^"]*"' "$out")" \
	'"tied":"cover comes after test-a (tool.noxmk.session.cover.after); cover comes after test-b (tool.noxmk.session.cover.after)"
"tied":"docs requires lint (tool.noxmk.session.docs.needs)"'
check 'JSON is one line' same "$(wc -l <"$out")" 1
hash=$(sed -n 's/^{"include":\[{"shard":"1\/4@\([0-9a-f]*\)".*/\1/p' "$out")
check 'JSON: for fromJSON' has "$out" \
	"{\"shard\":\"4/4@$hash\",\"name\":\"4/4\",\"targets\":\"gpu\",\"sessions\":1,\"seconds\":60.0,\"runs-on\":\"big\"}]}"
noxmk matrix --shards 4 --json --machine-cost 40s --runs-on docker
check 'JSON: what each machine costs counts; a label for the others' has "$out" \
	'"targets":"types","sessions":1,"seconds":90.0,"runs-on":"docker"'
noxmk matrix --within 2m --format json
check 'as few as keep within a time' same "$(grep -o '"name":"[^"]*"' "$out" | tr '\n' ' ')" \
	'"name":"1/2" "name":"2/2" '
noxmk matrix --within 2m --machine-cost 69s lint docs types test-a test-b --json
check 'the cost counts within that time, too' same "$(grep -o '"targets":"[^"]*"' "$out")" \
	'"targets":"lint docs test-a test-b types"'
noxmk matrix --shards 2 docs
check 'what stays together may be the longest' has "$out" 'these stay together, lint docs, and take the longest.'
noxmk matrix --shards 2 test-a docs types --json
cp "$out" ordered
noxmk matrix --shards 2 types test-a docs lint --json
check 'the order of the goals does not count' same "$(cat "$out")" "$(cat ordered)"
noxmk matrix --within 30s --json
check 'what cannot be within a time is told, by name, with what helps' same "$status $(cat "$out" "$err")" \
	"1 noxmk: no machine can be done in 30.0s: these stay together, test-a test-b cover, and take 45.0s: to be faster, see what ties them: requires=, needs, after, together
noxmk: no machine can be done in 30.0s: types alone takes 50.0s: to be faster, cut it: parts = 2 in [tool.noxmk.session.types], see nox.mk(5)
noxmk: no machine can be done in 30.0s: gpu alone takes 60.0s: to be faster, cut it: parts = 2 in [tool.noxmk.session.gpu], see nox.mk(5)"
noxmk matrix --within 1m --machine-cost 45s gpu
check 'with what a machine takes besides' same "$status $(cat "$out" "$err")" \
	'1 noxmk: no machine can be done in 60.0s: gpu alone takes 60.0s, and each machine 45.0s besides: to be faster, cut it: parts = 4 in [tool.noxmk.session.gpu], see nox.mk(5)'
noxmk matrix --within 40s --machine-cost 45s
check 'and where that is all of it' same "$status $(cat "$out" "$err")" \
	'1 noxmk: no machine can be done in 40.0s: each takes 45.0s before its sessions begin'
noxmk matrix --shards 2 lint docs types
check 'goals' same "$(sed -n 's/  */ /g; s/^[12]\/2 //p' "$out")" '50.0s types
30.0s lint docs'
noxmk matrix --shards 3 lint
check 'machines without anything to do are none of the matrix' same \
	"$(noxmk matrix --shards 3 --json lint; grep -o '"shard"' "$out" | wc -l)" 1
noxmk matrix --shards 4 --format gitlab --include ci/shard.yml
check 'GitLab: a child pipeline' same "$(sed -n '1,3p; /shard 4/,$p' "$out")" "include:
  - local: \"ci/shard.yml\"

\"shard 4 of 4\":
  extends: .shard
  tags: [\"big\"]
  variables:
    NOXMK_SHARD: \"4/4@$hash\""

for words in '' '--shards 0' '--shards x' '--shards 2 --within 5m' '--within soon' \
	'--shards 2 --format yaml' '--shards 2 --runs-on a:b' '--frobnicate'; do
	# shellcheck disable=SC2086 # words
	noxmk matrix $words
	check "matrix $words: usage" exits 2
done
noxmk matrix --shards 1
check 'too few for the kinds of machines' same "$status $(cat "$err")" '1 noxmk: sessions run on 2 kinds of machines, by their runs-on, and so need as many shards; 1 is too few'
noxmk matrix --shards 2 lnit
check 'a goal that is none' has "$err" 'did you mean lint?'

standin together
sed -i 's/"gpu": {/"types": {"together": ["audit"]}, &/' facts.json
noxmk matrix --shards 2 types audit test-a
check 'a table: what `together` says' has "$out" '  types stays with audit (together)'

# What nobody knows is not made up.

standin unknown
unset NOXMK_HISTORY
noxmk matrix --shards 2 types audit test-a lint
check 'without a history no time is told' same "$(sed 's/  */ /g' "$out")" "shard runs on expected targets
1/2 ? lint types
2/2 ? test-a audit

4 sessions on 2 machines
No session has passed yet, so nobody knows how long they take: they are divided by number."
noxmk matrix --shards 2 --json types audit test-a lint
check 'nor in JSON' same "$(grep -o '"seconds":[^,]*' "$out" | tr '\n' ' ')" '"seconds":null "seconds":null '
noxmk matrix --within 5m types audit
check 'nothing is within a time then' same "$status $(cat "$out" "$err")" \
	'1 noxmk: nobody knows how long sessions take, as none has passed yet: say how many machines, or where the history is (NOXMK_HISTORY)'
echo '{"schema":1,"sessions":{"lint":[10],"types":[20]}}' >some.json
NOXMK_HISTORY=some.json noxmk matrix --shards 3 types audit lint
check 'where one is unknown the others are told' same "$(sed -n 's/  */ /g; /^[1-3]/p' "$out")" \
	"1/3 20.0s types
2/3 ? audit
3/3 10.0s lint
3 sessions on 3 machines: 20.0s; on one: 20.0s"
check 'and of how many it is' has "$out" \
	'How long 1 of them takes nobody knows yet: as long as the others, by the median.'

# One of them, by make

all=
for k in 1 2 3 4; do
	standin "machine-$k"
	mk -j2 ci "NOXMK_SHARD=$k/4@$hash"
	check "shard $k: exit 0" exits 0
	check "shard $k: it says what is left" matches "$out" \
		"^noxmk: shard $k/4: [1-3] of 8 sessions; left to other machines: "
	check "shard $k: no complaint" calm
	all="$all$(ran)"
done
check 'each session once, together what belongs together' same "$all" \
	'types cover test-a test-b audit docs lint gpu '

standin other
mk -j2 ci NOXMK_SHARD=3/4
check 'without a hash' same "$status $(ran)" '0 audit docs lint '
mk -n ci NOXMK_SHARD=3/4
check 'make -n shows that part' same "$(planned | sed 's/ .*//' | sort | tr '\n' ' ')" 'audit docs lint '
mk types audit NOXMK_SHARD=1/2
check 'goals are divided' same "$status $(ran)" '0 types '
mk types NOXMK_SHARD=2/2
check 'nothing is left for it' same "$status $(head -n 1 "$out")" \
	'0 noxmk: shard 2/2: 0 of 1 sessions; left to other machines: types'
echo 'echo "{\"sessions\": [{\"name\": \"audit\", \"result\": \"failed\"}]}" >"$5"; exit 1' >>nox
mk -k ci NOXMK_SHARD=3/4
check 'a session that fails fails the goal' exits 2
check 'and says so by name' has "$err" 'audit: failed'
standin makefile
printf 'include nox.mk\ncheck: types audit\n\t@echo checked\n' >GNUmakefile
mk check NOXMK_SHARD=2/2
check 'a goal of the makefile, too' same "$status $(ran)$(tail -n 1 "$out")" '0 audit checked'

# What does not fit

mk ci NOXMK_SHARD=1/4@0123456789abcdef
check 'another division fails' exits 2
check 'another division: it says why' has "$err" \
	"NOXMK_SHARD=1/4@0123456789abcdef: this machine divides the sessions otherwise ($hash)"
sed 's/"types":\[50\]/"types":[1]/' history.json >changed.json
mk ci "NOXMK_SHARD=1/4@$hash" NOXMK_HISTORY=changed.json
check 'another history is another division' matches "$err" 'divides the sessions otherwise'
for value in 5/4 2 '2/4@x' '1/2;touch${IFS}bad' "1/2'" '$(shell touch bad)'; do
	mk ci "NOXMK_SHARD=$value"
	check "$value: refused" exits 2
	check "$value: it says what it takes" has "$err" 'it takes 2/4'
	check "$value: nothing ran" absent bad
done
run env NOXMK_SHARD=9/8 "$MAKE" -I "$STAGE/include" -n ci
check 'by the environment, with -n' same "$status" 2
mk ci NOXMK_SHARD=1/2 SHELL=/bin/true
check 'a shell that is none' same "$status" 2

# What a session starts is whole

standin inner
sed -i '2i [ -n "${NOXMK_PROBE_OUT-}" ] || env | grep "^NOXMK_SHARD" >>seen' nox
mk types NOXMK_SHARD=1/1
check 'no session knows of it' same "$status $(cat seen 2>/dev/null)" '0 '

finish
