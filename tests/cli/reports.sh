#!/bin/sh
# Reports of runs that did not go well, in every form: right, or one clear line.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

reports() {
	run "$python3" "$TOP/tests/cli/reports.py" "$@"
	[ "$status" -eq 0 ]
}

told() {
	reports told "$STAGE/bin/noxmk" latest "$scratch/results"
}

# results EXPRESSION: it is true for the results of the last `told`, and verdicts of these.
results() {
	"$python3" -c '
import json, sys
results = json.load(open(sys.argv[1]))
verdicts = {one["target"]: one["verdict"] for one in results["sessions"]}
reasons = {one["target"]: one["reason"] or "" for one in results["sessions"]}
state = results["run"]["state"]
if not eval(f"({sys.argv[2]})"):
    sys.exit(f"{sys.argv[2]}: {state} {verdicts} {reasons}")' "$scratch/results" "$1"
}

# below PID: its descendants.
below() {
	for below_child in $(pgrep -P "$1"); do
		echo "$below_child"
		below "$below_child"
	done
}

# begin: make runs two sessions, of which one has ended and one waits; two more are to come.
begin() {
	noxfile <<'END'
@nox.session(python=False)
def done(session):
    pass


@nox.session(python=False)
def hangs(session):
    session.run("sh", "-c", ": >begun; while ! [ -e go ]; do sleep 0.05; done", external=True)


@nox.session(python=False)
def later(session):
    pass
END
	cat >pyproject.toml <<'END'
[tool.noxmk.session.hangs]
needs = ["done"]
[tool.noxmk.session.later]
needs = ["hangs"]
END
	"$MAKE" -I "$STAGE/include" -k later >"$out" 2>"$err" </dev/null &
	make=$!
	check "$1: it runs" wait_for test -e begun
}

helper() {
	pgrep -P "$make" -f 'noxmk run .* hangs$'
}

sound() {
	check "$1" told
	shift
	for expression; do
		check "$expression" results "$expression"
	done
}

# Killed by KILL

begin 'a run that goes on'
sound 'a run that goes on is told' 'state == "running"' 'verdicts["done"] == "passed"' \
	'set(verdicts) <= {"done", "hangs", "later"}' \
	'[one["target"] for one in results["running"]] == ["hangs"]' \
	'0 <= results["running"][0]["began"] <= results["run"]["wall"]'
run "$STAGE/bin/noxmk" report
check 'a run that goes on: what runs has a row' matches "$out" '^hangs +running +[0-9.]+s +- +- +since [0-9.]+s$'
check 'a run that goes on: how many run' has "$out" '1 session has ended, 1 runs, 1 passed'
run "$STAGE/bin/noxmk" report --md
check 'a run that goes on: Markdown says so' has "$out" ' so far; the run goes on, with 1 at work'
run "$STAGE/bin/noxmk" report --html
check 'a run that goes on: it is on the page' has "$out" '<tr><th scope="row">hangs</th>'
check 'a run that goes on: it is on the timeline' has "$out" '<title>hangs: running, since '
kill -9 "$(helper)"
wait "$make"
sound 'the helper was killed' 'state == "ended"' \
	'verdicts == dict(done="passed", hangs="cancelled", later="not run")' 'reasons["hangs"] == "its helper was killed"' \
	'results["running"] == []'

begin 'helper and keeper'
# shellcheck disable=SC2046 # words; a keeper may be too late for its signal
kill -9 "$(helper)" $(below "$(helper)") 2>/dev/null
wait "$make"
sound 'helper, keeper and session were killed' 'state == "ended"' 'verdicts["done"] == "passed"' \
	'verdicts["hangs"] != "passed" and "helper" in reasons["hangs"]' 'verdicts["later"] == "not run"'

begin 'make and all'
# shellcheck disable=SC2046 # words
kill -9 "$make" $(below "$make") 2>/dev/null
wait "$make" 2>/dev/null
sound 'make and all below it were killed' 'state == "stopped"' 'verdicts["done"] == "passed"' \
	'verdicts["hangs"] == verdicts["later"] == "not run"' 'results["predictions"] is None'

begin 'make'
kill -9 "$make"
wait "$make" 2>/dev/null
touch go
stopped() {
	[ "$(verdict hangs 2>/dev/null)" = cancelled ]
}
check 'make: its helper ends the session' wait_for stopped
sound 'make was killed' 'state in ("stopped", "running", "ended")' 'verdicts["done"] == "passed"' \
	'reasons["hangs"] == "make was killed"' 'verdicts["later"] == "not run"'

# A full disk: the run's own reports have no room, and say so; its records and verdicts have

noxfile <<'END'
@nox.session(python=False)
def fills(session):
    with open(os.path.realpath(".nox/.noxmk/latest") + "/filling", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError:
            pass


@nox.session(python=False)
def fails(session):
    session.error("it is broken")
END
mkdir -p "$state/runs"
if mount -t tmpfs -o size=256k tmpfs "$state/runs" 2>"$err"; then
	at_exit="umount '$PWD/$state/runs'"
	mk -k fills fails NOXMK_REPORT='json md trace junit'
	cp "$err" "$scratch/said"
	check 'a full disk: the goals fail for what has failed only' \
		same "$(verdicts | tr '\n' ' ')" 'fails: aborted fills: passed '
	lost=0
	for file in junit.xml reports/results.json reports/trace.json; do
		lines=$(grep -c "^noxmk: $file: No space left on device$" "$scratch/said")
		named=$(grep -c "^noxmk: reports:.*/$file" "$out")
		check "a full disk: $file is named if it is there" \
			same "$named" "$(find "$state/latest/$file" 2>/dev/null | wc -l)"
		if [ -e "$state/latest/$file" ]; then
			check "a full disk: $file is there, and whole" \
				same "$lines $(tail -c 2 "$state/latest/$file" | tr -d '\n' | tr '>' '}')" '0 }'
		else
			lost=$((lost + 1))
			check "a full disk: one line says that there is no room for $file" same "$lines" 1
		fi
	done
	check 'a full disk: it was full' test "$lost" -gt 0
	sound 'a full disk: all is told of the records' 'state == "ended"' \
		'verdicts == dict(fills="passed", fails="aborted")'
	run "$STAGE/bin/noxmk" report --json --out "$state/latest/kept"
	check 'a full disk: one line says that there is no room' \
		same "$status $(sed 's/^noxmk: [^ ]*kept: //' "$err")" '1 No space left on device'
	check 'a full disk: there is no half of a report' absent "$state/latest/kept"
	umount "$state/runs"
	at_exit=:
else
	skip 'a full disk' "no disk of our own: $(cat "$err")"
fi

# What is no run

mkdir -p "$scratch/other"
for text in '' nonsense '[]'; do
	echo "$text" >"$scratch/other/.run.json"
	check "refused in one line: '$text' for a run's info" reports refused "$STAGE/bin/noxmk" \
		"$scratch/other/"
done

# Hostile texts, and very many

for sessions in 50 500 5000; do
	reports make "$scratch/$sessions" "$sessions"
done
check 'texts of strangers' reports told "$STAGE/bin/noxmk" "$scratch/50/" "$scratch/results"
check 'all sessions are there' results 'len(verdicts) == 50 and results["critical_path"]'
check '5,000 sessions take not more than ten times what 500 do' reports grow "$STAGE/bin/noxmk" \
	"$scratch/500/" "$scratch/5000/"
sed 's/^/# /' "$out"
finish
