#!/bin/sh
# What the summary and `noxmk savings` say that plain nox would take, against plain nox.
# Runs alone, as it measures.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# claimed: the seconds that the last line gives plain nox; nothing if it gives none.
claimed() {
	tail -n 1 "$out" | sed -nE 's/.* wall time, about ([0-9.]*)s with plain nox(: speed-up [1-9.].*)?$/\1/p'
}

# between LOW HIGH SECONDS OTHER: is that time between LOW and HIGH of the other?
between() {
	awk -v low="$1" -v high="$2" -v seconds="$3" -v other="$4" 'BEGIN {
		print "#   " seconds " s of " other " s"
		exit !(seconds != "" && seconds >= low * other && seconds <= high * other) }'
}

# nox_takes: the seconds of plain nox, which runs the default sessions.
nox_takes() {
	began=$(date +%s.%N)
	run nox
	awk -v began="$began" -v ended="$(date +%s.%N)" 'BEGIN { print ended - began }'
}

noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("n", list(range(6)))
def tests(session, n):
    session.run("sleep", "0.6", external=True)

@nox.session(python=False)
def nothing(session):
    pass
END
# measure LOW OPTION: nox and make, once more while what make claims is not between LOW and 1.05 of
# what nox takes: each of them may meet a moment at which the machine stands still.
measure() {
	for _ in 1 2 3 4 5; do
		seconds=$(nox_takes)
		mk "$2" ci
		claimed=$(claimed)
		! between "$1" 1.05 "$claimed" "$seconds" || break
	done
}
measure 0.9 -j1
check 'one at a time: it claims what nox takes' between 0.9 1.05 "$claimed" "$seconds"
run "$STAGE/bin/noxmk" savings
check 'one at a time: the savings do, too' \
	between 0.9 1.05 "$(sed -n '2s/.* \([0-9.]*\)s *[0-9.]*s *[0-9.]*$/\1/p' "$out")" "$seconds"
measure 0 -j8
check 'at once: it claims no more than nox takes' between 0 1.05 "$claimed" "$seconds"

# What a failed session took may be less for its company.
echo '
@nox.session(python=False)
def fails(session):
    session.error()' >>noxfile.py
mk -j8 ci
check 'one has failed: no speed-up' lacks "$out" 'speed-up'

# Sessions that do nothing are faster with nox: that is no speed-up.
noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("n", list(range(20)))
def nothing(session, n):
    pass
END
mk ci
check 'nothing to do: nox is faster' matches "$out" 's wall time, about [0-9.]*s with plain nox$'

finish
