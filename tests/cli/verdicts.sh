#!/bin/sh
# How sessions end, and what is kept of that: verdicts with reasons, logs, records, old runs; also
# when somebody stops them. (versions.sh has the verdicts of every nox.)

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk

# Reasons, logs and records.

project verdicts
mk -j2 -k pass fail error skip raise_exc missing_program exit7 killself killed_command noisy quiet
check 'exit 2' exits 2
check 'fail: the reason' matches "$state"/latest/fail.json '"reason": "Command sh -c .* failed with exit code 3"'
check 'error: the reason' same "$(reason error)" 'no database here'
check 'skip: the reason' same "$(reason skip)" 'not on a Sunday'
check 'raise_exc: the reason' same "$(reason raise_exc)" "LookupError: the noxfile's own mistake"
check 'missing_program: the reason' same "$(reason missing_program)" \
	'Program noxmk-test-no-such-program not found.'
check 'exit7: the reason' same "$(reason exit7)" 'nox exited with status 7 and left no report'
check 'exit7: the exit code' has "$state"/latest/exit7.json '"exit": 7,'
check 'killself: the reason' same "$(reason killself)" 'nox was killed by SIGKILL'
check 'killself: the signal' has "$state"/latest/killself.json '"signal": 9,'
check 'pass: no reason' has "$state"/latest/pass.json '"reason": null,'
check 'the reasons are in the table' matches "$out" '^error +aborted +[0-9.]+s  no database here$'
check 'the logs of all that failed, once each' same "$(sed -n 's/^--- \([a-z0-9_]*\) .*/\1/p' "$out" |
	tr '\n' ' ')" 'fail error raise_exc missing_program exit7 killself killed_command '
check 'the total' has "$out" 'noxmk: 11 sessions: 3 passed, 6 failed, 1 skipped, 1 aborted; '

check 'log: the command first' matches "$state"/latest/pass.log '^\$ .*shim\.py -f noxfile\.py -s pass --report '
check 'log: the status last' same "$(tail -n 1 "$state"/latest/fail.log)" '[exited with status 1.]'
"$STAGE/bin/noxmk" end >/dev/full 2>"$err"
status=$?
check 'noxmk end on a full disk: exit 125' same "$status $(cat "$err")" '125 noxmk: standard output: No space left on device'
# Another reader of XML than the writer agrees with the records.
check 'junit.xml: what the records say' "$python3" -c '
import glob, json, sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1] + "/junit.xml").getroot().find("testsuite")
found = {case.get("name"): [e.tag for e in case if e.tag != "system-out"]
	for case in suite.iter("testcase")}
names = {"failed": ["failure"], "aborted": ["failure"], "skipped": ["skipped"], "passed": []}
wanted = {r["target"]: names[r["verdict"]]
          for r in (json.load(open(f)) for f in glob.glob(sys.argv[1] + "/*.json"))}
assert found == wanted and len(found) == int(suite.get("tests")), (found, wanted)
assert "exited with status 1" in suite.find("testcase[@name=\"fail\"]/system-out").text
' "$state/latest"
check 'log: a blank line before it' same "$(tail -n 2 "$state"/latest/fail.log | head -n 1)" ''
check 'log: a signal' same "$(tail -n 1 "$state"/latest/killself.log)" '[killed by signal 9.]'
check 'log: last words' has "$state"/latest/killself.log 'last words'
check 'log: both streams, in order' same "$(grep -A 1 '^before the fall' "$state"/latest/fail.log | tail -n 1)" \
	'and an error'
# The session's bytes, NUL and all, as Python finds them in the file.
run "$python3" -c 'import runpy, sys, types
sys.modules["nox"] = nox = types.ModuleType("nox")
nox.session = nox.parametrize = lambda *_, **__: lambda function: function
nox.options = types.SimpleNamespace()
noise = runpy.run_path("noxfile.py")["NOISE"]
assert noise in open(".nox/.noxmk/latest/noisy.log", "rb").read()'
check 'log: byte for byte' exits 0

