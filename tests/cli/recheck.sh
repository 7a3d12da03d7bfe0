#!/bin/sh
# NOXMK_RECHECK: sessions that failed while others ran are run once more, alone, at the end. They
# meet each other by files, and a shell script stands in for nox.

# shellcheck disable=SC2016,SC2317 # what sessions do; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk
nap='sleep 7655' # by which what is left would be found

fresh project
echo 'include nox.mk' >GNUmakefile
: >noxfile.py
# Each start of a session leaves its environment and its words.
cat >nox <<'END'
#!/bin/sh
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
	exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=} report=$5
echo x >>"runs.$name"
n=$(wc -l <"runs.$name")
env | grep -v -e ^_= -e ^PWD= | sort >"env.$name.$n"
shift 5
echo "$*" >"words.$name.$n"
until_there() {
	tries=0
	until [ -e "$1" ] || [ "$((tries += 1))" -gt 15000 ]; do
		sleep 0.02
	done
}
if (. "./do.$name"); then
	result=success
else
	result=failed
fi
echo "{\"sessions\": [{\"name\": \"$name\", \"result\": \"$result\", \"reason\": \"its reason\", \"duration\": 0.01}], \"notify\": $(cat "notify.$name" 2>/dev/null || echo '[]')}" >"$report"
[ "$result" = success ]
END
chmod +x nox
NOX=./nox
export NOX

# race fails while there is `here`, which company removes at its end; code fails always, and company
# is there until its last attempt.
echo '[ -e race.met ] || until_there here; ! [ -e here ] || { : >race.met; exit 1; }' >do.race
echo 'exit 1' >do.code
echo ': >here; until_there race.met; mv here gone; until_there env.code.2' >do.company
echo : >do.first
echo : >do.late
echo : >do.caller
echo '[{"index": 6, "posargs": ["-k", "a b"]}, {"index": 7}]' >notify.caller # hangs, beside
# As race, but alone it does what do.again says.
echo 'if [ -e met ]; then : >again; . ./do.again; fi; until_there here; : >met; echo ::error::first; exit 1' >do.hangs
echo ': >here; until_there met' >do.beside
echo 'echo ::error::again; exit 1' >do.again
echo 'until_there here; sleep 0.3 # too long for a small share
: >met; exit 1' >do.slow

"$python3" - <<'END'
import json, os
plain = {"description": "", "python": None, "envdir": None, "requires_error": None, "parallel": None,
         "tags": [], "requires": [], "notifies": []}
names = ["first", "race", "code", "company", "plain", "late", "hangs", "beside", "slow", "caller"]
more = {"race": {"requires": [0]}, "late": {"requires": [2]}}
json.dump({"schema": 1, "nox": "0", "python": None, "path": [], "args": [],
           "noxfile": os.path.abspath("noxfile.py"), "queue": [0, 1, 2, 3, 5],
           "config": {"session": {"code": {"retries": 1}}},
           "sessions": [plain | {"index": i, "name": name, "session": name, "signatures": [name]}
                        | more.get(name, {}) for i, name in enumerate(names)]}, open("facts.json", "w"))
END

