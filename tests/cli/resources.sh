#!/bin/sh
# Sessions that share something: what may not meet never does, what may does, at any -j, with the
# goals of others and with a second make in the same checkout.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What the file log tells that pyproject.toml forbids, a line each.
violations() {
	awk '
		# May the two never run at once?
		function apart(a, b) {
			if (a == "alone" || b == "alone")
				return 1
			if (a ~ /^write_/)
				return b ~ /^(write|read)_/
			if (a ~ /^read_/)
				return b ~ /^write_/
			return (a == "holder" && b ~ /^wants_/) || (a ~ /^wants_/ && b == "holder")
		}
		function amount(a) {
			return a ~ /^third_/ ? 3 : a == "all_memory" ? 8 : 0
		}
		NR == FNR {
			mentioned[$2] = 1
			next
		}
		$1 == "+" {
			if ($2 in started)
				print $2 " started twice"
			started[$2] = running[$2] = 1
			memory += amount($2)
			if (memory > 8)
				print $2 " makes it " memory " of memory"
			for (other in running)
				if (other != $2 && apart($2, other))
					print $2 " met " other
			if ($2 ~ /_base$/ && "base" in mentioned && !("base" in ended))
				print $2 " came before base"
		}
		$1 == "-" {
			delete running[$2]
			ended[$2] = 1
			memory -= amount($2)
		}' log log
}

# one NAME EXIT ARGUMENT...: one make, with a log of its own, in which nothing is wrong. By how long
# sessions took before, one might wait for the end of another that it is to meet.
one() {
	what=$1
	expected=$2
	shift 2
	rm -f log go "$state/history.json" "$state/order.mk"
	mk "$@"
	check "$what: exit $expected" exits "$expected"
	check "$what: nothing met that may not" same "$(violations)" ''
	check "$what: no complaint" calm
}

# How often sessions have begun; the most that ran at once.
ran() {
	grep -c '^+' log
}

peak() {
	awk '{ now += $1 == "+" ? 1 : -1; if (now > peak) peak = now } END { print peak + 0 }' log
}

crowds() {
	for options in '-j1' '-j2' '-j4' '-j8' "$@"; do
		# shellcheck disable=SC2086 # several words
		one "crowd $options" 0 $options crowd after_base
		check "crowd $options: all ran" same "$(ran)" 17
	done
	NOXMK_JOBS=4 one 'crowd -j' 0 -j crowd after_base
	check 'crowd -j: all ran' same "$(ran)" 17
}

together() {
	MEET=2 one 'two readers -j2' 0 -j2 read_a read_b
	check 'two readers -j2: at once' same "$(peak)" 2
	MEET=3 one 'three readers -j4' 0 -j4 readers
	check 'three readers -j4: at once' same "$(peak)" 3
	MEET=3 one 'three readers and a writer -j4' 0 -j4 read_a write_a read_b read_c
	check 'three readers and a writer -j4: the readers at once' same "$(peak)" 3
	MEET=2 one 'thirds of memory -j8' 0 -j8 third_a third_b third_c third_d
	check 'thirds of memory -j8: two at once' same "$(peak)" 2
	MEET=2 one 'a writer beside free ones -j4' 0 -j4 write_a write_b free_a free_b
	MEET=2 one 'thirds beside readers -j4' 0 -j4 third_a third_b read_a read_b
}

# Without its neighbours, though it shares something with them or comes after them.
neighbours() {
	one 'a writer' 0 -j4 write_a
	check 'a writer: only it ran' same "$(cat log)" '+ write_a
- write_a'
	mk -n write_a
	check 'a writer -n: only it is shown' same "$(grep -cE '(write|read)_[b-z]' "$out")" 0
	one 'after' 0 -j4 after_base
	check 'after: pulls nothing in' same "$(cat log)" '+ after_base
- after_base'
	one 'alone, by itself' 0 -j4 alone
	check 'alone, by itself: only it ran' same "$(ran)" 1
}

# after and needs, whatever becomes of the other.
fates_of_base() {
	one 'base passes' 0 -j4 needs_base after_base base
	check 'base passes: all ran' same "$(ran)" 3
	one 'needs pulls in' 0 -j4 needs_base
	check 'needs pulls in: base ran first' same "$(head -n 1 log) $(ran)" '+ base 2'
	BASE=fails one 'base fails' 2 -j4 needs_base after_base base
	check 'base fails: what needs it is not run, what comes after it is' same "$(verdicts)" \
		'after_base: passed
base: aborted
needs_base: not run'
	check 'base fails: the reason' same "$(reason needs_base)" 'it requires base, which was aborted'
	BASE=skips one 'base is skipped' 0 -j4 needs_base after_base base
	check 'base is skipped: what needs it is not run, which is no failure' same "$(verdicts)" \
		'after_base: passed
base: skipped
needs_base: not run'
}

# Goals of the including makefile: make knows no edges there, only locks keep sessions apart. (What
# only comes after another is not kept in order, so the crowd has none of that.)
own_goals() {
	cat >GNUmakefile <<'END'
release: crowd; @echo released
few: write_b read_b alone; @echo few
include nox.mk
END
	for jobs in 2 4 8; do
		one "a goal of our own -j$jobs" 0 "-j$jobs" release
		check "a goal of our own -j$jobs: all ran" same "$(ran)" 16
		check "a goal of our own -j$jobs: it is made" has "$out" released
	done
	one 'a goal of our own and sessions' 0 -j4 few write_a read_a
	check 'a goal of our own and sessions: these ran' same "$(ran)" 5
	echo 'include nox.mk' >GNUmakefile
}

