#!/bin/sh
# Planning is supervised: whoever is ended while the noxfile is loaded, nothing of it lives on, and
# what it finds out late is no plan.

. "$(dirname "$0")/lib.sh"

# loading NAME: a noxfile with the session NAME that starts a process, and takes until the file go,
# longer than anybody waits for it here.
loading() {
	cat >noxfile.py <<-EOF
		import nox, os, subprocess, time
		subprocess.Popen(["sleep", "7655"], start_new_session=True)
		open("loading", "w").close()
		for _ in range(12000):
		    if os.path.exists("go"): break
		    time.sleep(0.05) # and ten minutes are enough
		@nox.session(python=False)
		def $1(session): pass
	EOF
}

# quick NAME: one that is loaded at once.
quick() {
	printf 'import nox\n@nox.session(python=False)\ndef %s(session): pass\n' "$1" >noxfile.py
}

planners() {
	pgrep -P "$make" -x noxmk
}

# alive WORD: the processes that work here, with this word in their command line, but for ourselves.
alive() {
	for pid in /proc/[0-9]*; do
		[ "$(readlink "$pid/cwd" 2>/dev/null)" = "$PWD" ] || continue
		command=$(tr '\0' ' ' 2>/dev/null <"$pid/cmdline")
		case $command in
		*planning.sh*) ;;
		*"$1"*) echo "${pid#/proc/}" ;;
		esac
	done
}

# gone WORD: there are none of these.
# shellcheck disable=SC2317 # it is called by wait_for
gone() {
	[ -z "$(alive "$1")" ]
}

# end WHO SIGNAL: while the first noxfile is loaded.
end() {
	fresh project
	echo 'include nox.mk' >GNUmakefile
	loading old
	# A shell's & has it ignore ^C; a group of its own is what a terminal would signal.
	"$python3" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setpgid(0, 0)
os.execvp(sys.argv[1], sys.argv[1:])' "$MAKE" -I "$STAGE/include" nox-list >"$out" 2>"$err" &
	make=$!
	wait_for test -e loading
	case $1 in
	make) kill "-$2" "$make" ;;
	group) kill "-$2" "-$make" ;;
	planner) kill "-$2" "$(planners)" ;;
	keeper) kill "-$2" "$(pgrep -P "$(planners)" -x noxmk-keeper)" ;;
	both)
		planner=$(planners)
		kill "-$2" "$planner" "$(pgrep -P "$planner" -x noxmk-keeper)"
		;;
	esac
	last="$2 to $1"
}

for what in 'make TERM' 'make KILL' 'make INT' 'group INT' 'group HUP' 'planner TERM' \
	'planner INT' 'planner KILL' 'keeper KILL'; do
	topic="$what: "
	# shellcheck disable=SC2086 # two words
	end $what
	wait "$make"
	check 'nothing of it lives on' wait_for gone ''
	rm -f loading
	quick new
	mk nox-list
	check 'the next make plans anew' exits 0
	check 'the plan is that of the new noxfile' has "$out" '* new'
	check 'and it leaves nothing' absent "$state"/planning.*
done

topic='planner and keeper KILL: '
end both KILL
wait "$make"
quick new
mk nox-list
check 'the plan is that of the new noxfile' has "$out" '* new'
: >go
check 'nox ends' wait_for gone probe.py
mk nox-list
check 'what the old one finds out is no plan' has "$out" '* new'
check 'and is not kept' absent "$state"/planning.*
# The one that was bereft of both.
# shellcheck disable=SC2046 # pids
kill $(alive '')
topic=

fresh project
echo 'include nox.mk' >GNUmakefile
quick old
mk nox-list
sed -i 's/"schema": *1/"schema":2/' "$state/inputs.json"
mk nox-list
check 'a plan of a newer noxmk: it is said' has "$err" 'noxmk: the plan is of a newer noxmk, and this is '
check 'a plan of a newer noxmk: made anew' has "$out" '* old'
mk nox-list
check 'a plan of a newer noxmk: said once' calm

fresh project
echo 'include nox.mk' >GNUmakefile
: >go
loading leaver
mk nox-list
check 'what a noxfile starts while it is loaded does not fail it' exits 0
check 'it is told' has "$err" 'nox has left a process running, which is ended: sleep'
check 'and ended' gone ''

rm go loading
touch noxfile.py
"$MAKE" -I "$STAGE/include" nox-list >"$out" 2>"$err" &
make=$!
wait_for test -e loading
quick changed
: >go
wait "$make"
check 'a noxfile that changes while it is planned is planned again' has "$out" '* changed'
mk nox-list
check 'and in the next make' has "$out" '* changed'
finish
