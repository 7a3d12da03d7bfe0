#!/bin/sh
# `make deb`: what is in the package, and what lintian says. `make check-packages` installs it.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v lintian >/dev/null; then
	skip 'the Debian package' 'no lintian here: scripts/bootstrap test'
	finish
fi
export DEBFULLNAME='The noxmk authors' DEBEMAIL=noxmk@debian.org

build() {
	run "$MAKE" -C "$TOP" --no-print-directory B="$scratch/build$1" deb
}

build 1
check 'it is made' exits 0
package=$(ls "$scratch"/build1/packages/noxmk_*.deb)
build 2
check 'two of one commit are equal' cmp "$package" "$scratch"/build2/packages/noxmk_*.deb
run lintian --fail-on error "$package"
check 'lintian has no error' exits 0
dpkg-deb -x "$package" "$scratch/image"
run "$scratch/image/usr/bin/noxmk" --version
check 'its program runs' exits 0
check 'make finds nox.mk' has "$scratch/image/usr/include/nox.mk" 'NOXMK ?= /usr/bin/noxmk'
check 'its pages are there' [ -f "$scratch/image/usr/share/man/man5/nox.mk.5.gz" ]
dpkg-deb -f "$package" >"$out"
check 'it needs make' matches "$out" '^Depends: .*make [(]>= 4[.]2[)]'
check 'and suggests nox' matches "$out" '^Recommends: nox'

run "$MAKE" -C "$TOP" --no-print-directory B="$scratch/build1" dist
check 'the tarball of the sources is made' exits 0
tar -xzf "$scratch"/build1/packages/noxmk-*.tar.gz -C "$scratch"
check 'and has all files' same "$(cd "$scratch"/noxmk-*/ && find . -type f | wc -l)" \
	"$(git -C "$TOP" ls-tree -r HEAD | wc -l)"

finish
