#!/bin/sh
# `make install`, using what it has installed, `make uninstall`, and this tree's own makefile with
# somebody's project.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

tree() {
	run "$MAKE" -C "$TOP" --no-print-directory B="$B" "$@"
}

files() {
	(cd "$1" && find . ! -type d | sort)
}

installed='./bin/noxmk
./include/nox.mk
./share/bash-completion/completions/noxmk
./share/fish/vendor_completions.d/noxmk.fish
./share/man/man1/noxmk.1
./share/man/man5/nox.mk.5
./share/noxmk/building.py
./share/noxmk/completion/bash
./share/noxmk/completion/fish
./share/noxmk/completion/zsh
./share/noxmk/configure.py
./share/noxmk/coupling.py
./share/noxmk/ending.py
./share/noxmk/gate.py
./share/noxmk/handover.py
./share/noxmk/inputs.py
./share/noxmk/noxmk_shim.py
./share/noxmk/onlooker.py
./share/noxmk/probe.py
./share/noxmk/report.schema.json
./share/noxmk/shim.py
./share/noxmk/statuses.py
./share/noxmk/tools/gmake
./share/noxmk/tools/make
./share/noxmk/zygote.py
./share/zsh/site-functions/_noxmk'

tree install PREFIX="$scratch/prefix"
check 'install: exit 0' exits 0
check 'install: the files' same "$(files "$scratch/prefix")" "$installed"
check 'install: all can read them' same "$(find "$scratch/prefix" ! -perm -444)" ''
check 'install: the program can be run' [ -x "$scratch/prefix/bin/noxmk" ]
run "$scratch/prefix/bin/noxmk" -V
check 'install: it runs' exits 0

STAGE=$scratch/prefix
project noop
mk -j2 lint
check 'installed: a session passes' same "$status $(verdicts)" '0 lint: passed'
check 'installed: nothing of the tree or the build is used' \
	lacks "$state"/latest/lint.log "$TOP/"
echo "include $scratch/prefix/include/nox.mk" >GNUmakefile
run "$MAKE" lint
check 'installed: included by its path' same "$status $(verdicts)" '0 lint: passed'
run "$MAKE" lint NOXMK=/nonexistent/noxmk
check 'installed: NOXMK is the helper' has "$err" '/nonexistent/noxmk'
cp -R "$scratch/prefix" "$scratch/moved"
mv "$scratch/prefix" "$scratch/gone"
printf 'NOXMK := %s/moved/bin/noxmk\ninclude %s/moved/include/nox.mk\n' "$scratch" "$scratch" >GNUmakefile
rm -rf "$state"
run "$MAKE" lint
check 'installed, then moved: it finds its own files' same "$status $(verdicts)" '0 lint: passed'
mv "$scratch/gone" "$scratch/prefix"

tree uninstall PREFIX="$scratch/prefix"
check 'uninstall: exit 0' exits 0
check 'uninstall: nothing is left' same "$(files "$scratch/prefix")" ''

tree install DESTDIR="$scratch/image" PREFIX=/usr
check 'DESTDIR: exit 0' exits 0
check 'DESTDIR: the files' same "$(files "$scratch/image/usr")" "$installed"
check 'DESTDIR: it is in no file' same "$(grep -rlF "$scratch" "$scratch/image")" ''
check 'DESTDIR: the helper without it' has "$scratch/image/usr/include/nox.mk" '/usr/bin/noxmk'
tree uninstall DESTDIR="$scratch/image" PREFIX=/usr
check 'DESTDIR: uninstall: nothing is left' same "$(files "$scratch/image")" ''
tree install PREFIX="$scratch/image" BINDIR="$scratch/image/sbin" MANDIR="$scratch/image/man"
check 'BINDIR, MANDIR: the files' same "$(files "$scratch/image" | tr '\n' ' ')" \
	'./include/nox.mk ./man/man1/noxmk.1 ./man/man5/nox.mk.5 ./sbin/noxmk ./share/bash-completion/completions/noxmk ./share/fish/vendor_completions.d/noxmk.fish ./share/noxmk/building.py ./share/noxmk/completion/bash ./share/noxmk/completion/fish ./share/noxmk/completion/zsh ./share/noxmk/configure.py ./share/noxmk/coupling.py ./share/noxmk/ending.py ./share/noxmk/gate.py ./share/noxmk/handover.py ./share/noxmk/inputs.py ./share/noxmk/noxmk_shim.py ./share/noxmk/onlooker.py ./share/noxmk/probe.py ./share/noxmk/report.schema.json ./share/noxmk/shim.py ./share/noxmk/statuses.py ./share/noxmk/tools/gmake ./share/noxmk/tools/make ./share/noxmk/zygote.py ./share/zsh/site-functions/_noxmk '
check 'BINDIR: make for sessions is the helper' same "$(readlink -f "$scratch/image/share/noxmk/tools/make")" \
	"$scratch/image/sbin/noxmk"
tree uninstall PREFIX="$scratch/image" BINDIR="$scratch/image/sbin" MANDIR="$scratch/image/man"
check 'BINDIR, MANDIR: uninstall: nothing is left' same "$(files "$scratch/image")" ''

# This tree.

project verdicts
rm GNUmakefile
tree -j ci NOXMK_PROJECT="$PWD"
check 'the tree: exit 2, as some fail' exits 2
check "the tree: the project's sessions" same "$(verdicts)" 'error: aborted
fail: failed
missing_program: failed
pass: passed
raise_exc: failed
skip: skipped'
tree pass NOXMK_PROJECT="$PWD"
check 'the tree: one session' same "$status $(verdicts)" '0 pass: passed'
tree -n ci NOXMK_PROJECT="$PWD"
check 'the tree: -n' has "$out" 'would run 6 sessions'
tree nox-list NOXMK_PROJECT="$PWD"
check 'the tree: nox-list' matches "$out" '^- quiet '
tree help
check 'the tree: help: exit 0' exits 0
check 'the tree: help: names install' matches "$out" '^ +install '
tree vars
check 'the tree: vars: exit 0' exits 0
tree no-such-session NOXMK_PROJECT="$PWD"
check 'the tree: an unknown goal: exit 2' exits 2

finish
