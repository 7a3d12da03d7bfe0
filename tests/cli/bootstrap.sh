#!/bin/sh
# scripts/bootstrap against a machine of our own making: a PATH that holds nothing but fakes of the
# programs it asks.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sudo_user=

# fake NAME: a program from stdin.
fake() {
	{
		echo '#!/bin/sh'
		echo "machine='$PWD'; real='$PATH'"
		cat
	} >"bin/$1"
	chmod +x "bin/$1"
}

# machine UID: the user there is that one, and nothing is installed. The files installed and removed
# list packages, calls gets every call of apt-get and sudo, flags are files: fail-update,
# fail-install, fail-peers, password (sudo wants one; there is a person who types it if there is a
# terminal). The tree is that of a user called me.
machine() {
	fresh machine
	mkdir bin scripts
	cp "$TOP/scripts/bootstrap" scripts/
	: >installed
	: >removed
	: >calls
	ln -s "$(command -v env)" bin/env
	echo "echo $1" | fake id
	fake dpkg-query <<'END'
for package; do :; done
PATH=$real
case $3 in *'\n'*) ;; *) echo 'fake dpkg-query: format' >&2; exit 2 ;; esac
if grep -qx "$package" "$machine/installed"; then
	echo installed
elif grep -qx "$package" "$machine/removed"; then
	echo config-files
else
	echo "no packages found matching $package" >&2
	exit 1
fi
END
	fake apt-get <<'END'
echo "apt-get $* (${DEBIAN_FRONTEND:-asks})" >>"$machine/calls"
PATH=$real
[ ! -e "$machine/fail-$1" ] || exit 100
[ "$1" = install ] || exit 0
for package; do
	echo "$package" >>"$machine/installed"
done
END
	fake sudo <<'END'
if [ "$1" = -n ]; then
	[ ! -e "$machine/password" ] || exit 1
	shift
	exec "$@"
fi
if [ "$1" = -H ]; then
	echo "sudo $1 $2 $3" >>"$machine/calls"
	shift 3
else
	echo "sudo $1 $2 $3 $4" >>"$machine/calls"
fi
"$@"
END
	echo 'exit 0' | fake true
	echo 'echo me' | fake stat
	fake ../scripts/peers <<'END'
echo peers >>"$machine/calls"
echo build/peers/make-4.4.1/bin/make
[ ! -e "$machine/fail-peers" ]
END
}

# bootstrap [ARGUMENT...]: on that machine.
bootstrap() {
	run env -i PATH="$PWD/bin" ${sudo_user:+"SUDO_USER=$sudo_user"} \
		/bin/sh "$PWD/scripts/bootstrap" "$@"
}

# names FILE: the packages, on one line.
names() {
	tr '\n' ' ' <"$1" | sed 's/ $//'
}

by_hand='apt-get update && apt-get install -y --no-install-recommends'
options='-qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0'

# All missing.

machine 0
bootstrap --print
check 'print: exit 0' exits 0
check 'print: make, the compiler and nox' \
	same "$(grep -cx -e make -e gcc -e nox "$out")" 3
check 'print: no valgrind for make ci' same "$(grep -cx valgrind "$out")" 0
check 'print: one package a line' same "$(grep -c ' ' "$out")" 0
check 'print: no package twice' same "$(sort "$out" | uniq -d)" ''
check 'print: installs nothing' quiet calls
base=$(names "$out")

