#!/bin/sh
# The same projects with Debian's nox, one from 2024 and the newest: verdicts as that nox gives
# them, prerequisites and notified sessions once each.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What the sessions wrote into RUNS_OUT, sorted, on one line.
ran() {
	sort "$RUNS_OUT" | tr '\n' ',' | sed 's/,$//'
	rm -f "$RUNS_OUT"
}

# Does it know requires=?
knows_requires() {
	grep -q '"requires":\["build"\]' "$state"/plan.jsonl
}

sample() {
	project sample
	mk -j2 ci
	check 'sample: exit 0' exits 0
	check 'sample: nine passed' same "$(verdicts | grep -c ': passed$')" 9
	check 'sample: no complaint' calm
}

verdicts_project() {
	project verdicts
	mk nox-list
	# shellcheck disable=SC2046 # targets
	mk -j2 $(sed -n 's/^_noxmk.sessions :=//p' "$state"/sessions.mk)
	check 'verdicts: exit 2' exits 2
	check 'verdicts: as expected' same "$(verdicts)" 'error: aborted
exit7: failed
fail: failed
killed_command: failed
killself: failed
missing_program: failed
noisy: passed
pass: passed
passpath-value-PurePosixPath-a-b: passed
passpath-value-class-int: passed
passpath-value-object-object: passed
passpath-value-set: passed
quiet: passed
raise_exc: failed
skip: skipped'
	check 'verdicts: with reasons' same "$(reason skip), $(reason error), $(reason raise_exc)" \
		"not on a Sunday, no database here, LookupError: the noxfile's own mistake"
	mk skip
	check 'skipped: exit 0' exits 0
	NOXSESSION=pass,skip mk -j2 ci
	check 'passed and skipped: exit 0' exits 0
}

requires_project() {
	project requires
	export RUNS_OUT="$PWD/runs"
	mk -j2 ci
	check 'requires: ci: exit 0' exits 0
	if ! knows_requires; then
		check 'requires unknown: what ci runs' same "$(ran)" 'build,needs_skipped,report'
		return
	fi
	check 'requires: ci: each once' same "$(ran)" 'build,report,skipped,tests(a),tests(b)'
	check 'requires: not run for a skipped one' same "$(reason needs_skipped)" \
		'it requires skipped, which was skipped'
	mk -j4 report tests build
	check 'requires: goals that need each other: each once' same "$(ran)" 'build,report,tests(a),tests(b)'
	mk -j2 needs_needs_broken
	check 'requires: a broken one: exit 2' exits 2
	check 'requires: a broken one: only it ran' same "$(ran)" broken
	check 'requires: a broken one: the others have not' same "$(verdicts)" 'broken: failed
needs_broken: not run
needs_needs_broken: not run'
	check 'requires: a broken one: the reasons' \
		same "$(reason needs_broken), $(reason needs_needs_broken)" \
		'it requires broken, which failed, it requires needs_broken, which was not run'
	mk -n report
	check 'requires: -n: in order' same "$(planned | sed 's/ .*//; s/tests-[ab]/tests/' | tr '\n' ' ')" \
		'build tests tests report '
}

