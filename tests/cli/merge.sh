#!/bin/sh
# What several machines have done becomes one run by `noxmk merge`; what is missing, cut off, there
# twice, of another commit or hostile fails it, by name.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk() {
	run "$STAGE/bin/noxmk" "$@"
}

# In the project a shell script stands in for nox (tests/standin.py). `types` fails.
fresh checkout
"$python3" - "$TOP/tests" "$PWD" "$STAGE" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import standin
standin.of_names(*sys.argv[2:], ["lint", "docs", "test-a", "test-b", "types", "audit"],
                 {"docs": {"needs": ["lint"]}})
END
sed -i '/^echo/i [ "$name" != types ] || { echo bad; exit 1; }' nox
mkdir .git
echo 0123456789abcdef0123456789abcdef01234567 >.git/HEAD
export NOX=./nox

# Three machines, each with a checkout of its own; what is left of them are artifacts, by other
# names, with the modes that a zip file leaves.

noxmk matrix --shards 3 --json
cp "$out" "$scratch/matrix.json"
hash=$(sed -n 's/.*"3\/3@\([0-9a-f]*\)".*/\1/p' "$out")
mkdir "$scratch/good"
for k in 1 2 3; do
	cp -a "$scratch/checkout" "$scratch/machine-$k"
	cd "$scratch/machine-$k" || exit 1
	mk -j2 ci "NOXMK_SHARD=$k/3@$hash"
	cp -RL "$state/latest" "$scratch/good/artifact-$k"
	chmod -R u=rwX,go=rX "$scratch/good/artifact-$k"
done
cp -a "$scratch/checkout" "$scratch/one"
cd "$scratch/one" || exit 1
mk -j2 ci
verdicts >"$scratch/verdicts-of-one"
junit() {
	sed -E 's/(time|timestamp|name="noxmk[^"]*"|id)="[^"]*"//g; s/[0-9]+\.[0-9]+s?//g' \
		"$state/latest/junit.xml" | grep -o '<test[a-z]* [^>]*>\|<failure[^>]*>' |
		sed -n 's/.*\(<[a-z]*\).* name="\([^"]*\)".*/\1 \2/p; /<failure/p' | sort
}
junit >"$scratch/junit-of-one"
failed_of_one=$(cat "$state/failed")

cd "$scratch/checkout" || exit 1
noxmk merge "$scratch"/good/*/
check 'a session that fails makes the exit code 1' exits 1
check 'it is named, and no other' same "$(cat "$err")" 'noxmk: types: failed'
check 'the summary is that of one run' matches "$out" '^noxmk: 6 sessions: 5 passed, 1 failed; '
check 'the log of what failed is shown' has "$out" bad
check 'it says where each session ran' same "$(sed -n '/^session/,/^$/s/.* on \(shard .*\)/\1/p' "$out" | sort -u | tr '\n' '|')
$(grep -c '^[a-z].* on shard ./3$' "$out")" 'shard 1/3|shard 2/3|shard 3/3|
6'
check 'the verdicts are those of one run' same "$(verdicts)" "$(cat "$scratch/verdicts-of-one")"
check 'the JUnit report, too' same "$(junit)" "$(cat "$scratch/junit-of-one")"
check 'the failed list, too' same "$(cat "$state/failed")" "$failed_of_one"
check 'all that have passed are learned' same "$(grep -o '"[a-z-]*":\[[0-9.]*\]' "$state/history.json" |
	sed 's/:.*//' | sort | tr '\n' ' ')" '"audit" "docs" "lint" "test-a" "test-b" '
noxmk log types
check 'the logs are there' has "$out" bad
noxmk report --json
check 'the report is of one run' same "$status $(grep -c '"well": ' "$out")" '0 6'
check 'it says which machine ran what' same "$(sed -n 's/^ *"machine": //p' "$out" | sort -u | tr -d '\n')" \
	'"shard 1/3","shard 2/3","shard 3/3",'
cp "$out" "$scratch/report.json"
noxmk report
check 'the report: no machine waited for the others' "$python3" -c '
import json, re, sys
sessions = json.load(open(sys.argv[1]))["sessions"]
machines = {session["target"]: session["machine"] for session in sessions}
had = re.findall(r" (\S+)  it waited for a job slot, which (\S+) had", open(sys.argv[2]).read())
sys.exit(any(machines[one] != machines[other] for one, other in had))' "$scratch/report.json" "$out"
check 'the report: how many machines' has "$out" '6 sessions on 3 machines, 5 passed, 1 failed'
noxmk report --svg
check 'the timeline: lanes for each machine' same "$(grep -o '>shard ./3<' "$out" | sort | tr -d '\n')" \
	'>shard 1/3<>shard 2/3<>shard 3/3<'
