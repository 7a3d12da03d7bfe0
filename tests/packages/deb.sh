#!/bin/sh
# The Debian package in a Debian that was made for it, with real nox: `make check-packages`.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR/../cli source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"

root=$scratch/root
if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
	skip 'the package in a fresh Debian' 'this needs root, and mmdebstrap: scripts/bootstrap test'
	finish
fi

# within COMMAND: a line for sh, in the new Debian.
within() {
	run chroot "$root" sh -c "$1"
}

files() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./mnt -o -path ./var \) -prune -o -print | sort)
}

run mmdebstrap --variant=apt --include=make,nox,python3-pytest,python3-coverage,flake8,mypy,bandit bookworm "$root"
check 'a fresh Debian' exits 0
mount -t proc proc "$root/proc"
at_exit='umount "$root/proc"'
cp "$B"/packages/noxmk_*.deb "$root/mnt"
cp -R "$TOP/tests/projects/sample" "$root/mnt"
files >"$scratch/before"
within 'dpkg -i /mnt/noxmk_*.deb'
check 'it installs' exits 0
within 'cd /mnt/sample && noxmk make -j2 ci'
check 'the sample project passes, without a makefile' matches "$out" '9 sessions: 9 passed'
within 'cd /mnt/sample && echo "include nox.mk" >GNUmakefile && make lint'
check 'make finds nox.mk' exits 0
within 'man -w noxmk nox.mk 2>/dev/null || ls /usr/share/man/man1/noxmk.1.gz /usr/share/man/man5/nox.mk.5.gz'
check 'the pages are there' exits 0
within 'dpkg --purge noxmk'
check 'it is purged' exits 0
files >"$scratch/after"
check 'nothing is left' same "$(diff "$scratch/before" "$scratch/after" | grep noxmk)" ''

finish
