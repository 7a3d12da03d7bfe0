#!/bin/sh
# Sessions that are elsewhere than they were planned, have another name, or are gone, because the
# noxfile changes while sessions run: the right one runs, or it is said once why none does.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# changing FILE: a fresh project whose first session, `first`, puts the rest of stdin's noxfile,
# behind the line ----, in place of the part before it.
changing() {
	fresh project
	cat >all
	{
		echo 'import os, nox'
		echo 'nox.options.stop_on_first_error = False'
		sed '/^----$/,$d' all
	} >noxfile.py
	{
		echo 'import os, nox'
		sed '1,/^----$/d' all
	} >noxfile.new
	echo 'include nox.mk' >GNUmakefile
	mk -n ci
	mk -j1 ci
}

first='@nox.session(python=False)
def first(session): os.path.exists("noxfile.new") and os.rename("noxfile.new", "noxfile.py")'
tests='@nox.session(python=False)
def tests(session): session.log("THE TESTS")'
other='@nox.session(python=False)
def other(session): session.log("ANOTHER")'

changing <<END
$first
$tests
----
$other
$first
$tests
END
check 'one inserted above: passes' same "$status $(verdict tests)" '0 passed'
check 'one inserted above: it is the right one' has "$state"/latest/tests.log 'THE TESTS'
check 'one inserted above: without a word' lacks "$err" 'noxmk:'

changing <<END
$first
$other
$tests
----
$tests
$other
END
check 'reordered: it is the right one' has "$state"/latest/tests.log 'THE TESTS'

changing <<END
$first
$tests
----
$first
$other
END
check 'gone: exit 2' exits 2
check 'gone: failed' same "$(verdicts)" 'first: passed
tests: failed'
check 'gone: it says why' same "$(reason tests)" 'the noxfile has no such session any more'
check 'gone: and what is done, once' same "$(grep -c 'the plan is made anew' "$err")" 1
check 'gone: no other session ran for it' lacks "$state"/latest/tests.log ANOTHER
mk ci
check 'gone: the next make knows' same "$status $(verdicts)" '0 first: passed
other: passed'
mk tests
check 'gone: there is no such target' has "$err" 'noxmk: tests: no target of this plan'

changing <<END
$first
@nox.session(python=False)
@nox.parametrize("n", [1, 2])
def tests(session, n): session.log(f"TESTS {n}")
----
$first
@nox.session(python=False)
@nox.parametrize("n", [2, 3])
def tests(session, n): session.log(f"TESTS {n}")
END
check 'a parameter gone: the other one stays' same "$(verdicts)" 'first: passed
tests-n-1: failed
tests-n-2: passed'
check 'a parameter gone: as itself' has "$state"/latest/tests-n-2.log 'TESTS 2'
check 'a parameter gone: none for the other' lacks "$state"/latest/tests-n-1.log 'TESTS'

changing <<END
$first
class Thing: pass
@nox.session(python=False)
@nox.parametrize("thing", [Thing(), Thing()])
def tests(session, thing): session.log("THING")
----
$other
$first
class Thing: pass
class Other(Thing): pass
@nox.session(python=False)
@nox.parametrize("thing", [Thing(), Thing()])
def tests(session, thing): session.log("THING")
END
check 'objects with addresses: all pass' same "$status $(verdicts | grep -c passed)" '0 3'

# A target that stands for another name now.
changing <<END
$first
@nox.session(python=False, name="tests(x)")
def tests(session): session.log("OLD")
----
$first
@nox.session(python=False, name="tests-x")
def tests(session): session.log("NEW")
END
check 'renamed, but not the target: healed in this make' same "$status $(verdicts)" '0 first: passed
tests-x: passed'
check 'renamed, but not the target: the new one ran' has "$state"/latest/tests-x.log NEW
check 'renamed, but not the target: it says what is done' has "$err" \
	'noxmk: tests-x: the noxfile is not the one of the plan: the plan is made anew'

# The plan rests on what noxmk cannot see, and is found wrong: it is made anew in this make.
fresh hidden
cat >noxfile.py <<'END'
import os, nox
def secret():
    pid = os.fork()
    if not pid:
        os._exit(os.path.exists(os.environ["HOME"] + "/switch"))
    return os.waitpid(pid, 0)[1]
@nox.session(python=False, name="tests(b)" if secret() else "tests(a)")
def tests(session): session.log("RUN")
END
echo 'include nox.mk' >GNUmakefile
export HOME="$PWD"
mk -n ci
touch switch
mk tests-a
check 'found wrong: exit 2' exits 2
check 'found wrong: once' same "$(grep -c 'the plan is made anew' "$err")" 1
mk tests-b
check 'found wrong: the next make is right' same "$status $(verdicts)" '0 tests-b: passed'

finish
