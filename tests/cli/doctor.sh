#!/bin/sh
# `noxmk doctor`: it says of each thing that sessions need whether it is well, or what to do, and it
# changes nothing.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

doctor() {
	run "$STAGE/bin/noxmk" doctor "$@"
}

# says HEALTH CHECK TEXT: such a line, and the exit status that follows from it.
says() {
	case $1 in
	stop) exits 1 || return ;;
	esac
	quiet "$err" && matches "$out" "^$1 +$2 .*$3"
}

# tree: all that is in the current folder, with dates.
tree() {
	find . ! -path ./made -printf '%p %T@ %s %u %m\n' | sort
}

fake() {
	mkdir -p "$scratch/bin"
	{
		echo '#!/bin/sh'
		cat
	} >"$scratch/bin/$1"
	chmod +x "$scratch/bin/$1"
}

simple() {
	noxfile <<'END'
@nox.session(python=False)
def lint(session): ...

@nox.session(python=False)
def tests(session): ...
END
}

# A healthy project, with and without a state folder

simple
before=$(tree)
doctor
check 'no run tells of forks yet' says ok forks 'on, unless NOXMK_FORK=0'
check 'a healthy project: exit 0' exits 0
check 'a line for each check' same "$(awk '{ printf "%s ", $2 }' "$out")" \
	'noxmk make makefile nox noxfile python uv forks files processors proc terminals orphans '
check 'nothing would stop a run' lacks "$out" 'stop '
check 'make, with its jobserver' says ok make 'GNU make [0-9.]*, its jobserver is a (pipe|fifo)'
check 'the makefile' says ok makefile 'GNUmakefile includes nox.mk'
check 'nox, with the oldest that will do' says ok nox 'from 2022.11.21 on'
check 'the noxfile is planned' says ok noxfile 'noxfile.py: 2 sessions, 2 of them by default'
check "nox's python" says ok python '3\.[0-9]+\.'
check 'the file system' says ok files 'locks, renames'
check 'the processors' says '(ok|advice)' processors "make -j[0-9]+"
check 'no file of the project has changed, and there is no new one' same "$(tree)" "$before"
mk -j2 ci
before=$(tree)
doctor
check 'after a run: exit 0' exits 0
check 'after a run: no file has changed' same "$(tree)" "$before"
check 'forks are off' says ok forks 'was to be forked, and little would be spared'

doctor --json
check '--json: the same as an object' "$python3" - "$out" <<'END'
import json, sys
found = json.load(open(sys.argv[1]))
assert found["schema"] == 1 and found["health"] in ("ok", "advice")
checks = {check["check"]: check for check in found["checks"]}
assert len(checks) == 13 and checks["noxfile"]["health"] == "ok" and "2 sessions" in checks["noxfile"]["text"]
END

# Forks: asked for and not to be had, and what they would spare

simple
echo 'open("written", "w").close()' >>noxfile.py
mk -j1 ci NOXMK_FORK=always
doctor
check 'all that were not forked, and why' says ok forks \
	'0 of 2 sessions of the last run were; not lint, tests: the noxfile depends on what it writes'
noxfile <<'END'
import time
time.sleep(0.25) # so that nox takes long enough on any machine

@nox.session(python=False)
@nox.parametrize("n", list(range(8)))
def short(session, n): ...
END
mk -j1 ci NOXMK_FORK=0
doctor
check 'forks would help' says advice forks 'off in the last run: .* less without NOXMK_FORK=0$'
run "$STAGE/bin/noxmk" report
check 'report says so, too' matches "$out" '^nox.s own starts and ends took .* less without NOXMK_FORK=0\.$'
rm -rf noxfile.py "$state"
simple
mk -j2 ci

# What the last plan was made by

mv noxfile.py other.py
mk nox-plan NOXMK_NOXFILE=other.py NOX="env A=b nox"
doctor
check 'NOX of the last plan' says ok nox 'by NOX=env A=b nox'
check 'the noxfile of the last plan' says ok noxfile 'other.py: 2 sessions'

# What would stop a run

fresh empty
doctor
check 'no noxfile' says stop noxfile 'noxfile.py: No such file.*project.s folder'
check 'no makefile is no fault' says ok makefile 'noxmk make -j ci'
doctor --json
check 'no noxfile: --json, and exit 1' same "$status $(sed -n 's/^ "health": "\(.*\)",$/\1/p' "$out")" '1 stop'