noxmk merge --expect 3 --matrix "$scratch/matrix.json" --report 'json md' "$scratch"/machine-?/"$state"
check 'state folders are as good, and what is expected is there' same "$status $(cat "$err")" \
	'1 noxmk: types: failed'
check 'reports that are asked for' [ -s "$state/latest/reports/results.json" ]
mk -n rerun-failed
check 'rerun-failed runs it' same "$(planned)" types

# Faults. spoil FOLDER: a copy of what the machines left, to be spoilt in there.

spoil() {
	rm -rf "$scratch/bad"
	cp -a "$scratch/good" "$scratch/bad"
	cd "$scratch/bad/artifact-2" || exit 1
	ours=$(basename "$(grep -l '"verdict": "passed"' ./*.json | head -n 1)" .json)
}
# merged [OPTION...]: all of them.
merged() {
	cd "$scratch/checkout" || exit 1
	noxmk merge "$@" "$scratch"/bad/*/
}
# faulty NAME TEXT: it has failed so.
faulty() {
	check "$1: fails" exits 1
	check "$1: is told" matches "$err" "$2"
}

spoil
rm -rf ../artifact-2
merged
faulty 'a machine that is missing' "missing: no folder has what was to run: .*$ours.* \\(shard 2/3\\)"
check 'a machine that is missing: its sessions are told once' lacks "$err" 'not run'
check 'a machine that is missing: what it was to run is not run' same "$(verdict "$ours")" 'not run'
merged --expect 3
faulty 'fewer folders than expected' '2 folders are here, and 3 are expected'
merged --matrix "$scratch/matrix.json"
faulty 'a machine of the matrix' 'shard 2/3 is missing'
spoil
rm .ended "$ours.json"
merged
faulty 'a machine that was cut off' \
	"bad/artifact-2/: cut off: its make did not come to its end; no record of $ours"
check 'a machine that was cut off: why' has "$out" 'which is cut off'
spoil
truncate -s 100 "$ours.json"
merged
faulty 'a record that is cut off' "bad/artifact-2/: $ours.json: not a record of a session"
check 'a record that is cut off: it is told once' same "$(grep -c 'not a record' "$err")" 1
spoil
truncate -s 50 .run.json
merged
faulty 'a run that is cut off' 'bad/artifact-2/: .run.json: damaged'
spoil
sed -i 's/"commit": "0/"commit": "f/' .run.json
merged
faulty 'another commit' 'artifact-2/: of another commit, f12345678.*, and here is 012345678'
check 'another commit: nothing of it counts' same "$(verdict "$ours")" 'not run'
sed -i 's/"commit": "0/"commit": "f/' "$scratch"/bad/artifact-[13]/.run.json
latest=$(readlink "$scratch/checkout/$state/latest")
merged
faulty 'nothing but another commit' 'artifact-3/: of another commit'
check 'nothing but another commit: there is no run' same "$(readlink "$state/latest")" "$latest"
if [ "$(id -u)" = 0 ]; then
	spoil
	chown -R 65534:65534 ..
	merged
	check 'folders of another user' same "$status $(cat "$err")" '1 noxmk: types: failed'
	spoil
	chown 65534:65534 "$ours.json"
	merged
	faulty "a record of another user's" "artifact-2/: $ours.json: belongs to somebody else"
fi
spoil
sed -i "s/\"goals\":\[/&\"gone\",/" .request.json
merged
faulty 'a target that there is not' 'artifact-2/: gone is no target of the plan here'
spoil
cp -a . ../artifact-4
merged
faulty 'the same run twice' 'artifact-2/ and .*artifact-4/ are the same run'
spoil
cp -a . ../artifact-4
sed -i 's/"run": ".*"/"run": "20261123T011828.250Z-c0ffee01"/' ../artifact-4/.run.json
merged
faulty 'a shard twice' 'shard 2/3 is there twice: .*artifact-2/ and .*artifact-4/'
check 'what both have is named in one line' same "$(grep -c "^noxmk: there twice, in .*artifact-2/ and .*artifact-4/: .*$ours" "$err")" 1
sed -i 's/"verdict": "passed"/"verdict": "failed"/; s/"exit": 0/"exit": 1/' "$scratch/bad/artifact-4/$ours.json"
merged
check 'a session twice: the bad one counts' same "$(verdict "$ours")" failed
spoil
echo '{}' >.run.json
merged
faulty 'a run without a name' 'artifact-2/: .run.json: damaged, or of another release'
spoil
sed -i 's/"commit": "[^"]*"/"commit": 7/' .run.json
merged
faulty 'a commit that is no text' 'artifact-2/: .run.json: damaged, or of another release'
spoil
sed -i "s/2\/3@$hash/2\/3@0123456789abcdef/" .request.json
merged
faulty 'another division' 'are shards of different divisions'
sed -i 's/2\/3@/2\/4@/' "$scratch/bad/artifact-2/.request.json"
merged
faulty 'another number of shards' 'is of 3 shards, and .* of 4'
# What a machine was asked for, with other types or less than it has run.
for change in 's/"schema":1/"schema":2/' 's/"goals":\[/&7,/' 's/"goals":\[[^]]*/&,["types"]/' \
	's/"left":\[[^]]*\]/"left":7/' 's/"schema":1/&,"own":[7]/' 's/"schema":1/&,"own":"check"/'; do
	spoil
	sed -i "$change" .request.json
	merged
	faulty "a request: $change" 'artifact-2/: .request.json: damaged, or of another release'
