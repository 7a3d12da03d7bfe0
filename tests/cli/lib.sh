# What the end-to-end scripts share; each begins with `. "$(dirname "$0")/lib.sh"` and ends with
# `finish`. TAP on stdout: a line a check, and the plan last, so that a script that dies has none.
#
# A script works in $scratch, which is removed at its end. run and mk leave status, $out and $err,
# which a failed check shows.

# shellcheck shell=sh
# shellcheck disable=SC2034 # variables for the scripts

set -u

TOP=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
B=${B:-$TOP/build}
STAGE=${STAGE:-$B/stage}
MAKE=${MAKE:-make}
on_ci=${CI:-}
if [ ! -x "$STAGE/bin/noxmk" ]; then
	echo "Bail out! there is no $STAGE/bin/noxmk: make stage"
	exit 1
fi

# Neither a make around us, nor the user's own settings for nox, make or tools.
# shellcheck disable=SC2046 # names of variables
unset $(env | sed -n 's/^\(NOX[A-Z_]*\)=.*/\1/p') CI GITHUB_ACTIONS FORGEJO_ACTIONS \
	GITEA_ACTIONS GITLAB_CI TF_BUILD TEAMCITY_VERSION GITHUB_STEP_SUMMARY ARGS FORCE_COLOR NO_COLOR PYTHONPATH MAKEFLAGS \
	MFLAGS GNUMAKEFLAGS MAKELEVEL MAKEFILES MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
# All scripts hold with sessions that are forked, too: TEST_FORK=always tests/run tests/cli/why.sh
[ -z "${TEST_FORK:-}" ] || export NOXMK_FORK="$TEST_FORK"

# not_forked WHY: the sessions of this script start their own nox, whatever TEST_FORK says.
not_forked() {
	[ -z "${TEST_FORK:-}" ] || echo "# not forked: $1"
	unset NOXMK_FORK
}

# The project's nox runs in it, and its sessions do: no .pyc may look as if something had changed.
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
# A version manager's python costs a shell script a call.
python3=/usr/bin/python3
[ -x "$python3" ] || python3=python3

# Where the state folder of a project is.
state=.nox/.noxmk

scratch=$(mktemp -d) || exit 1
scratch=$(cd "$scratch" && pwd -P)
# A make that is killed leaves its FIFO behind, and the next one of that pid does not start there.
TMPDIR=$scratch/tmp
export TMPDIR
mkdir "$TMPDIR"
chmod 1777 "$TMPDIR"
out=$scratch/out
err=$scratch/err
: >"$out"
: >"$err"
count=0
failed=0
status=0
last='(nothing was run)'
topic=
at_exit=:
trap 'eval "$at_exit"; cd /; rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

# check NAME COMMAND...: the command must succeed. A script may set topic, which heads all names.
# Never behind a pipe: there its count, and its failure, would be lost with the subshell.
check() {
	name=$topic$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count $name"
		return
	fi
	echo "not ok $count $name"
	failed=$((failed + 1))
	{
		case $1 in
		same | tells) ;; # they show more than their arguments
		*) echo "false: $*" ;;
		esac
		echo "after: $last (exit status $status; in $PWD)"
		for stream in out err; do
			echo "$stream:"
			tail -n 40 "$scratch/$stream"
		done
	} | sed 's/^/#   /'
}

skip() {
	count=$((count + 1))
	echo "ok $count $topic$1 # SKIP $2"
}

finish() {
	echo "1..$count"
	[ "$failed" -eq 0 ]
	exit
}

# run COMMAND...
run() {
	last=$*
	"$@" >"$out" 2>"$err" </dev/null
	status=$?
}

# mk [ARGUMENT...]: make with the staged nox.mk within reach.
mk() {
	run "$MAKE" -I "$STAGE/include" "$@"
}