notify_project() {
	project notify
	export RUNS_OUT="$PWD/runs"
	mk -j2 ci
	check 'notify: exit 0' exits 0
	check 'notify: two callers, once' same "$(ran)" 'coverage,integration,unit'
	check 'notify: after them' same "$("$python3" -c 'import json
records = [json.load(open(f".nox/.noxmk/latest/{name}.json")) for name in ("unit", "integration", "coverage")]
print(records[2]["started"] >= max(r["ended"] for r in records[:2]))')" True
	mk -j4 coverage unit
	check 'notify: a goal itself: once' same "$(ran)" 'coverage,unit'
	mk with_posargs
	# shellcheck disable=SC2016 # it is what the noxfile says
	check 'notify: posargs for it' same "$(ran)" 'upload --from with posargs $(x),with_posargs'
	mk without_posargs ARGS='-a b'
	check 'notify: no posargs for it' same "$(ran)" 'upload,without_posargs -a b'
	mk unit ARGS='-a b'
	check 'notify: posargs handed on' same "$(ran)" 'coverage -a b,unit -a b'
	mk -j2 chain circle
	check 'notify: chain and circle' same "$(ran)" 'chain,circle,coverage,link'
	mk variants
	check 'notify: the first variant' same "$(ran)" 'shards(n=1),variants'
	mk helper
	check 'notify: by a name not in the code' same "$(ran)" 'coverage,helper'
	mk -j4 helper coverage
	check 'notify: by a name not in the code, a goal: once' same "$(ran)" 'coverage,helper'
	mk unknown
	check 'notify: unknown: exit 2' exits 2
	check 'notify: unknown: failed' same "$(verdicts)" 'unknown: failed'
	rm -f "$RUNS_OUT"
	mk fails_after
	check 'notify: a caller that fails: exit 2' exits 2
	check 'notify: a caller that fails: it runs' same "$(ran)" 'coverage,fails_after'
	mk asks_for_failure
	check 'notify: it fails: exit 2' exits 2
	check 'notify: it fails: so says make' has "$err" 'asks_for_failure: bad_coverage aborted'
	rm -f "$RUNS_OUT"
	mk -j asks_for_failure unit
	check 'notify: -j: each once' same "$(ran)" \
		'asks_for_failure,bad_coverage,coverage,unit'
	check 'notify: no complaint' calm
}

names_project() {
	project names
	export NAMES_OUT="$PWD/names"
	mk -j2 ci
	check 'names: exit 0' exits 0
	check 'names: all ran, the ghost is skipped' same "$(verdicts | grep -v ': passed$')" 'ghost: skipped'
	check 'names: once each' same "$(wc -l <"$NAMES_OUT")" "$(($(verdicts | wc -l) - 1))"
	check 'names: nothing was injected' same "$(find "$scratch" -name 'noxmk-was-here*')" ''
}

matrix_project() {
	project matrix
	mk nox-list
	check 'matrix: grid has 28 variants' matches "$out" '^\+ grid +grid \(28 sessions\)$'
	check 'matrix: a variant' matches "$out" '^- grid-3\.8-sqlite-django-4\.2 +grid-3\.8\('
	mk -n tests-3.11
	check 'matrix: one python: both variants' has "$out" 'would run 2 sessions'
	mk -j2 static
	check 'matrix: a tag: exit 0' exits 0
	check 'matrix: a python that is missing is skipped' same "$(verdict missing)" skipped
	check 'matrix: with a reason' [ -n "$(reason missing)" ]
	CI=1 mk missing
	check 'matrix: on CI it fails' same "$status $(verdict missing)" '2 failed'
}

script_project() {
	project script
	mk -j2 ci
	check 'script: exit 0' exits 0
	check 'script: both passed' same "$(verdicts)" 'lint: passed
tests: passed'
	check 'script: no copy of the probe is left' absent "$state"/probe.py
}

readsfile_project() {
	project readsfile
	mk -j2 ci
	check 'readsfile: passed' same "$(verdicts)" 'apples: passed
pears: passed'
	echo plums >>data.txt
	until touch data.txt && [ -n "$(find data.txt -newer "$state"/sessions.mk)" ]; do :; done
	mk plums
	check 'readsfile: planned again' same "$(verdicts)" 'plums: passed'
}

one_nox() {
	topic="nox $("$NOX" --version 2>&1 | tail -n 1): "
	verdicts_project
	requires_project
	notify_project
	matrix_project
	script_project
	readsfile_project
}

unset RUNS_OUT NAMES_OUT
export NOX=nox
one_nox # main.sh and names.sh have the sample and the names
topic=
for version in 2024.04.15 newest; do
	peer "nox-$version" nox
	if [ -n "$peer" ]; then
		NOX=$peer
		one_nox
		sample
		names_project
		topic=
	fi
done

finish