done
for goals in '' "\"$ours\""; do
	spoil
	sed -i "s/\(\"goals\":\[\)[^]]*/\1$goals/; s/\(\"left\":\[\)[^]]*/\1/" .request.json
	sed "s/\"$ours\"/\"types\"/; s/\"passed\"/\"failed\"/" "$ours.json" >new
	rm -f ../artifact-?/types.json
	mv new types.json
	sed -i 's/"types",\?//; s/,\]/]/' ../artifact-[13]/.request.json
	merged
	faulty "a session that failed, though the goals are [$goals]" '^noxmk: types: failed$'
done
# The machines that are here say that nothing is left to others: the hash knows better.
spoil
rm -rf ../artifact-2
sed -i 's/"left":\[[^]]*/"left":[/' ../artifact-[13]/.request.json
merged
faulty 'a shard that is missing, as the hash says' \
	"missing: what is here is not the division $hash as a whole \\(shard 2/3\\)"
for text in '0 2 ' '0. 2' '0. '; do
	spoil
	printf %s "$text" | tr ' .' '\n\000' >.status
	merged
	faulty "a status with more behind it: $text" '.status: no exit status of make'
done
for kind in fifo link; do
	spoil
	rm .ended
	case $kind in
	fifo) mkfifo .ended ;;
	link) ln -s nowhere .ended ;;
	esac
	merged
	faulty "a $kind for .ended" 'artifact-2/: cut off: its make did not come to its end'
done
for change in 's/"exit": 0/"exit": 1/' 's/"signal": null/"signal": 9/'; do
	spoil
	sed -i "$change" "$ours.json"
	merged
	faulty "passed, though: $change" "$ours.json: its verdict is not that of its exit status"
