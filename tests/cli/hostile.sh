#!/bin/sh
# Random projects whose every name, tag, description, parameter and file name is made of what make
# and shells read: each session runs exactly once, by its own turn, and nothing else does.
#
# HOSTILE_SEED repeats one (it is printed), HOSTILE_SESSIONS (40) and HOSTILE_PROJECTS (2) try more.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seed=${HOSTILE_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
echo "# HOSTILE_SEED=$seed"

for n in $(seq "${HOSTILE_PROJECTS:-2}"); do
	topic="$seed-$n: "
	# A blank, a quote and a dollar in the folder's own name.
	fresh "folder $n' \$(touch CANARY) #é"
	"$python3" "$TOP/tests/cli/hostile.py" "$seed-$n" "${HOSTILE_SESSIONS:-40}" || exit 1
	echo 'include nox.mk' >GNUmakefile
	# An odd value of a variable that the plan depends on has to survive both make and the shell.
	PYTHONPATH=$(cat settings)
	export PYTHONPATH

	run timeout 240 "$MAKE" -I "$STAGE/include" -j2 ci
	check 'exit 0' exits 0
	check 'each session ran once' same "$(sort -n ran | tr '\n' ' ')" "$(tr '\n' ' ' <expected)"
	check 'a passed record each' same "$(verdicts | grep -c ': passed$')" "$(wc -l <expected)"
	check 'no complaint of make' calm
	check 'no canary' same "$(find . -regex '.*/CANARY[0-9]*')" ''

	plan=$(stat -c %y "$state"/sessions.mk)
	run timeout 240 "$MAKE" -I "$STAGE/include" nox-list
	check 'nox-list: exit 0' exits 0
	check 'nox-list: as many lines as targets' \
		same "$(grep -c '^[*-] ' "$out")" "$(($(wc -l <expected) + 1))"
	check 'nox-list: no control character' not matches "$out" '[[:cntrl:]]'
	check 'the plan is not made again' same "$(stat -c %y "$state"/sessions.mk)" "$plan"
	unset PYTHONPATH
done

finish