# how TARGET: "" when it was forked in the last run, else why not.
how() {
	sed -n 's/^ *"fork": "\{0,1\}\(.*[^",]\)\{0,1\}"\{0,1\},\{0,1\}$/\1/p' "$state/latest/$1.json"
}

# planned: of what `make -n` has printed, the targets in their order and what each waits for.
planned() {
	sed -n 's/^ *[0-9][0-9.hms]* *[0-9][0-9.hms]*[ ?]  \(.*\)$/\1/p' "$out"
}

# peer NAME PROGRAM: sets $peer to what scripts/peers has fetched, or to nothing; then a check
# says so: a skipped one, but a failed one on a CI machine, which is to test all.
peer() {
	peer=$TOP/build/peers/$1/bin/$2
	[ ! -x "$peer" ] || return 0
	peer=
	if [ -n "$on_ci" ]; then
		check "$1 is there (scripts/peers fetches it)" false
	else
		skip "$1" 'not there; to fetch it: scripts/peers'
	fi
}

# project NAME [FOLDER]: into a fresh copy of tests/projects/NAME, adopted.
project() {
	fresh "${2:-$1}"
	(cd "$TOP/tests/projects/$1" && tar --exclude=.nox --exclude=__pycache__ \
		--exclude='.coverage*' --exclude=./build -cf - .) | tar -xf -
	echo 'include nox.mk' >GNUmakefile
}

# fresh FOLDER: into an empty folder of that name in $scratch.
fresh() {
	rm -rf "${scratch:?}/$1"
	mkdir -p "$scratch/$1"
	cd "$scratch/$1" || exit 1
}

# noxfile: into a fresh project whose noxfile comes from stdin, below its imports.
noxfile() {
	fresh project
	{
		echo 'import json, os, sys, time, nox'
		cat
	} >noxfile.py
	echo 'include nox.mk' >GNUmakefile
}

# Checks

not() {
	! "$@"
}

absent() {
	for file; do
		[ ! -e "$file" ] && [ ! -L "$file" ] || return
	done
}

# has FILE TEXT: a line has this text. lacks: none has. matches: the same with an extended regex.
has() {
	grep -qsF -e "$2" "$1"
}

lacks() {
	! grep -qF -e "$2" "$1"
}

matches() {
	grep -qsE -e "$2" "$1"
}

same() {
	[ "$1" = "$2" ] && return
	printf '%s\n- is not -\n%s\n' "$1" "$2" | sed 's/^/#   /'
	return 1
}

# differ TEXT TEXT: there is one, and it is another.
differ() {
	[ -n "$1" ] && [ "$1" != "$2" ]
}

# exits STATUS: the last command that was run did.
exits() {
	[ "$status" -eq "$1" ]
}

# quiet FILE: nothing in it.
quiet() {
	[ ! -s "$1" ]
}

# make's and the jobserver's own complaints, which no run may cause.
calm() {
	! grep -E 'INTERNAL|jobserver unavailable|warning:|Error 12[0-9]|overriding recipe' "$out" "$err"
}

# What is in the records

# `TARGET: VERDICT` a line, sorted.
verdicts() {
	awk -F '"' '/^ "target": /{ target = $4 } /^ "verdict": /{ print target ": " $4 }' \
		"$state"/latest/*.json | sort
}

# verdict TARGET, reason TARGET: of the last run.
verdict() {
	sed -n 's/^ "verdict": "\(.*\)",$/\1/p' "$state/latest/$1.json"
}

reason() {
	sed -n 's/^ "reason": "\(.*\)",$/\1/p' "$state/latest/$1.json"
}

# How many runs there are.
runs() {
	find "$state"/runs -mindepth 1 -maxdepth 1 -type d | wc -l
}

# log TARGET: what the session itself wrote, without our first and last line.
log() {
	sed -e 1d -e '$d' "$state/latest/$1.log" | sed '$d'
}

# wait_for COMMAND...: until it succeeds, three minutes at most.
wait_for() {
	tries=3600
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}
