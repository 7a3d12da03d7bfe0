#!/bin/sh
# Tools inside sessions share make's job tokens: the jobs count themselves. Each job adds a line to
# $JOBS when it starts and one when it ends, so the file tells how many ran at once.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

JOBS=$scratch/jobs
export JOBS

project nested
chmod +x job meet rustc-job lto/lto1
sed -i "s|REAL|$(gcc -print-prog-name=lto1)|" lto/lto1

# The most that ran at once, and how many are still at work.
peak() {
	awk '/^\+/ { n++; if (n > most) most = n } /^-/ { n-- } END { print most + 0, n + 0 }' "$JOBS"
}

# below PEAK N: less than N ran at once, and none is left.
below() {
	[ "${1% *}" -lt "$2" ] && [ "${1#* }" = 0 ]
}

# No complaint of a tool or of make.
calm() {
	! grep -riE 'warning|jobserver [^m]|INTERNAL' "$err" "$state"/latest/*.log
}

# shared NAME MAKE N SESSION...: these sessions use N job slots at once, never more.
shared() {
	what=$1
	shift
	outer=$1
	slots=$2
	shift 2
	: >"$JOBS"
	rm -rf out target lto/*.o
	run env "MEET=$slots" "$outer" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" "-j$slots" "$@"
	check "$what: exit 0" exits 0
	check "$what: $slots at once, and none left" same "$(peak)" "$slots 0"
	check "$what: no complaint" calm
}

peer make-4.4.1 make
newer=$peer
peer ninja ninja
NINJA=$peer
export NINJA
for outer in "$MAKE" $newer; do
	version=$("$outer" --version | sed -n '1s/.* //p')
	for inner in make by_path sub_make shell_make named_with_jobs; do
		shared "$version: $inner" "$outer" 3 "$inner"
	done
	if [ -n "$newer" ]; then
		INNER=$newer
		export INNER
		shared "$version: by_path, make 4.4.1" "$outer" 3 by_path
		unset INNER
	fi
	if [ -n "$NINJA" ]; then
		shared "$version: ninja" "$outer" 3 ninja
		shared "$version: ninja and makes" "$outer" 4 ninja make sub_make by_path
	fi
	if command -v cargo >/dev/null; then
		shared "$version: cargo" "$outer" 3 cargo
	else
		skip "$version: cargo" 'not there'
	fi
	shared "$version: gcc -flto=jobserver" "$outer" 3 lto
	shared "$version: three slots of its own" "$outer" 4 heavy make sub_make
	# Nothing else has a slot to give: it waits for the others, and holds none meanwhile.
	shared "$version: two that want all" "$outer" 2 all_one all_two make
	: >"$JOBS"
	# $(MAKE) is not to be what runs this script.
	run env -u MAKE "$outer" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -j4 script_make
	check "$version: a make by its path in a script: exit 0" exits 0
	check "$version: a make by its path in a script: one at a time" same "$(peak)" '1 0'
	check "$version: a make by its path in a script: no complaint" calm
	# Without a number make counts nothing; each session has its slot, and so many more.
	: >"$JOBS"
	run "$outer" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" NOXMK_JOBS=3 NOXMK_BUDGET=strict \
		-j heavy make sub_make
	check "$version: -j, strict: exit 0" exits 0
	check "$version: -j, strict: no more than NOXMK_JOBS" same "$(peak)" '3 0'
	# Builds share what tokens there are for all sessions: one less than there are processors.
	: >"$JOBS"
	run "$outer" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" NOXMK_JOBS=2 -j make sub_make
	check "$version: -j: exit 0" exits 0
	check "$version: -j: one more than NOXMK_JOBS at most" below "$(peak)" 4
	check "$version: -j: no complaint" calm
	: >"$JOBS"
	run "$outer" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -j4 -l 0.0001 greedy
	check "$version: -l: exit 0" exits 0
	check "$version: -l: no more than it needs" same "$(peak)" '1 0'
	# A daemon that a session leaves keeps nothing that make waits for.
	run timeout 120 "$outer" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -j2 daemon
	check "$version: a daemon is left: make ends" exits 0
done

# Whose tools took part is known then, of those that could. They start last, to fill what is free.
learned() {
	python3 -c 'import json, sys
clients = json.load(open(".nox/.noxmk/history.json"))["clients"]
sys.exit(not (set(sys.argv[2:]) <= set(clients) and sys.argv[1] not in clients))' "$@"
}
run "$MAKE" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -j2 beside_make make
check 'who is a client is known' learned beside_make make sub_make shell_make by_path lto
[ -z "$NINJA" ] || check 'ninja is one' learned beside_make ninja
expects() {
	grep -Eq "^ +$1 +$2 +make\$" "$out"
}
cat >"$state"/history.json <<'EOF'
{"schema": 1, "sessions": {"beside_make": [4], "daemon": [4], "make": [4]}, "clients": ["make"]}
EOF
run "$MAKE" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" -n -j2 make beside_make daemon
check 'one that fills what is free is expected to end sooner' expects 4.0s 6.0s

# Nobody counts without -j.
: >"$JOBS"
run env MEET=8 "$MAKE" -I "$STAGE/include" "NOXMK=$STAGE/bin/noxmk" named_with_jobs
check 'no -j: a make has its own' same "$status $(peak)" '0 8 0'

finish
