#!/bin/sh
# scripts/bootstrap against a machine of our own making: a PATH that holds nothing but fakes of the
# programs it asks. Run from the tree's top; prints a line per check, exit 1 if any failed.

set -u

top=$PWD
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

count=0
failed=0
sudo_user=

# check NAME COMMAND...: the command must succeed.
check() {
	name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count $name"
	else
		echo "not ok $count $name"
		failed=$((failed + 1))
		sed 's/^/# /' "$scratch/out" "$scratch/err" "$scratch/calls"
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count $1 # SKIP $2"
}

# fake NAME: a program from stdin.
fake() {
	{
		echo '#!/bin/sh'
		echo "scratch='$scratch'; real='$PATH'"
		cat
	} >"$scratch/bin/$1"
	chmod +x "$scratch/bin/$1"
}

# A machine where the user has this uid and nothing is installed. The files installed and removed
# list packages, calls gets every call of apt-get and sudo, flags are files: fail-update,
# fail-install, fail-peers, password (sudo wants one; there is a person who types it if there is a
# terminal). The tree is that of a user called me.
machine() {
	rm -rf "${scratch:?}"/*
	mkdir "$scratch/bin" "$scratch/scripts"
	cp "$top/scripts/bootstrap" "$scratch/scripts/"
	: >"$scratch/installed"
	: >"$scratch/removed"
	: >"$scratch/calls"
	ln -s "$(command -v env)" "$scratch/bin/env"
	echo "echo $1" | fake id
	fake dpkg-query <<'END'
for package; do :; done
PATH=$real
case $3 in *'\n'*) ;; *) echo 'fake dpkg-query: format' >&2; exit 2 ;; esac
if grep -qx "$package" "$scratch/installed"; then
	echo installed
elif grep -qx "$package" "$scratch/removed"; then
	echo config-files
else
	echo "no packages found matching $package" >&2
	exit 1
fi
END
	fake apt-get <<'END'
echo "apt-get $* (${DEBIAN_FRONTEND:-asks})" >>"$scratch/calls"
PATH=$real
[ ! -e "$scratch/fail-$1" ] || exit 100
[ "$1" = install ] || exit 0
for package; do
	echo "$package" >>"$scratch/installed"
done
END
	fake sudo <<'END'
if [ "$1" = -n ]; then
	[ ! -e "$scratch/password" ] || exit 1
	shift
	exec "$@"
fi
if [ "$1" = -H ]; then
	echo "sudo $1 $2 $3" >>"$scratch/calls"
	shift 3
else
	echo "sudo $1 $2 $3 $4" >>"$scratch/calls"
fi
"$@"
END
	echo 'exit 0' | fake true
	echo 'echo me' | fake stat
	fake ../scripts/peers <<'END'
echo peers >>"$scratch/calls"
echo build/peers/make-4.4.1/bin/make
[ ! -e "$scratch/fail-peers" ]
END
}

# run [ARG...]: leaves status and the files out and err.
run() {
	env -i PATH="$scratch/bin" ${sudo_user:+"SUDO_USER=$sudo_user"} /bin/sh "$scratch/scripts/bootstrap" "$@" \
		>"$scratch/out" 2>"$scratch/err" </dev/null
	status=$?
}

# same FILE TEXT
same() {
	[ "$(cat "$scratch/$1")" = "$2" ]
}

# has FILE TEXT: a line of the file has this text.
has() {
	grep -qF -e "$2" "$scratch/$1"
}

# names FILE: the packages, on one line.
names() {
	tr '\n' ' ' <"$scratch/$1" | sed 's/ $//'
}

by_hand='apt-get update && apt-get install -y --no-install-recommends'
options='-qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0'

# All missing.

machine 0
run --print
check 'print: exit 0' [ "$status" -eq 0 ]
check 'print: make, the compiler and nox' \
	[ "$(grep -cx -e make -e gcc -e nox "$scratch/out")" -eq 3 ]
check 'print: no valgrind for make ci' [ "$(grep -cx valgrind "$scratch/out")" -eq 0 ]
check 'print: one package a line' [ "$(grep -c ' ' "$scratch/out")" -eq 0 ]
check 'print: no package twice' [ -z "$(sort "$scratch/out" | uniq -d)" ]
check 'print: installs nothing' same calls ''
base=$(names out)

run test --print
all=$(names out)
check 'print test: what ci needs, and more' [ "${all#"$base "}" != "$all" ]
check 'print test: valgrind' has out valgrind
extra=${all#"$base "}

run
check 'root: exit 0' [ "$status" -eq 0 ]
check 'root: update, then one install, no questions, no sudo' same calls \
	"apt-get update -qq (noninteractive)
apt-get install $options $base (noninteractive)"

# Nothing missing.

: >"$scratch/calls"
run
check 'again: exit 0' [ "$status" -eq 0 ]
check 'again: says so in one line' same out 'nothing to install'
check 'again: apt is not asked' same calls ''
check 'again: nothing on stderr' same err ''
run --print
check 'again: print prints nothing' same out ''

# Some missing.

run test
check 'test: adds only what is missing' has calls "apt-get install $options $extra (non"
check 'test: fetches the peers at the end' [ "$(tail -n 1 "$scratch/calls")" = peers ]
: >"$scratch/calls"
run test
check 'test again: says so in one line' same out 'nothing to install'
check 'test again: apt is not asked, the peers may lack' same calls peers
: >"$scratch/calls"
run bench
check 'bench: fetches the peers' same calls peers
: >"$scratch/calls"
run test --print
check 'print test: fetches nothing' same calls ''

: >"$scratch/fail-peers"
run test
check 'no peers: exit 0' [ "$status" -eq 0 ]
check 'no peers: the command that fetches them' has err 'To try again: scripts/peers'
rm "$scratch/fail-peers"

: >"$scratch/calls"
sudo_user=me
run test
check 'under sudo: the peers belong to the owner of the tree' same calls 'sudo -H -u me
peers'
: >"$scratch/calls"
sudo_user=you
run test
check "under sudo, in another's tree: root fetches them" same calls peers
sudo_user=

grep -vx gcc "$scratch/installed" >"$scratch/rest"
mv "$scratch/rest" "$scratch/installed"
echo gcc >"$scratch/removed"
run
check 'a package removed but not purged is missing' \
	has calls "apt-get install $options gcc (non"

# Not root.

machine 1000
run
check 'sudo: exit 0' [ "$status" -eq 0 ]
check 'sudo: update and install, no questions' same calls \
	"sudo env DEBIAN_FRONTEND=noninteractive apt-get update
apt-get update -qq (noninteractive)
sudo env DEBIAN_FRONTEND=noninteractive apt-get install
apt-get install $options $base (noninteractive)"

rm "$scratch/bin/sudo"
run
check 'neither root nor sudo, nothing missing: exit 0' [ "$status" -eq 0 ]

machine 1000
rm "$scratch/bin/sudo"
run
check 'neither root nor sudo: exit 1' [ "$status" -eq 1 ]
check 'neither root nor sudo: the exact command' has err "  $by_hand $base"
check 'neither root nor sudo: apt is not asked' same calls ''
run --print
check 'neither root nor sudo: print works' [ "$(names out)" = "$base" ]

machine 1000
: >"$scratch/password"
run
check 'sudo wants a password, no terminal: exit 1' [ "$status" -eq 1 ]
check 'sudo wants a password, no terminal: the exact command' has err "  $by_hand $base"
check 'sudo wants a password, no terminal: apt is not asked' same calls ''

if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	script -qec "env -i PATH='$scratch/bin' /bin/sh '$scratch/scripts/bootstrap'" "$scratch/typescript" \
		>"$scratch/out" 2>"$scratch/err" </dev/null
	status=$?
	check 'sudo wants a password, at a terminal: exit 0' [ "$status" -eq 0 ]
	check 'sudo wants a password, at a terminal: installs' has calls "apt-get install $options $base"
else
	skip 'sudo wants a password, at a terminal' 'script(1) cannot make one here'
fi

# apt fails, or is not there.

machine 0
: >"$scratch/fail-install"
run test
check 'install fails: no peers' [ "$(grep -c peers "$scratch/calls")" -eq 0 ]
run
check 'install fails: exit 1' [ "$status" -eq 1 ]
check 'install fails: the exact command' has err "  $by_hand $base"

machine 0
: >"$scratch/fail-update"
run
check 'update fails: warned' has err 'apt-get update failed'
check 'update fails, install does not: exit 0' [ "$status" -eq 0 ]

machine 0
rm "$scratch/bin/apt-get" "$scratch/bin/dpkg-query"
run
check 'not Debian: exit 1' [ "$status" -eq 1 ]
check 'not Debian: says what it lacks' has err 'no apt-get'
check 'not Debian: what to install' has err "$by_hand $base"

# Usage.

machine 0
for wrong in tests --prnt ''; do
	run "$wrong"
	check "usage: '$wrong': exit 2" [ "$status" -eq 2 ]
done
check 'usage: on stderr' has err 'usage: scripts/bootstrap'
run test --nonsense
check 'usage: nothing was installed' same calls ''

echo "1..$count"
[ "$failed" -eq 0 ]