bootstrap test --print
all=$(names "$out")
check 'print test: what ci needs, and more' differ "${all#"$base "}" "$all"
check 'print test: valgrind' has "$out" valgrind
extra=${all#"$base "}

bootstrap
check 'root: exit 0' exits 0
check 'root: update, then one install, no questions, no sudo' same "$(cat calls)" \
	"apt-get update -qq (noninteractive)
apt-get install $options $base (noninteractive)"

# Nothing missing.

: >calls
bootstrap
check 'again: exit 0' exits 0
check 'again: says so in one line' same "$(cat "$out")" 'nothing to install'
check 'again: apt is not asked' quiet calls
check 'again: nothing on stderr' quiet "$err"
bootstrap --print
check 'again: print prints nothing' same "$(cat "$out")" ''

# Some missing.

bootstrap test
check 'test: adds only what is missing' has calls "apt-get install $options $extra (non"
check 'test: fetches the peers at the end' same "$(tail -n 1 calls)" peers
: >calls
bootstrap test
check 'test again: says so in one line' same "$(cat "$out")" 'nothing to install'
check 'test again: apt is not asked, the peers may lack' same "$(cat calls)" peers
: >calls
bootstrap bench
check 'bench: fetches the peers' same "$(cat calls)" peers
: >calls
bootstrap test --print
check 'print test: fetches nothing' quiet calls

: >fail-peers
bootstrap test
check 'no peers: exit 0' exits 0
check 'no peers: the command that fetches them' has "$err" 'To try again: scripts/peers'
rm fail-peers

: >calls
sudo_user=me
bootstrap test
check 'under sudo: the peers belong to the owner of the tree' same "$(cat calls)" 'sudo -H -u me
peers'
: >calls
sudo_user=you
bootstrap test
check "under sudo, in another's tree: root fetches them" same "$(cat calls)" peers
sudo_user=

grep -vx gcc installed >rest
mv rest installed
echo gcc >removed
bootstrap
check 'a package removed but not purged is missing' \
	has calls "apt-get install $options gcc (non"

# Not root.

machine 1000
bootstrap
check 'sudo: exit 0' exits 0
check 'sudo: update and install, no questions' same "$(cat calls)" \
	"sudo env DEBIAN_FRONTEND=noninteractive apt-get update
apt-get update -qq (noninteractive)
sudo env DEBIAN_FRONTEND=noninteractive apt-get install
apt-get install $options $base (noninteractive)"

rm bin/sudo
bootstrap
check 'neither root nor sudo, nothing missing: exit 0' exits 0

machine 1000
rm bin/sudo
bootstrap
check 'neither root nor sudo: exit 1' exits 1
check 'neither root nor sudo: the exact command' has "$err" "  $by_hand $base"
check 'neither root nor sudo: apt is not asked' quiet calls
bootstrap --print
check 'neither root nor sudo: print works' same "$(names "$out")" "$base"

machine 1000
: >password
bootstrap
check 'sudo wants a password, no terminal: exit 1' exits 1
check 'sudo wants a password, no terminal: the exact command' has "$err" "  $by_hand $base"
check 'sudo wants a password, no terminal: apt is not asked' quiet calls

if script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	script -qec "env -i PATH='$PWD/bin' /bin/sh '$PWD/scripts/bootstrap'" typescript \
		>"$out" 2>"$err" </dev/null
	status=$?
	check 'sudo wants a password, at a terminal: exit 0' exits 0
	check 'sudo wants a password, at a terminal: installs' has calls "apt-get install $options $base"
else
	skip 'sudo wants a password, at a terminal' 'script(1) cannot make one here'
fi

# apt fails, or is not there.

machine 0
: >fail-install
bootstrap test
check 'install fails: no peers' same "$(grep -c peers calls)" 0
bootstrap
check 'install fails: exit 1' exits 1
check 'install fails: the exact command' has "$err" "  $by_hand $base"

machine 0
: >fail-update
bootstrap
check 'update fails: warned' has "$err" 'apt-get update failed'
check 'update fails, install does not: exit 0' exits 0

machine 0
rm bin/apt-get bin/dpkg-query
bootstrap
check 'not Debian: exit 1' exits 1
check 'not Debian: says what it lacks' has "$err" 'no apt-get'
check 'not Debian: what to install' has "$err" "$by_hand $base"

# Usage.

machine 0
for wrong in tests --prnt ''; do
	bootstrap "$wrong"
	check "usage: '$wrong': exit 2" exits 2
done
check 'usage: on stderr' has "$err" 'usage: scripts/bootstrap'
bootstrap test --nonsense
check 'usage: nothing was installed' quiet calls

finish