# begin NAME ARGUMENT...: make in the background; its output goes to $scratch/NAME, its pid to $pid.
# ended NAME PID waits for it and leaves what mk does.
begin() {
	output=$scratch/$1
	: >"$output" # what the last one said must not count
	shift
	"$MAKE" -I "$STAGE/include" "$@" </dev/null >"$output" 2>&1 &
	pid=$!
}

ended() {
	last="make in the background: $1"
	wait "$2"
	status=$?
	cp "$scratch/$1" "$out"
	: >"$err"
}

waits() {
	matches "$scratch/second" "$1: for holder \\(pid [0-9]+\\), which has $2"
}

# The holder has its resources until somebody makes the file go.
hold() {
	rm -f log go
	begin first holder
	first=$pid
	check "$1: the holder starts" wait_for matches log '^[+] holder$'
}

second_make() {
	mk -n holder
	hold 'two makes'
	begin second wants_port
	second=$pid
	check 'two makes: the second says for whom it waits' wait_for waits wants_port port
	check 'two makes: the second has not begun' lacks log '+ wants_port'
	mk -j4 opener read_a
	check 'two makes: a third lets the holder go' exits 0
	ended first "$first"
	check 'two makes: the first is well' exits 0
	ended second "$second"
	check 'two makes: the second goes on' exits 0
	check 'two makes: nothing met that may not' same "$(violations)" ''
}

# The file go is not there, so the session that the helper began waits on; nobody waits for it.
killed_holder() {
	hold 'the helper is killed'
	begin second wants_licence
	second=$pid
	check 'the helper is killed: the second waits' wait_for waits wants_licence licence
	helper=$(sed -n 's/.*for holder (pid \([0-9]*\)).*/\1/p' "$scratch/second")
	check 'the helper is killed: it is that process' has "/proc/$helper/cmdline" noxmk
	kill -9 "$helper"
	ended second "$second"
	check 'the helper is killed: the lock is free at once' exits 0
	touch go
	ended first "$first"
	check 'the helper is killed: its make fails' exits 2
}

# Two of three sessions wait for what the holder has. Only the third one lets it go, and at -j2 it
# can begin only if one of those two has lent its slot. The history makes make begin with them.
lend() {
	rm -rf "$state"
	cat >"$scratch/history.json" <<'END'
{"schema": 1, "sessions": {"wants_port": [90], "wants_licence": [80], "opener": [0.1]}}
END
	mk NOXMK_HISTORY="$scratch/history.json" -n ci
	check "lending $*: a plan" exits 0
	hold "lending $*"
	begin second "$@" wants_port wants_licence opener
	second=$pid
	check "lending $*: the first one waits" wait_for waits wants_port port
	check "lending $*: the second one waits" wait_for waits wants_licence licence
	ended second "$second"
	check "lending $*: the three are well" exits 0
	check "lending $*: no complaint" calm
	ended first "$first"
	check "lending $*: the holder was let go, so those who wait have lent a slot" exits 0
	check "lending $*: nothing met that may not" same "$(violations)" ''
}

# Killed while its slot is lent: make must not miss it.
killed_lender() {
	hold 'a lender is killed'
	begin second -j2 wants_port wants_licence free_a
	second=$pid
	check 'a lender is killed: it waits' wait_for waits wants_port port
	helper=$(pgrep -P "$second" -f ' wants_port$')
	check 'a lender is killed: it is there' [ -n "$helper" ]
	kill -9 "$helper"
	touch go
	ended second "$second"
	check 'a lender is killed: its make fails' exits 2
	check 'a lender is killed: no slot is missed' calm
	ended first "$first"
	check 'a lender is killed: the holder is well' exits 0
	one 'after all these' 0 -j4 wants_port wants_licence write_a
	check 'after all these: all ran' same "$(ran)" 3
}

one_make() {
	topic=$("$MAKE" --version | sed -n '1s/.* \(.*\)/\1: /p')
	project resources
	crowds "$@"
	together
	neighbours
	fates_of_base
	own_goals
	second_make
	killed_holder
	lend -j2
	NOXMK_JOBS=2 lend -j
	killed_lender
}

# A holder that is left must not wait on.
# shellcheck disable=SC2016 # for eval
at_exit='[ ! -d "$scratch/resources" ] || touch "$scratch/resources/go"'
one_make
topic=
peer make-4.4.1 make
if [ -n "$peer" ]; then
	MAKE=$peer
	one_make '-j4 --shuffle' '-j8 --shuffle=reverse' '-j2 --shuffle=7'
fi

# make has read the order by the time that it asks for the plan, and may not see that another one is
# there; then what is claimed no more would keep sessions waiting once more. It sees to the rules.
topic=
noxfile <<'END'
@nox.session(python=False)
def one(session):
    pass


@nox.session(python=False)
def two(session):
    pass
END
printf '[tool.noxmk.session."*"]\nuses = ["database"]\n' >pyproject.toml
mk -j2 ci
check 'a claim: the order has it' has "$state/order.mk" '# database'
cp "$state/sessions.mk" "$scratch/rules"
touch -d 2020-01-01 "$state/sessions.mk" "$scratch/then"
rm pyproject.toml
run env MAKEFLAGS=' -j2' "$STAGE/bin/noxmk" plan -s
check 'no claim: neither has the order' lacks "$state/order.mk" database
check 'the rules are as they were' cmp "$state/sessions.mk" "$scratch/rules"
newer() {
	[ -n "$(find "$1" -newer "$2")" ]
}
check 'make is to begin afresh' newer "$state/sessions.mk" "$scratch/then"

finish