# go [ARGUMENT...]: make, where no session has run yet.
go() {
	rm -f ./runs.* ./env.* ./words.* ./*.met met here gone again
	mk NOXMK="$noxmk" "$@"
}

# remark TARGET: the last column of the summary.
remark() {
	sed -nE "s/^$1 +(failed|passed|not run) +[-0-9.s]+  (.*)/\2/p" "$out"
}

# starts NAME: how often it ran.
starts() {
	wc -l <"runs.$1"
}

survivors() {
	pgrep -f "^$nap\$|noxmk .*run -x" | while read -r pid; do
		case $(readlink "/proc/$pid/cwd") in "$PWD") echo "$pid" ;; esac
	done
}

none_survives() {
	[ -z "$(survivors)" ]
}

# Its code, or its company?

# tells_them_apart: of the run that was last.
tells_them_apart() {
	check "$1: the run still fails" exits 2
	check "$1: make and its jobserver are calm" calm
	check "$1: a race" same "$(remark race)" 'its reason; fails only beside company'
	check "$1: its own fault" same "$(remark code)" 'its reason; fails alone too'
	check "$1: the verdicts stay" same "$(verdicts | tr '\n' ' ')" \
		'code: failed company: passed first: passed late: not run race: failed '
	check "$1: once more each, without another attempt, and no other" \
		same "$(starts race) $(starts code) $(starts first) $(starts company)" '2 3 1 1'
}

go -j8 ci NOXMK_RECHECK=1 ARGS='-k two'
tells_them_apart 'make'
check 'it is said when it begins, and how it ends' matches "$out" '^recheck +race: once more, alone'
check 'passed alone: a line' matches "$out" '^passed +[0-9.s]+  race\.recheck: its reason$'
check 'the total has what that took' matches "$out" '5 sessions: 2 passed, 2 failed, 1 not run; .* wall time, .* more to recheck'
check 'no hint' lacks "$out" 'NOXMK_RECHECK=1'
check 'the same words' same "$(cat words.race.2)" "$(cat words.race.1)"
check 'words: --' has words.race.2 '-- -k two'
# The jobserver is another file of the same pipe.
for n in 1 2; do
	sed -E 's#/proc/[0-9]+/fd/#/proc/PID/fd/#g' "env.race.$n" >"env.$n"
done
check 'the same environment' cmp -s env.1 env.2
check 'the record' "$python3" -c 'import json, sys
race, code = (json.load(open(f"{sys.argv[1]}/{name}.json"))["recheck"] for name in ["race", "code"])
assert race["verdict"] == "passed" and race["others"] == 1 and race["beside"] == ["company"], race
assert code["verdict"] == "failed" and code["log"] == "code.recheck.log", code
' "$state/latest"
check 'junit.xml: a race' has "$state/latest/junit.xml" '<failure message="its reason; fails only beside company"/>'
check 'junit.xml: its own fault' has "$state/latest/junit.xml" '<failure message="its reason; fails alone too"/>'
check 'rerun-failed is for both' same "$(cat "$state/failed")" 'race code late '
check 'the history has not learned of it' lacks "$state/history.json" '"race"'
check 'nothing of it lies in the way of records' absent "$state/latest/race.recheck.json" "$state/latest/.race.recheck.room"
run "$noxmk" why race
check 'noxmk why race' has "$out" 'rechecked: fails only beside company'
run "$noxmk" history race
check 'noxmk history race' has "$out" 'its reason; fails only beside company'
"$noxmk" report --json >"$scratch/report.json"
check 'noxmk report --json' "$python3" -c 'import json, sys
found = {s["target"]: s["recheck"] for s in json.load(open(sys.argv[1]))["sessions"]}
assert found["race"]["verdict"] == "passed" and found["company"] is None, found
' "$scratch/report.json"
run "$noxmk" log race.recheck
check 'noxmk log race.recheck' has "$out" '[exited with status 0.]'
run "$noxmk" log race
check 'noxmk log race: as it failed' has "$out" '[exited with status 1.]'
peer make-4.4.1 make
if [ -n "$peer" ]; then
	own_make=$MAKE
	MAKE=$peer
	go -j8 ci NOXMK_RECHECK=1
	tells_them_apart 'make 4.4.1'
	MAKE=$own_make
fi

go -j8 caller NOXMK_RECHECK=1 ARGS=other
check 'a session that another has notified, too, with the words from there' \
	same "$(remark hangs) $(cat words.hangs.2)" 'its reason; fails alone too --non-interactive -- -k a b'

# When it is done.

topic='unless it is asked for: '
go -j8 ci
check 'no recheck' same "$(starts race)" 1
check 'one line says how to find out' same "$(grep -c NOXMK_RECHECK=1 "$out") $(remark race)" '1 its reason'
topic='NOXMK_RECHECK=0: '
go -j8 ci NOXMK_RECHECK=0
check 'neither' same "$(starts race) $(grep -c RECHECK "$out")" '1 0'
topic='in a CI: '
CI=true GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$scratch/steps.md
export GITHUB_ACTIONS CI GITHUB_STEP_SUMMARY
: >"$GITHUB_STEP_SUMMARY"
go -j8 hangs beside
check 'by itself, as far as its share goes' matches "$out" '^recheck +hangs: (once more|none, since it took)'
go -j8 hangs beside NOXMK_RECHECK=0
check '0 is none' lacks "$out" recheck
: >"$GITHUB_STEP_SUMMARY"
go -j8 hangs beside NOXMK_RECHECK=1
check 'its log is not on the page' lacks "$out" '--- hangs.recheck'
check 'what it tells the CI is told once' same "$(sed -n 's/^::error:://p' "$out")" first
check 'the Markdown' has "$GITHUB_STEP_SUMMARY" 'its reason; fails alone too'
unset CI GITHUB_ACTIONS GITHUB_STEP_SUMMARY
topic='nobody beside it: '
: >here
mk NOXMK="$noxmk" -j1 race NOXMK_RECHECK=1
check 'no recheck' lacks "$out" recheck
topic='FAIL_FAST: '
go -j8 hangs beside NOXMK_RECHECK=1 FAIL_FAST=1
check 'no recheck' lacks "$out" recheck
go -j8 hangs beside FAIL_FAST=1
check 'no hint' lacks "$out" RECHECK

# Its share of the time.

topic='a share: '
go -j8 slow beside NOXMK_RECHECK=1%
check 'what takes longer has none' matches "$out" \
	'^recheck +slow: none, since it took [0-9.s]+, and 0.[0-9]s are left of the 1% of the run.s time .*; NOXMK_RECHECK=1'
check 'a hint' has "$out" 'NOXMK_RECHECK=1 tells'
echo "$nap" >do.again
go -j8 hangs beside NOXMK_RECHECK=100%
check 'what comes to no end in it is ended' same "$(remark hangs)" \
	'its reason; not known if it fails alone: it took longer than its share of the run'\''s time (NOXMK_RECHECK)'
check 'nothing is left' none_survives
topic=
go -j8 hangs beside NOXMK_RECHECK=half
check 'no share' has "$err" 'NOXMK_RECHECK=half: it takes 1, 0, or a share'

# Ends that nobody wants.

# stop_by COMMAND...: in the recheck of hangs, whose make is $make_pid, a group of its own.
stop_by() {
	rm -f ./runs.* met here again
	env --default-signal=INT setsid "$MAKE" -I "$STAGE/include" NOXMK="$noxmk" -j4 hangs beside NOXMK_RECHECK=1 \
		>"$out" 2>"$err" </dev/null &
	make_pid=$!
	last=$*
	wait_for [ -e again ]
	"$@"
	wait "$make_pid"
	status=$?
	wait_for none_survives
	check 'nothing is left' none_survives
	wait_for [ -e "$state/latest/.ended" ]
	check 'the verdict stays' same "$(verdict hangs)" failed
}

# process WORDS: the one of that make with these; its keeper is younger.
process() {
	pgrep -of "noxmk .*$1 -r $make_pid-"
}

is_at_work() {
	"$noxmk" status >"$scratch/status"
	matches "$scratch/status" '^ +hangs\.recheck '
}

interrupt() {
	check 'meanwhile it is among what runs' wait_for is_at_work
	kill -INT "-$make_pid"
}

end_make() {
	kill -TERM "$make_pid"
}

kill_helper() {
	kill -KILL "$(process 'run -x')"
}

kill_end() {
	kill -KILL "$(process end)"
}

kill_make() {
	kill -KILL "$make_pid"
}

topic='^C: '
stop_by interrupt
check 'the summary' matches "$out" '^hangs +failed +.*; not known if it fails alone: SIG(INT|TERM)$'
check 'make ends so, too' same "$status" 130
topic='make gets TERM: '
stop_by end_make
check 'the summary' matches "$out" '^hangs +failed +.*; not known if it fails alone: SIGTERM$'
topic='its helper is killed: '
stop_by kill_helper
check 'the summary' matches "$out" '^hangs +failed +.*; not known if it fails alone: its helper was killed$'
check 'make goes on to its end' exits 2
topic='noxmk end is killed: '
stop_by kill_end
check 'the summary all the same' matches "$out" '^hangs +failed +[0-9.s]+  its reason$'
topic='make is killed: '
stop_by kill_make
check 'the summary' matches "$out" '^hangs +failed +.*; not known if it fails alone: SIGTERM$'

topic='it removes the state folder: '
echo 'echo said alone; rm -rf .nox' >do.again
go -j8 hangs beside NOXMK_RECHECK=1 NOXMK_OUTPUT=stream
check 'its record is there all the same' same "$(verdict hangs) $(remark hangs)" 'failed its reason; fails alone too'
check 'the run fails' exits 2
topic=
check 'nothing of it is shown while it runs' lacks "$out" 'said alone'

# A goal of the makefile's own has come to its end while another one still runs.
echo '%.done: hangs beside ; @:' >>GNUmakefile
echo 'exit 1' >do.again
# By then an end has been there that did not recheck, and so has kept no other one from it.
echo ": >there; until_there $state/latest/.ended; find '$scratch/runtime' -name .rechecks >locks" >do.first
echo 'until_there there; : >here; until_there met' >do.beside
mkdir -m 700 "$scratch/runtime"
XDG_RUNTIME_DIR=$scratch/runtime go -k -j8 some.done first NOXMK_RECHECK=1
check 'meanwhile nobody has the lock of who rechecks' quiet locks
check 'none while others run, but at the end' same "$(remark hangs | tr '\n' '.')$(grep -c '^recheck ' "$out")" \
	'its reason.its reason.its reason; fails alone too.1'

# What they met at.
topic='watched: '
echo 'echo hangs >shared; [ ! -e met ] || exit 0; until_there here; : >met; exit 1' >do.hangs
echo 'echo beside >shared; : >here; until_there met' >do.beside
go -j8 hangs beside NOXMK_RECHECK=1 NOXMK_WATCH=1 NOXMK_REPORT='json md'
if grep -q '"mechanism":"notify"' "$state/latest/hangs.trace"; then
	met='both write shared'
	check 'the summary' has "$out" "its reason; fails only beside beside: $met; "
	check 'junit.xml' has "$state/latest/junit.xml" "<property name=\"overlap\" value=\"conflict: $met (hangs, beside)\"/>"
	check 'Markdown' has "$state/latest/reports/summary.md" "- conflict: $met "
	check 'JSON' "$python3" -c 'import json, sys
told = json.load(open(sys.argv[1]))
assert told["overlaps"][0] == {"level": "conflict", "kind": "write/write", "what": "shared", "paths": 1,
    "sessions": ["hangs", "beside"], "words": "both write shared"}, told["overlaps"]
' "$state/latest/reports/results.json"
	run "$noxmk" report
	check 'noxmk report' matches "$out" "^  conflict +$met \(hangs, beside\)\$"
	sed -i 's/exit 0/exit 1/' do.hangs
	rm "$state/hazards.json"
	go -j8 hangs beside NOXMK_RECHECK=1 NOXMK_WATCH=1
	check 'what others have left makes it fail alone, too' same "$(remark hangs)" \
		'its reason; fails alone too, maybe by what others left: hangs, beside write shared'
	check 'which proves nothing' lacks "$state/hazards.json" '"failed"'
	sed -i 's/-e met ] || exit 1/-e met ] || exit 0/' do.hangs
	go -j8 hangs beside NOXMK_RECHECK=1
	check 'without a trace no hazard is named' same "$(remark hangs)" 'its reason; fails only beside beside'
	run "$noxmk" report
	check 'and the report says nothing of it' lacks "$out" ' met'
	: >met
	run "$noxmk" audit beside hangs
	go -j8 hangs beside NOXMK_RECHECK=1
	check 'what an audit has left tells, too' has "$out" "fails only beside beside: $met"
	check 'and is learned' has "$state/hazards.json" '"shared","failed"]'
	rm -r "$state/traces"
else
	skip 'what they met at' 'this kernel does not tell of system calls'
fi
topic=
echo 'if [ -e met ]; then : >again; . ./do.again; fi; until_there here; : >met; exit 1' >do.hangs

# Both of these sessions' ends begin at the same time.
cat >both <<END
#!/bin/sh
case " \$* " in *' end '*)
	echo x >>ends
	tries=0
	until [ "\$(wc -l <ends)" -ge 2 ] || [ "\$((tries += 1))" -gt 15000 ]; do
		sleep 0.02
	done ;;
esac
exec '$noxmk' "\$@"
END
chmod +x both
echo 'exit 1' >do.again
echo ': >here; until_there met' >do.beside
topic='two ends at once: '
rm -f ends ./runs.* met here again
mk -k -j8 some.done NOXMK="$PWD/both" NOXMK_RECHECK=1
check 'both came' same "$(wc -l <ends | tr -d ' ')" 2
check 'one of them rechecks' same "$(starts hangs) $(grep -c '^recheck ' "$out")" '2 1'
check 'and tells of it' same "$(remark hangs | sort | tail -n 1)" 'its reason; fails alone too'

# Another one is at it already.
cat >other <<END
#!/bin/sh
key=\${*#* -r } key=\${key%% *}
case " \$* " in *' end '*) exec flock "\$XDG_RUNTIME_DIR/noxmk-\$(id -u)/\$key/.rechecks" '$noxmk' "\$@" ;; esac
exec '$noxmk' "\$@"
END
chmod +x other
topic='another end rechecks: '
rm -f ./runs.* met here again
XDG_RUNTIME_DIR=$scratch/runtime mk -j8 hangs beside NOXMK="$PWD/other" NOXMK_RECHECK=1
check 'this one does not' same "$(starts hangs) $(grep -c '^recheck ' "$out")" '1 0'

# A session of the same make begins while one is rechecked: that shows nothing.
cat >>GNUmakefile <<'END'
late.done: plain ; @:
plain: | gate
# make does not look again for what it may start before another child ends, if that of .noxmk/begin
# has ended while it started this one.
gate: | .noxmk/begin ; @./wait_again
END
cat >wait_again <<'END'
#!/bin/sh
tries=0
until [ -e again ] || [ "$((tries += 1))" -gt 15000 ]; do
	sleep 0.02
done
END
chmod +x wait_again
topic='others again: '
echo 'until_there late.ran' >do.again
echo ': >late.ran' >do.plain
rm -f ./*.ran
go -k -j8 some.done late.done NOXMK_RECHECK=1
check 'nothing is said of it alone' same "$(remark hangs | sort | tail -n 1)" \
	'its reason; not known if it fails alone: others ran again'

finish
