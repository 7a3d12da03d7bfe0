#!/bin/sh
# What a session's tools are told of its job slots, by variables.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2016 # names of variables
names=$(sed -n '/^static const struct/,/^};/p' "$TOP/src/slots/toolenv.c" | grep -oE '"[A-Z_]+"' | tr -d '"')
for name in $names; do
	unset "$name"
done
unset OMP_WAIT_POLICY

noxfile <<'END'
import os


def define(name):
    @nox.session(name=name, python=False)
    def tell(session):
        with open(name, "w") as file:
            file.writelines(f"{k}={v}\n" for k, v in sorted(os.environ.items()))


for name in "plain", "two", "own", "none":
    define(name)


@nox.session(python=False)
def loop(session):
    session.run("./loop", external=True)
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.two]
jobs = 2
[tool.noxmk.session.own]
jobs = 2
env = {OMP_NUM_THREADS = "5"}
[tool.noxmk.session.none]
budget = false
[tool.noxmk.session.loop]
jobs = 2
END

# told SESSION: the values of all variables, each once.
told() {
	for name in $names; do
		sed -n "s/^$name=//p" "$1"
	done | sort | uniq -c | tr -s ' \n' ' '
}

total=$(echo "$names" | wc -l)
BLACK_NUM_WORKERS=7
export BLACK_NUM_WORKERS
mk -j3 plain two own none
check 'all pass' exits 0
# All but two are there: who has tokens of make's for a build is not told of a number.
processors=$(nproc)
[ "$processors" -lt 3 ] || processors=3
if [ "$processors" -gt 1 ]; then
	check 'plain: all processors of this -j' same "$(told plain)" " $((total - 2)) $processors 1 7 "
fi
check 'two slots' same "$(told two)" " $((total - 1)) 2 1 7 "
check 'the configuration wins' same "$(told own)" " $((total - 2)) 2 1 5 1 7 "
check 'budget = false: only what was there' same "$(told none)" ' 1 7 '
check 'a jobserver' matches two '^MAKEFLAGS= -- --jobserver-auth=fifo:/proc/[0-9]*/fd/[0-9]*$'
check 'budget = false: no jobserver' lacks none MAKEFLAGS
check 'budget = false: make is make' lacks none noxmk/tools
check 'beside others: threads of OpenMP that wait sleep' has plain OMP_WAIT_POLICY=passive
mk -j3 plain
check 'alone: they wait as under nox' lacks plain OMP_WAIT_POLICY
mk -j3 NOXMK_BUDGET=strict plain
check 'strict: one slot' same "$(told plain)" " $((total - 2)) 1 1 7 "
check 'strict: the record says why' matches .nox/.noxmk/latest/plain.json '"few": "its job slots"'
mk plain two
check 'no -j: all pass' exits 0
check 'no -j: only what was there' same "$(told two)" ' 1 7 '
check 'no -j: no jobserver' lacks two MAKEFLAGS
check 'no -j: nor does the record' matches .nox/.noxmk/latest/plain.json '"few": null'

cat >loop.c <<'END'
#include <omp.h>
#include <stdio.h>

int
main(void)
{
	int n = 0;

#pragma omp parallel
	n = omp_get_num_threads();
	printf("%d threads\n", n);
	return 0;
}
END
if gcc -fopenmp -o loop loop.c 2>/dev/null; then
	mk -j3 loop
	check 'OpenMP: two threads' has "$state"/latest/loop.log '2 threads'
else
	skip 'OpenMP' 'gcc has none here'
fi
finish
