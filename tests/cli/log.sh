#!/bin/sh
# `noxmk log`: of one session, of all that failed, of another run, and -f: of one that runs.

# shellcheck disable=SC2016,SC2317 # backquotes in messages; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk

noxfile <<'END'
def await_file(name):
    open("begun", "w").close()
    end = time.monotonic() + 300
    while not os.path.exists(name) and time.monotonic() < end:
        time.sleep(0.02)

@nox.session(python=False)
def slow(session):
    print("first words", flush=True)
    await_file("go")
    print("last words", flush=True)

@nox.session(python=False)
def asks(session):
    print("\033[31mwhat? ", end="", flush=True)
    await_file("go")
    print("\033[Hend\033[0m")

@nox.session(python=False)
def later(session):
    print("words of later", flush=True)

@nox.session(python=False)
def flaky(session):
    print("attempt", os.path.exists("tried"), flush=True)
    await_file("go")
    if not os.path.exists("tried"):
        open("tried", "w").close()
        session.error("not yet")

@nox.session(python=False)
def hopeless(session):
    print("words of", "hopeless", flush=True)
    session.error("it never works")

@nox.session(python=False)
def alas(session):
    print("words of", "alas", flush=True)
    session.error("nor this")

@nox.session(python=False)
def needy(session):
    pass
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.later]
after = ["slow"]
[tool.noxmk.session.flaky]
retries = 1
[tool.noxmk.session.needy]
needs = ["alas"]
END

# background COMMAND...: its pid in $pid; what it prints in $scratch/background.
background() {
	"$@" >"$scratch/background" 2>&1 </dev/null &
	pid=$!
}

# follow [OPTION] TARGET...: `noxmk log -f` at work; its pid in $follower, and followed and
# followed.err have what it prints. What an earlier one has printed is removed first: a look at the
# file before the shell has opened it would find that.
follow() {
	rm -f "$scratch/followed"
	"$noxmk" log -f "$@" >"$scratch/followed" 2>"$scratch/followed.err" </dev/null &
	follower=$!
}

# ended PID STATUS: within the time limit.
ended() {
	wait_for not kill -0 "$1" 2>/dev/null || return
	wait "$1"
	same "$?" "$2"
}

# Without a target

mk nox-plan
run "$noxmk" log
check 'no run: exit 1 and a message' same "$status $(cat "$out" "$err")" \
	'1 noxmk: there is no run yet: `make ci` makes one'
touch go
mk -j2 slow later
run "$noxmk" log
check 'nothing has failed: one line' matches "$out" '^noxmk: no session has failed in the run [0-9TZa-f.-]+$'
check 'and exit 0' same "$status $(wc -l <"$out") $(cat "$err")" '0 1 '
mk -j2 -k slow needy hopeless
run "$noxmk" log
check 'the logs of the failed ones: exit 0' exits 0
check 'each behind its line, in the order of the summary' same \
	"$(sed -n 's/^--- \([a-z]*\) \([a-z]*\): .*runs.*log$/\1 \2/p' "$out" | tr '\n' ' ')" \
	'alas aborted hopeless aborted '
check 'each log as it is' same "$(sed '/^--- /d' "$out")" \
	"$(cat "$state"/latest/alas.log; echo; cat "$state"/latest/hopeless.log)"
check 'no other' lacks "$out" 'last words'

# Another run

old=$(readlink "$state"/latest)
mk -j2 slow later
run "$noxmk" log
check 'of the last run only' has "$out" 'no session has failed'
for which in -2 "${old##*/}"; do
	run "$noxmk" log -r "$which"
	check "-r: what has failed in another one" same "$status $(grep -c '^--- ' "$out")" '0 2'
	run "$noxmk" log -r "$which" hopeless
	check "-r: the log of one session" cmp -s "$out" "$state/$old/hopeless.log"
	run "$noxmk" why -r "$which" hopeless
	check "-r: noxmk why" has "$out" 'hopeless: aborted'
done
run "$noxmk" log -r latest hopeless
check '-r latest: it has no such log' same "$status $(cat "$err")" \
	'1 noxmk: hopeless: no log in this run (`make nox-list` names the targets)'
run "$noxmk" log hopeless
check 'without -r: of the newest that has it' exits 0
run "$noxmk" log -r -4
check 'so many runs there are not' same "$status $(cat "$err")" '1 noxmk: -4: only 3 runs are kept'

# -f: a session that runs

rm -f go begun
background "$MAKE" -I "$STAGE/include" -j2 slow later hopeless
wait_for test -e begun
follow slow
wait_for has "$scratch/followed" 'first words'
check '-f: what is there so far' lacks "$scratch/followed" 'last words'
slow=$follower
"$noxmk" log -f later >"$scratch/later" 2>"$scratch/later.err" &
later=$!
check '-f: one that waits, says so' wait_for has "$scratch/later.err" 'noxmk: later has not begun yet'
wait_for test -e "$state/latest/hopeless.json"
run "$noxmk" log
check 'while it runs: what has failed so far' same "$(grep '^--- ' "$out" | cut -c 1-20)" '--- hopeless aborted'
touch go
check '-f: ends with the session' ended "$slow" 0
check '-f: it has shown all' cmp -s "$scratch/followed" "$state/latest/slow.log"
check '-f: and nothing was said' quiet "$scratch/followed.err"
check '-f: the one that waited ends, too' ended "$later" 0
check '-f: and has shown all' cmp -s "$scratch/later" "$state/latest/later.log"
wait "$pid"
run "$noxmk" log -f slow later
check '-f: of sessions that have ended, one after the other' same "$status $(cat "$out")" \
	"0 $(cat "$state/latest/slow.log" "$state/latest/later.log")"