run "$python3" -c 'import glob, json
paths = glob.glob(".nox/.noxmk/latest/*.json")
assert len(paths) == 11
for path in paths:
    record = json.load(open(path, encoding="ascii"))
    assert record["schema"] == 1 and record["log"] == record["target"] + ".log"
    assert 0 <= record["ended"] - record["started"] - record["duration"] < 5, record'
check 'records: JSON, with times that fit' exits 0
run "$noxmk" log fail
check 'noxmk log: exit 0' exits 0
check 'noxmk log: the file as it is' cmp -s "$out" "$state"/latest/fail.log
run "$noxmk" log ../../sessions
check 'noxmk log: no other file' exits 1
run "$noxmk" -C / log fail
check 'noxmk -C: there is no project' exits 125

# What is shown.

mk NOXMK_OUTPUT=live -j2 noisy fail
check 'live: while they run' has "$out" 'before the fall'
check 'live: no log again' lacks "$out" '--- fail'
mk NOXMK_OUTPUT=failed pass
check 'failed: no output of what passes' lacks "$out" 'nox > '
mk fail
check 'auto, one session: shown' has "$out" 'before the fall'
check 'auto, one session: once' same "$(grep -c 'before the fall$' "$out")" 1
mk -j2 pass fail
check 'auto, two: the failed one at the end' has "$out" '--- fail failed: '
check 'auto, two: not the one that passed' lacks "$out" '--- pass'

# Old runs.

rm -rf "$state"/runs "$state"/latest
for turn in 1 2 3 4; do
	mk NOXMK_KEEP=2 "$([ "$turn" = 4 ] && echo skip || echo pass)"
done
check 'NOXMK_KEEP=2: two are kept' same "$(runs)" 2
check 'NOXMK_KEEP=2: the newest is' same "$(verdicts)" 'skip: skipped'
check 'NOXMK_KEEP=2: nor what names the others' same "$(find "$state"/runs -name ".make-*" | wc -l)" 2
mk NOXMK_KEEP=none pass
check 'NOXMK_KEEP=none: exit 2' exits 2
check 'NOXMK_KEEP=none: a message' has "$err" 'NOXMK_KEEP'
if git init -q . 2>/dev/null; then
	check 'git: the state folder is not there' same "$(git status --porcelain | grep nox/)" ''
else
	skip 'git: the state folder is not there' 'no git here'
fi

# Usage.

for wrong in '' nonsense '-Z' 'run' 'run -Z' 'log -f' 'run -k 0' '-C' 'list -r 1'; do
	# shellcheck disable=SC2086 # words
	run "$noxmk" $wrong
	check "noxmk $wrong: exit 2" exits 2
	check "noxmk $wrong: on stderr" not quiet "$err"
done
run "$noxmk" -V
check 'noxmk -V' matches "$out" '^noxmk [0-9.]+$'
run "$noxmk" help
check 'noxmk help: names the commands' \
	same "$(grep -cE '^  (plan|run|end|verdict|list|show|log|help)( |$)' "$out")" 8
run "$noxmk" run -r 1-x pass
check 'a key that is none: exit 125' exits 125
check 'a key that is none: a message' has "$err" "'1-x' does not name a make"

# Somebody stops them. Sessions tell the pids of all they have started, and of their helper.

noxfile <<'END'
SCRIPT = "{} echo $$ >>pids; sh -c '{} echo $$ >>pids; exec sleep 600' & touch hangs; wait; sleep 600"

def hang(session, trap=""):
    keeper = os.getppid()
    words = open(f"/proc/{keeper}/cmdline").read().split("\0")
    if words[0] == "noxmk-keeper":  # of one that is forked: it names the helper's
        keeper = words[2]
    with open("helper", "w") as file:
        file.write(open(f"/proc/{keeper}/stat").read().split()[3])  # behind its keeper
    with open("pids", "w") as file:
        file.write(f"{os.getpid()}\n")
    session.run("sh", "-c", SCRIPT.format(trap, trap), external=True)

@nox.session(python=False)
def gentle(session):
    hang(session)