done
# A machine that had nothing to run may be left out.
cd "$scratch/machine-1" || exit 1
noxmk matrix --shards 4 docs --json
mk docs "NOXMK_SHARD=$(sed -n 's/.*"shard":"\([^"]*\)".*/\1/p' "$out")"
cd "$scratch/checkout" || exit 1
noxmk merge "$scratch/machine-1/$state"
check 'shards that have nothing to run are not missing' same "$status $(cat "$err")" '0 '
spoil
merged --matrix "$scratch/matrix.json"
check 'shards of that matrix' same "$status $(cat "$err")" '1 noxmk: types: failed'
cd "$scratch/checkout" || exit 1
noxmk matrix --shards 2 --json
cp "$out" "$scratch/other.json"
merged --matrix "$scratch/other.json"
faulty 'shards of another matrix' 'bad/artifact-2/ is no shard of this matrix, but of another: it was to run [a-z]'
check 'shards of another matrix: each is told' same "$(grep -c 'is no shard of this matrix' "$err")" 3
printf '{"include":[{"name":"\\n::error::a","targets":"lint \\n::error::hit\\u001b[31m"}]}' \
	>"$scratch/hostile.json"
merged --matrix "$scratch/hostile.json"
faulty 'a hostile matrix' 'shard .*: the matrix is of another commit: it names what is no target'
check 'a hostile matrix: it is made safe' not grep -q -e '^::error' -e "$(printf '\033')" "$err" "$out"
for entry in 7 null '{"name":"2/3"}' '{"name":"2/3","targets":["lint"]}' '{"targets":"lint"}' \
	'{"name":"2/3","targets":" "}' '{"name":"2/3","targets":"lint","shard":7}'; do
	echo "{\"include\":[{\"name\":\"1/3\",\"targets\":\"docs\"},$entry]}" >"$scratch/odd.json"
	merged --matrix "$scratch/odd.json"
	check "a matrix with $entry" exits 2
	check "a matrix with $entry: is told" has "$err" "odd.json: include[1]: no shard with a name"
done
# What machines were named to run has no hash.
rm -rf "$scratch/bad"
i=0
for targets in $(sed 's/"targets":"\([^"]*\)"/\n=\1\n/g' "$scratch/matrix.json" | sed -n 's/^=//p' | tr ' ' ,); do
	i=$((i + 1))
	cd "$scratch/machine-$i" || exit 1
	# shellcheck disable=SC2046 # words
	mk -k $(echo "$targets" | tr , ' ')
	mkdir -p "$scratch/bad"
	cp -RL "$state/latest" "$scratch/bad/artifact-$i"
done
merged --matrix "$scratch/matrix.json"
check 'shards by their targets' same "$status $(cat "$err")" '1 noxmk: types: failed'
merged --matrix "$scratch/other.json"
faulty 'shards by the targets of another matrix' 'bad/artifact-2/ is no shard of this matrix'
for what in .run.json .request.json "$ours.json"; do
	for kind in fifo link folder huge; do
		spoil
		rm "$what"
		case $kind in
		fifo) mkfifo "$what" ;;
		link) ln -s "$scratch/one/$state/latest/$what" "$what" ;;
		folder) mkdir "$what" ;;
		huge) truncate -s 1T "$what" ;;
		esac
		merged
		faulty "a $kind for ${what#"$ours"}" '^noxmk: '
		check "a $kind for ${what#"$ours"}: it does not count" same "$(verdict "$ours")" 'not run'
	done
done
# What the machines are like