# -f: a session that is tried again

rm -f go begun
background "$MAKE" -I "$STAGE/include" -j2 flaky slow
wait_for test -e begun
follow --raw flaky
wait_for has "$scratch/followed" 'attempt False'
touch go
check 'a retry: it ends with the last attempt' ended "$follower" 0
check 'a retry: both logs, and a line between' same "$(cat "$scratch/followed")" \
	"$(cat "$state/latest/flaky.log.1"; printf '\n--- flaky: attempt 2\n'; cat "$state/latest/flaky.log")"
wait "$pid"

# -f: somebody ends it all

rm -f go
for who in follower session all; do
	rm -f begun "$scratch/later.err"
	background setsid "$MAKE" -I "$STAGE/include" -j2 slow later
	wait_for test -e begun
	follow slow
	wait_for has "$scratch/followed" 'first words'
	"$noxmk" log -f later >"$scratch/later" 2>"$scratch/later.err" &
	later=$!
	wait_for has "$scratch/later.err" 'not begun'
	case $who in
	follower)
		kill -TERM "$follower" "$later"
		check 'a signal: it ends by that' ended "$follower" 143
		check 'a signal: and the one that waits' ended "$later" 143
		kill -TERM -"$pid"
		;;
	session)
		kill -TERM -"$pid"
		check 'the run is stopped: it ends' ended "$follower" 0
		check 'the run is stopped: with the whole log' cmp -s "$scratch/followed" "$state/latest/slow.log"
		check 'the run is stopped: who waits gets no log' ended "$later" 1
		check 'the run is stopped: and a reason' matches "$scratch/later.err" 'later has no log: '
		;;
	all)
		# The session has a group of its own; the keeper ends it.
		pkill -KILL -s "$pid"
		check 'all are killed: it ends' ended "$follower" 0
		check 'all are killed: and who waits' ended "$later" 1
		;;
	esac
	wait "$pid"
done

# -f at a terminal: as a run is shown there

rm -f go begun
background "$MAKE" -I "$STAGE/include" -j2 slow asks
wait_for test -e begun
at_terminal() {
	"$python3" "$TOP/tests/cli/terminal.py" 90 "$@" >"$err" 2>&1
	tail -n 1 "$err" >ended
}
at_terminal 'expect what? ' 'type \x03' -- "$noxmk" log -f asks
check 'a terminal: the start of a line is shown, ^C ends it' same "$(cat ended)" '254 sane'
check 'a terminal: and the colours' grep -q "what? .*$(printf '\033')\[0m" screen
at_terminal 'expect what? ' 'touch go' -- "$noxmk" log -f asks
check 'a terminal: it ends with the session' same "$(cat ended)" '0 sane'
check 'a terminal: nothing moves the cursor' has screen '\033[Hend'
wait "$pid"

# What the summary marks

cat >noxfile.py <<'END'
import os, nox

@nox.session(python=False)
def first(session):
    session.run("sleep", "1.5", external=True)

@nox.session(python=False)
def second(session):
    session.run("sleep", "1.5", external=True)

@nox.session(python=False)
def again(session):
    if not os.path.exists("again"):
        open("again", "w").close()
        session.error("not yet")
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.second]
needs = ["first"]
slow = 1
[tool.noxmk.session.again]
retries = 1
END
rm -f again
mk -j2 second again
check 'the summary marks what is slow' matches "$out" '^second +passed +[0-9.]+s  slow: more than 1\.0s$'
check 'and flaky' matches "$out" '^again +passed +[0-9.]+s  flaky: it failed first$'
check 'its last line counts them' matches "$(tail -n 1 "$out" >last; echo last)" \
	'^noxmk: 3 sessions: 3 passed, 1 flaky, 1 slow; '
check 'the line before says what the time went by' matches "$(tail -n 2 "$out" | head -n 1 >before; echo before)" \
	'^noxmk: [0-9]+% of the wall time: first [0-9.]+s, then second [0-9.]+s, which ended last$'

# Usage

run "$noxmk" log -f
check '-f without a target: exit 2' same "$status $(cat "$err")" \
	'2 noxmk: log -f: of which session? `noxmk list` has the targets'
run "$noxmk" bench --follow
check '--follow is for log only' same "$status $(grep -c 'usage: .* bench' "$err")" '2 1'
run "$noxmk" log --follow nonsense
check '-f: a target that is none' has "$err" 'nonsense: no target of this plan'
run "$noxmk" log -f -r latest ../slow
check '-f: no other file' same "$status $(cat "$err")" '1 noxmk: ../slow is no target (`make nox-list` has them)'

finish