simple
echo 'raise SystemError("broken")' >>noxfile.py
doctor
check 'a noxfile that does not load' says stop noxfile 'does not load.*`noxmk plan` says more'
simple
printf '[tool.noxmk]\nodd = 1\n' >pyproject.toml
doctor
check 'a configuration that is wrong' says stop noxfile 'unknown key'

simple
NOX=/nonexistent/nox doctor
check 'no nox' says stop nox '/nonexistent/nox does not run.*pipx install nox'
NOX="no'x" doctor
check 'a NOX that is no command' says stop nox "without its second"
echo 'echo 2021.10.1' | fake nox
PATH=$scratch/bin:$PATH doctor
check 'a nox that is too old' says stop nox '2021.10.1 is too old: install 2022.11.21'
rm "$scratch/bin/nox"

echo 'echo 4.1 MAKEFLAGS --jobserver-fds=3,4' | fake make
PATH=$scratch/bin:$PATH doctor
check 'a make that is too old' says stop make 'GNU make 4.1 is too old: install 4.2'
echo 'echo "usage: make [-j]"; exit 1' | fake make
PATH=$scratch/bin:$PATH doctor
check 'a make of another kind' says stop make 'is not GNU make'
MAKE=/nonexistent/make doctor
check 'no make' says stop make 'apt-get install make'
echo 'echo "4.10 -j2 --jobserver-auth=fifo:/tmp/x"' | fake make
PATH=$scratch/bin:$PATH doctor
check 'a newer make, with a fifo' says ok make 'GNU make 4.10, its jobserver is a fifo'
rm "$scratch/bin/make"

run "$STAGE/bin/noxmk" -S /proc/nowhere doctor
check 'a state folder that cannot be' says stop files 'NOXMK_STATE=FOLDER'

# What could be better

echo 'echo other' | fake noxmk
PATH=$scratch/bin:$PATH doctor
check 'another noxmk in PATH' says advice noxmk "$scratch/bin/noxmk is another one"
rm "$scratch/bin/noxmk"
echo 'all:' >GNUmakefile
doctor
check 'a makefile that does not include us' says advice makefile 'include \$\(shell noxmk include\)'
echo 'echo 2025.5.1' | fake nox
echo 'echo uv 0.9' | fake uv
PATH=$scratch/bin:$PATH doctor
check 'uv would be faster' says advice uv "NOX_DEFAULT_VENV_BACKEND='uv.virtualenv'"
NOX_DEFAULT_VENV_BACKEND=uv PATH=$scratch/bin:$PATH doctor
check 'uv is chosen' says ok uv 'uv is there'
# One that does not run hides what may be behind it in PATH.
echo 'exit 1' | fake uv
for line in 'nox.options.default_venv_backend = "uv"' "@nox.session(venv_backend='uv')"; do
	simple
	printf '%s\n' "$line" 'def one(session): ...' >>noxfile.py
	PATH=$scratch/bin:$PATH doctor
	check "$line, and there is none" says advice uv 'is chosen, and not there.*pip install uv'
done
simple
echo 'nox.options.default_venv_backend = "uv|virtualenv"' >>noxfile.py
PATH=$scratch/bin:$PATH doctor
check 'another may stand in for uv' says ok uv 'uv is not there'
rm "$scratch/bin/uv"
simple
mk ci
: >"$state/.request-begin-1-1-abcdef01"
XDG_RUNTIME_DIR=$scratch/runtime
export XDG_RUNTIME_DIR
mkdir -p "$XDG_RUNTIME_DIR/noxmk-$(id -u)"
chmod 700 "$XDG_RUNTIME_DIR/noxmk-$(id -u)"
doctor
check 'the request of a make that was killed' says advice orphans "rm $state/.request-"
mkdir "$XDG_RUNTIME_DIR/noxmk-$(id -u)/1-1-abcdef01"
doctor
check 'the folder of a make that was killed' says advice orphans "killed, in $XDG_RUNTIME_DIR/noxmk-[0-9]*: 1;"
rm -r "$XDG_RUNTIME_DIR/noxmk-$(id -u)/"* "$state"/.request-*
doctor
check 'nothing of dead makes' says ok orphans 'nothing is left'

finish