@nox.session(python=False)
def stubborn(session):
    hang(session, 'trap "" INT TERM;')

@nox.session(python=False)
def quick(session):
    pass
END
hangs() {
	[ -e hangs ] && [ "$(wc -l <pids)" -eq 3 ]
}

# A zombie is dead: its new parent takes its time to bury it.
survivors() {
	[ -s pids ] || echo 'no pids'
	while read -r pid; do
		! grep -qs '^State:[^Z]*$' "/proc/$pid/status" || echo "$pid"
	done <pids
}

nobody() {
	[ "$(survivors)" = '' ]
}

# begin TARGET...: in the background, where sh would have INT ignored; sets make.
begin() {
	rm -f hangs pids helper go
	last="make -j2 $*, in the background"
	env --default-signal "$MAKE" -I "$STAGE/include" -j2 "$@" >"$out" 2>"$err" </dev/null &
	make=$!
}

# One has ended, the other runs.
half_done() {
	hangs && [ "$(verdict quick 2>/dev/null)" = passed ]
}

# stop SIGNAL TARGET: of its helper.
stop() {
	begin "$2" quick
	check "$1 $2: it runs" wait_for hangs
	kill "-$1" "$(cat helper)"
	wait $make
	status=$?
	check "$1 $2: make exits 2" exits 2
	check "$1 $2: cancelled" same "$(verdict "$2")" cancelled
	check "$1 $2: with the reason" same "$(reason "$2")" "SIG$1"
	check "$1 $2: the other passed" same "$(verdict quick)" passed
	check "$1 $2: nobody survives" wait_for nobody
	check "$1 $2: the total comes last" has "$out" '1 passed, 1 cancelled; '
}
stop TERM gentle
stop INT gentle
stop HUP gentle
stop TERM stubborn

# make on ^C and TERM: it passes TERM on, and waits for its helpers.
begin gentle quick
check 'TERM of make: one has ended, one runs' wait_for half_done
kill -TERM $make
wait $make
check 'TERM of make: nobody survives' wait_for nobody
check 'TERM of make: cancelled' same "$(verdict gentle)" cancelled
check 'TERM of make: the other record is whole' same "$(verdict quick)" passed

# A crash of make: what has ended is kept, what runs is cancelled.
begin quick gentle
check 'KILL of make: one has ended, one runs' wait_for half_done
run_of_it=$(readlink "$state"/latest)
kill -KILL $make
wait $make 2>/dev/null
check 'KILL of make: the record of what has ended' same "$(verdict quick)" passed
cancelled() {
	[ "$(verdict gentle 2>/dev/null)" = cancelled ]
}
check 'KILL of make: the other is cancelled' wait_for cancelled
check 'KILL of make: with the reason' same "$(reason gentle)" 'make was killed'
check 'KILL of make: nobody survives' wait_for nobody
check 'KILL of make: the total comes all the same' wait_for has "$out" '1 passed, 1 cancelled; '
mk quick
check 'KILL of make: the next run works' same "$status $(verdicts)" '0 quick: passed'
check 'KILL of make: it is another run' differ "$run_of_it" "$(readlink "$state"/latest)"

# nox's report cannot be written: the session has removed the folder that it goes to.
noxfile <<'END'
import glob, shutil
def remove():
    for folder in glob.glob(os.environ["XDG_RUNTIME_DIR"] + "/noxmk-*/*"):
        shutil.rmtree(folder)
@nox.session(python=False)
def passes(session): remove()
@nox.session(python=False)
def fails(session):
    remove()
    session.error("its reason")
@nox.session(python=False)
def skips(session):
    remove()
    session.skip()
END
mkdir runtime
chmod 700 runtime
for session in passes:passed fails:aborted skips:skipped; do
	XDG_RUNTIME_DIR=$PWD/runtime mk "${session%:*}"
	check "no report: ${session%:*}" same "$(verdict "${session%:*}")" "${session#*:}"
	check "no report: ${session%:*} says so" same "$(reason "${session%:*}")" \
		'nox could not write its report'
done

finish