noxmk matrix --shards 2
check 'of no CI nobody knows what its machines cost' not grep -q 'Each machine takes' "$out"
for busy in 30 '"x"' 1e9; do
	rm -rf "$scratch/bad"
	cp -a "$scratch/good" "$scratch/bad"
	sed -i "s/\"processors\":[0-9]*/\"processors\":2,\"busy\":$busy/" "$scratch"/bad/*/.request.json
	merged
	noxmk matrix --shards 2
	check "machines that were busy for $busy: learned" has "$out" 'Each machine takes 30.0s besides'
done
check 'how many processors they have, too' has "$state/history.json" \
	'"machine":{"seconds":[30.0],"processors":2}'
noxmk matrix --shards 2 --json
check 'what is expected has it' matches "$out" '"seconds":30\.'
noxmk matrix --shards 2 --machine-cost 0
check 'the user knows better' not grep -q 'Each machine takes' "$out"

# Goals of the makefile's own, of which no record tells

cp -a "$scratch/checkout" "$scratch/own"
cd "$scratch/own" || exit 1
printf 'include nox.mk\ncheck: lint docs\n\t@test ! -e broken\n' >GNUmakefile
touch broken
for k in 1 2; do
	mk -j2 check "NOXMK_SHARD=$k/2"
	[ "$k" != 1 ] || first=$status
	rm -f broken
	cp -RL "$state/latest" "$scratch/own-$k"
done
check 'the goal has failed on one machine, and no session' same "$first $status" '2 0'
noxmk merge "$scratch"/own-?/
check 'a goal of whose end nothing tells' exits 1
check 'it is named' has "$err" 'own-1/: nothing tells whether its make has made check: note its exit status in .status'
echo "$first" >"$scratch/own-1/.status"
echo 0 >"$scratch/own-2/.status"
noxmk merge "$scratch"/own-?/
check 'a goal that has failed' same "$status $(cat "$err")" \
	"1 noxmk: $scratch/own-1/: its make has failed, with status 2, and none of its sessions: see what it said of check"
echo 0 >"$scratch/own-1/.status"
noxmk merge "$scratch"/own-?/
check 'all goals are made' same "$status $(cat "$err")" '0 '
for text in '' x 256 -1 '0 0 0 0 0 0 0 0 0 0 0 0 0'; do
	echo "$text" >"$scratch/own-1/.status"
	noxmk merge "$scratch"/own-?/
	check "a status that is none: $text" has "$err" 'own-1/: .status: no exit status of make'
done
rm "$scratch/own-1/.status"
mkfifo "$scratch/own-1/.status"
noxmk merge "$scratch"/own-?/
check 'a status that is a FIFO' same "$status $(grep -c 'no exit status of make' "$err")" '1 1'
rm "$scratch/own-1/.status"
echo 0 >"$scratch/own-1/.status"
sed -i 's/"own":\["check"\]/"own":["\\n::error::hit"]/' "$scratch/own-1/.request.json"
echo 2 >"$scratch/own-1/.status"
noxmk merge "$scratch"/own-?/
check 'its name is made safe' same "$status $(grep -c '^::error' "$err")" '1 0'
echo 0 >"$scratch/own-1/.status"

# What cannot be written

if mount -t tmpfs -o size=48k tmpfs "$state/runs" 2>"$scratch/why"; then
	at_exit="umount '$PWD/$state/runs'"
	noxmk merge "$scratch"/own-?/
	check 'there is room for all' exits 0
	for log in "$scratch"/own-?/*.log; do
		head -c 30000 /dev/zero | tr '\0' x >>"$log"
	done
	noxmk merge "$scratch"/own-?/
	check 'a full disk is no success' exits 125
	check 'a full disk is told' has "$err" 'No space left on device'
	umount "$state/runs"
	at_exit=:
else
	skip 'a full disk' "no disk of our own: $(cat "$scratch/why")"
fi
spoil
echo secret >"$scratch/secret"
ln -sf "$scratch/secret" "$ours.log"
mkfifo x.json ../../bad/artifact-1/plan.fifo
ln -sf "$scratch/secret" plan.jsonl
sed -i "s|\"notify\": \[\]|\"notify\": [{\"target\":\"/../../../../hit\",\"posargs\":[]},7]|;
	s|\"attempts\": \[\]|\"attempts\": [{\"log\":\"../../../secret\",\"verdict\":\"failed\"}]|" "$ours.json"
merged
check 'a log that is a link is not read' not grep -qr secret "$state"/latest/
check 'a log that is a link is told' matches "$err" "$ours.log: a link"
check 'a record leads to no other file' absent "$scratch"/hit* "$scratch"/*.notified \
	"$scratch/checkout"/*.notified
check 'the verdict counts all the same' same "$(verdict "$ours")" passed
spoil
cd ..
rm -rf artifact-2
ln -s "$scratch/good/artifact-2" artifact-2
ln -s / artifact-4
merged
faulty 'folders that are links' 'artifact-2/: no folder: unpack an archive, and name what a link leads to'
spoil
rm .[a-z]*
merged
faulty 'an artifact without hidden files' 'artifact-2/: no run is in there: name the folder of each run; an artifact needs hidden files'

spoil
printf '{"schema":1,"goals":["\\n::error::hit\\u001b[31m"],"knobs":{"NOXMK_KEEP":"\\n::error::hit"}}' >.request.json
printf '{"schema":1}\n::error::hit\n\033[31m' >plan.jsonl
printf 'x' >'gone.json'
merged
faulty 'text that a CI or a terminal could take for its own' '.request.json: damaged'
check 'it is made safe' not grep -q -e '^::error' -e "$(printf '\033')" "$err" "$out"
spoil
head -c 9000000 /dev/zero | tr '\0' ' ' >>"$ours.json"
merged
faulty 'a record that is too large' "$ours.json: larger than a record is"
check 'a record that is too large does not count' same "$(verdict "$ours")" 'not run'

# Words

cd "$scratch/checkout" || exit 1
for words in '' '--expect 0 x' '--matrix /nonexistent x' "--matrix $PWD/facts.json x" \
	'--report pdf x' '--frobnicate x'; do
	# shellcheck disable=SC2086 # words
	noxmk merge $words
	check "merge $words: usage" exits 2
done
latest=$(readlink "$state/latest")
noxmk report "$PWD/$state/latest"
check 'the path of the latest run is followed' exits 0
noxmk merge "$scratch/one/$state/latest"
check 'also by merge' has "$out" '6 sessions'
noxmk merge "$scratch/one/$state"
rm -rf "$scratch/elsewhere"
ln -s "$scratch/one/$state/runs" "$scratch/elsewhere"
noxmk report "$scratch/elsewhere/"
check 'no other link is' exits 1
latest=$(readlink "$state/latest")
noxmk merge nonexistent
check 'where nothing counts there is no run' same "$(readlink "$state/latest")" "$latest"
check 'a folder that is not there' same "$status $(cat "$err")" '1 noxmk: nonexistent: No such file or directory'

finish
