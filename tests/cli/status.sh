#!/bin/sh
# noxmk status: what a run is at, seen from another terminal, and what it has come to when it has ended.

# shellcheck disable=SC2016,SC2317 # what noxmk says; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# A session writes its name to `began`, and waits for the file go-NAME.
noxfile <<'END'
def wait_for(name):
    open("began-" + name, "w").close()
    end = time.monotonic() + 300
    while not os.path.exists("go-" + name) and time.monotonic() < end:
        time.sleep(0.02)  # until the test says so

@nox.session(python=False)
def holds(session):
    print("secret-looking \033[31mred\033[0m\n50%\rit is at 70%\n\n", end="", flush=True)
    wait_for("holds")

@nox.session(python=False)
def fails(session):
    wait_for("fails")
    session.error("on purpose")

@nox.session(python=False)
def later(session): ...

@nox.session(python=False)
def shares(session): ...

@nox.session(python=False)
def rest(session): ...
END
cat >pyproject.toml <<'END'
[tool.noxmk.session]
holds.uses = ["database"]
shares.uses = ["database"]
later.needs = ["holds"]
END

noxmk=$STAGE/bin/noxmk

# untimed COMMAND [ARGUMENT...]: what noxmk says, without the times.
untimed() {
	run "$noxmk" "$@"
	sed -E 's/[0-9][0-9.]*s/Ns/g; s/  +/  /g' "$out"
}

now() {
	untimed status
}

# begin: the run, in the background; both sessions that wait have begun.
begin() {
	rm -f go-* began-*
	"$MAKE" -I "$STAGE/include" -j2 ci >made 2>&1 </dev/null &
	make=$!
	at_exit="kill $make 2>/dev/null"
	check 'it runs' wait_for both_began
}

both_began() {
	[ -e began-holds ] && [ -e began-fails ]
}

# shows TEXT: status says so, in whatever order the sessions began.
shows() {
	now >shown
	[ "$(sort shown)" = "$(echo "$1" | sort)" ]
}

# no_row_of SESSION
no_row_of() {
	now >shown
	lacks shown "  $1"
}

run "$noxmk" status
check 'no plan and no run' exits 125
mk nox-plan
run "$noxmk" status
check 'no run' same "$status $(cat "$err")" '1 noxmk: there is no run yet: `make ci` makes one'

begin
check 'what runs, and what waits for what' wait_for shows 'noxmk: 0 of 5 done, 2 run, 3 wait; Ns
  fails  Ns  nox > Running session fails
  holds  Ns  it is at 70%
waiting: 1 for a job slot, 1 for database, 1 for other sessions'
check 'exit 0' exits 0
check 'why tells of what is not over, too' same "$(untimed why holds later)" 'holds: runs, for Ns so far
later: is still to begin'
check 'which is none of another target' same \
	"$(untimed why -r latest nobody; echo "$status") $(cat "$err")" \
	'1 noxmk: nobody: no record in this run (`make nox-list` names the targets)'
touch go-fails
check 'a failure is counted' wait_for shows 'noxmk: 2 of 5 done, 1 aborted, 1 run, 2 wait; Ns
  holds  Ns  it is at 70%
waiting: 1 for database, 1 for other sessions'
"$noxmk" status --watch >watched 2>&1 &
watcher=$!
check 'in a pipe --watch prints the board' wait_for has watched '2 of 5 done'
touch go-holds
wait "$make"
wait "$watcher"
check '--watch ends with the run' same "$(tail -n 3 watched | sed 's/;.*//')" 'noxmk: 5 of 5 done, 1 aborted
failed: fails (aborted)
This run has ended: there is none now.'
check 'and so does status' shows 'noxmk: 5 of 5 done, 1 aborted; Ns
failed: fails (aborted); `noxmk log` has their logs
This run has ended: there is none now.'

# What is usual is known now; of what has failed nobody knows.
begin
knows_usual() {
	now >shown
	has shown 'holds  Ns of Ns  it is at 70%' && has shown 'fails  Ns  nox > Running session fails'
}
check 'the usual time' wait_for knows_usual
check 'why goes on with what was last' same "$(untimed why holds | head -n 3)" \
	'holds: runs, for Ns so far
  in its last run:
holds: passed, started Ns into the run, took Ns'
# A helper that is killed has no part in it any more; the session's keeper writes its record.
kill -9 "$(pgrep -P "$make" -f 'noxmk run .* fails$')"
check 'a helper that was killed: its session is not shown any more' wait_for no_row_of fails
touch go-holds
wait "$make"
check 'its session is a failure' shows 'noxmk: 5 of 5 done, 1 cancelled; Ns
failed: fails (cancelled); `noxmk log` has their logs
This run has ended: there is none now.'

# SIGUSR1 to all helpers: one of them tells.
begin
shows_progress() {
	now >shown
	has shown 'it is at 70%'
}
wait_for shows_progress
pkill -USR1 -P "$make" -f 'noxmk run '
check 'SIGUSR1: what runs is told' wait_for matches made 'noxmk: . of 5 done, 2 run, . wait'
check 'with the last line of output' has made 'it is at 70%'
touch go-holds go-fails
wait "$make"
check 'once' same "$(grep -c 'noxmk: . of 5 done' made)" 1
check 'and nobody is the worse for it' same "$(verdicts | grep -c passed)" 4

# counts_only: no session that runs is shown.
counts_only() {
	now >shown
	matches shown '^noxmk: . of 5 done, . wait; Ns$' && [ "$(wc -l <shown)" -eq 1 ]
}

# Whatever lies in the table's place.
begin
for folder in "${XDG_RUNTIME_DIR:-/dev/shm}/noxmk-$(id -u)"/*/; do
	if [ -e "$folder/.sessions.now" ] && [ "$(cat "$folder/.run.json")" = "$(cat "$state/latest/.run.json")" ]; then
		rm "$folder/.sessions.now"
		mkfifo "$folder/.sessions.now"
	fi
done
check 'a FIFO in the place of the table: only counts are known' wait_for counts_only
touch go-holds go-fails
wait "$make"
check 'and the run is none the worse' same "$(verdicts | grep -c passed)" 4

finish
