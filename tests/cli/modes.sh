#!/bin/sh
# make's own modes and options, and whatever the including makefile is like; with the system's make
# and with 4.4.1.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Four sessions that count how many of them run at once, with the peak in the file peak. With
# TOGETHER=N they wait for each other in groups of N, the last for whoever is left, half a minute at
# most: how long a start takes tells nothing.
crowd() {
	noxfile <<'END'
import fcntl

def count(step):
    with open("crowd", "a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        now, started, peak = json.loads(file.read() or "[0, 0, 0]")
        now, started = now + step, started + (step > 0)
        file.truncate(0)
        file.write(json.dumps([now, started, max(now, peak)]))
        return started

def crowd(session):
    together, end = int(os.environ.get("TOGETHER", "1")), time.monotonic() + 300
    turn = count(1)
    while count(0) < min(-(-turn // together) * together, 4) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.1)  # for those that should not run now
    count(-1)

for name in "abcd":
    nox.session(name=name, python=False)(crowd)
END
}

peak() {
	sed 's/.*, \([0-9]*\)\]/\1/' crowd
	rm -f crowd
}

# The -j that order.mk is for.
order_for() {
	sed -n 's/^_noxmk.order_for := //p' "$state/order.mk"
}

# mode NAME EXIT ARGUMENT...: one make of the crowd.
one_failed='a: passed
b: failed'
four='a: passed
b: passed
c: passed
d: passed'
mode() {
	mode=$1
	expected=$2
	shift 2
	rm -rf "$state"/runs "$state"/latest crowd
	mk "$@"
	check "$mode: exit $expected" exits "$expected"
	check "$mode: no complaint" calm
}

jobs() {
	mode 'no -j' 0 ci
	check 'no -j: one at a time' same "$(peak)" 1
	mode -j1 0 -j1 ci
	check '-j1: one at a time' same "$(peak)" 1
	TOGETHER=2 mode -j2 0 -j2 ci
	check '-j2: two at once' same "$(peak)" 2
	TOGETHER=4 mode -j4 0 -j4 ci
	check '-j4: all at once' same "$(peak)" 4
	check '-j4: all passed' same "$(verdicts)" "$four"
	NOXMK_JOBS=1 mode '-j, one slot' 0 -j ci
	check '-j, one slot: one at a time' same "$(peak)" 1
	check '-j, one slot: all passed' same "$(verdicts)" "$four"
	TOGETHER=2 NOXMK_JOBS=2 mode '-j, two slots' 0 -j ci
	check '-j, two slots: two at once' same "$(peak)" 2
	check '-j, two slots: ordered for them' same "$(order_for)" -j2
	TOGETHER=4 NOXMK_JOBS=4 mode '-j, four slots' 0 -j ci
	check '-j, four slots: all at once' same "$(peak)" 4
	# An order for two would let sessions wait for each other's end.
	check '-j, four slots: ordered for them' same "$(order_for)" -j4
	run taskset -c 0 "$MAKE" -I "$STAGE/include" -j ci
	check '-j on one processor: one at a time' same "$(peak)" 1
	NOXMK_JOBS=none mk -j ci
	check '-j, NOXMK_JOBS=none: exit 2' exits 2
	check '-j, NOXMK_JOBS=none: refused' has "$err" 'NOXMK_JOBS'
	TOGETHER=2 MAKEFLAGS=-j2 mode 'MAKEFLAGS=-j2' 0 ci
	check 'MAKEFLAGS=-j2: two at once' same "$(peak)" 2
}

# A group with a quota of one processor, if we may make one: version 2 or 1.
quota() {
	for group in "/sys/fs/cgroup/noxmk-$$" "/sys/fs/cgroup/cpu/noxmk-$$"; do
		mkdir "$group" 2>/dev/null || continue
		at_exit="rmdir $group"
		if [ -e "$group/cpu.max" ] && echo 100000 100000 >"$group/cpu.max" ||
			[ -e "$group/cpu.cfs_quota_us" ] && echo 100000 >"$group/cpu.cfs_quota_us"; then
			# shellcheck disable=SC2016 # for the inner shell
			run sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$group" \
				"$MAKE" -I "$STAGE/include" -j ci
			check '-j, a quota of one processor: exit 0' exits 0
			check '-j, a quota of one processor: one at a time' same "$(peak)" 1
			rmdir "$group"
			at_exit=:
			return
		fi
		rmdir "$group"
	done
	skip '-j, a quota of one processor' 'control groups are not ours to make'
}

# Nothing ran, and no run was begun.
idle() {
	check "$1: nothing ran" absent crowd "$state"/runs "$state"/latest
}

dry() {
	mode -n 0 -n ci
	idle -n
	check '-n: the plan' same "$(planned | sort)" 'a
b
c
d'
	check '-n: makes a plan if there is none' [ -e "$state"/sessions.mk ]
	mode '-n, two goals' 0 -n b a -j4
	check '-n, two goals: these' same "$(planned | sort)" 'a
b'
	# What is within a word of MAKEFLAGS is none of make's own options.
	mode "-I 'x -j9'" 0 -n -I 'x -j9' ci
	check "-I 'x -j9': one at a time" has "$out" ', 1 at once'
	mode "-j2 ARGS='x -j9'" 0 -n -j2 ARGS='x -j9' ci
	check "ARGS='x -j9': two at once" has "$out" ', 2 at once'
	mode '-n -k' 0 -nk ci
	idle '-n -k'
	mode -q 1 -q ci
	idle -q
	check '-q: says nothing' quiet "$out"
	mode -t 0 -t ci
	idle -t
	check '-t: touches nothing' absent ci a
}

# With a session that fails among them.
broken() {
	sed -i 's/^    turn = .*/    if session.name == "b": raise LookupError("broken")\n&/' noxfile.py
	for option in -k -i -s -O -Oline -Orecurse -r -R --no-print-directory --trace; do
		want=2
		[ "$option" != -i ] || want=0
		mode "$option" "$want" "$option" -j2 b a
		check "$option: all ran, one failed" same "$(verdicts)" "$one_failed"
		check "$option: the total" same "$(sed -n 's/^\(noxmk: .*\); .*/\1/p' "$out")" \
			'noxmk: 2 sessions: 1 passed, 1 failed'
	done
	if "$MAKE" --version | grep -q ' 4\.[4-9]'; then
		mode --shuffle 2 --shuffle=reverse -j2 a b
		check '--shuffle: all ran, one failed' same "$(verdicts)" "$one_failed"
		mode --jobserver-style 2 --jobserver-style=pipe -j2 a b
	fi
	mk -j2 a c ARGS='x -j9'
	mk -j2 a c ARGS='x -j9' --trace
	check "ARGS='x -j9': the order fits" lacks "$out" ' order a c'
	mode '-s, alone' 0 -s a
	mode warn 2 --warn-undefined-variables a b
	check '--warn-undefined-variables: no warning' lacks "$err" 'undefined variable'
	rm -rf "$state"
	mode 'warn, no plan' 0 --warn-undefined-variables -j2 a c
	check '--warn-undefined-variables, no plan: no warning' lacks "$err" 'undefined variable'
	mode 'warn -n' 0 --warn-undefined-variables -n ci
	check '--warn-undefined-variables -n: no warning' lacks "$err" 'undefined variable'
}

# What the including makefile may do to make.
includer() {
	for line in '.ONESHELL:' '.RECIPEPREFIX := >' 'SHELL := /bin/bash -e' '.EXPORT_ALL_VARIABLES:' \
		'.POSIX:' '.SUFFIXES:' 'VPATH := /usr/bin /bin' 'export NOXMK_KEEP := 3' '.SECONDEXPANSION:' \
		'MAKEFLAGS += -rR' 'MAKEFLAGS += --no-builtin-rules --warn-undefined-variables' '.DELETE_ON_ERROR:' \
		'SHELL := /usr/bin/python3' '.NOTPARALLEL:' '.SILENT:' '.SECONDARY:' '%: ; @echo match-anything $@'; do
		printf '%s\ninclude nox.mk\n' "$line" >GNUmakefile
		mode "$line" 0 -j2 c d
		check "$line: both passed" same "$(verdicts)" 'c: passed
d: passed'
		check "$line: no warning" lacks "$err" 'undefined variable'
	done
	# shellcheck disable=SC2016 # for make
	printf 'release: ; @echo begin; $(MAKE) a; $(MAKE) -C . b; echo end\ninclude nox.mk\n' >GNUmakefile
	mode sub-make 0 -j2 release
	check 'sub-make: both' same "$(cat "$state"/runs/2*/[a-d].json | grep -c '"verdict": "passed"')" 2
	check 'sub-make: each a run of its own' same "$(runs)" 2
	# shellcheck disable=SC2016 # for make
	printf 'release: ; +@$(MAKE) -j2 ci\ninclude nox.mk\n' >GNUmakefile
	mode 'sub-make of make -n' 0 -n release
	idle 'sub-make of make -n'
	TOGETHER=2 mode 'sub-make -j2 of make -j' 0 -j release
	check 'sub-make -j2 of make -j: two at once' same "$(peak)" 2
	echo 'include nox.mk' >GNUmakefile
}

# Where make and the project are.
places() {
	mkdir elsewhere
	cd elsewhere || exit 1
	mk -C ../ a
	check '-C: it passes' same "$(cd .. && verdicts)" 'a: passed'
	rm -rf ../"$state"/runs
	mk -f ../GNUmakefile b
	check 'make -f from another folder: it passes' same "$(cd .. && verdicts)" 'b: passed'
	mk -f "$(cd .. && pwd)/GNUmakefile" c
	check 'make -f with an absolute path: it passes' same "$(cd .. && verdicts)" 'c: passed'
	check 'make -f: nothing is left here' absent "$state"
	echo 'include nox.mk' >GNUmakefile
	mk NOXMK_PROJECT="$(cd .. && pwd)" -j2 d
	check 'NOXMK_PROJECT elsewhere: it passes' same "$(cd .. && verdicts)" 'd: passed'
	mk NOXMK_PROJECT=.. -n a
	check 'NOXMK_PROJECT=..: it is found' has "$out" '  a'
	mk NOXMK_PROJECT="/a b" a
	check 'NOXMK_PROJECT with a blank: exit 2' exits 2
	check 'NOXMK_PROJECT with a blank: a message' has "$err" 'the path in NOXMK_PROJECT has a blank'
	mk NOXMK_PROJECT=/nonexistent a
	check 'NOXMK_PROJECT that is not there: exit 2' exits 2
	check 'NOXMK_PROJECT that is not there: a message' has "$err" '/nonexistent'
	cd ..

	fresh 'with two  blanks'
	cp ../project/noxfile.py ../project/GNUmakefile .
	mk -j2 a c
	check 'a folder with blanks: both pass' same "$(verdicts)" 'a: passed
c: passed'
	mk a
	check 'a folder with blanks: nothing is planned again' lacks "$out" 'sessions.mk'
	check 'a folder with blanks: no complaint' calm
	cd ../project || exit 1
}

# make's pipe has the numbers of the streams then, and what is printed would become tokens.
closed() {
	crowd
	TOGETHER=3 "$MAKE" -I "$STAGE/include" -j3 ci <&- >&- 2>"$err"
	status=$?
	: >"$out"
	check 'closed streams: exit 0' exits 0
	check 'closed streams: no complaint' calm
	check 'closed streams: all pass' same "$(verdicts | grep -c ': passed$')" 4
	check 'closed streams: three at once' same "$(peak)" 3
	TOGETHER=3 "$MAKE" -I "$STAGE/include" -j3 ci <&- >"$out" 2>&-
	status=$?
	check 'no standard error: exit 0' exits 0
	check 'no standard error: no complaint' calm
	check 'no standard error: three at once' same "$(peak)" 3
}

one_make() {
	topic=$("$MAKE" --version | sed -n '1s/.* \(.*\)/\1: /p')
	crowd
	jobs
	quota
	dry
	closed
	places
	broken
	crowd
	includer
	crowd
	mk MAKE_VERSION=4.1 ci
	check 'make 4.1: refused' exits 2
	check 'make 4.1: with a message' has "$err" 'noxmk needs GNU make 4.2 or newer, and this is 4.1'
	check 'make 4.1: nothing ran' absent "$state"
}

one_make
topic=
peer make-4.4.1 make
if [ -n "$peer" ]; then
	MAKE=$peer
	one_make
fi

finish
