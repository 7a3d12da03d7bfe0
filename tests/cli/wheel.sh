#!/bin/sh
# `make wheel`, and what people do with a wheel: pip, pipx, uv; a project without any makefile.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

peers=$TOP/build/peers/packaging/bin
project=$scratch/project

if ! /usr/bin/python3 -c 'import wheel, ensurepip' 2>/dev/null; then
	skip 'the wheel' 'no python3-wheel and python3-venv here: scripts/bootstrap test'
	finish
fi

build() {
	run "$MAKE" -C "$TOP" --no-print-directory B="$scratch/build$1" wheel
}

build 1
check 'it is made' exits 0
wheel=$(ls "$scratch"/build1/packages/*.whl)
arch=$(uname -m)
check 'it is for any Linux' same "$(basename "$wheel" | sed 's/[^-]*-[^-]*-//')" \
	"py3-none-manylinux2014_$arch.musllinux_1_1_$arch.whl"
build 2
check 'two of one commit are equal' cmp "$wheel" "$scratch"/build2/packages/*.whl
check 'it is small' [ "$(wc -c <"$wheel")" -lt 3000000 ]
check 'the helper needs no library' [ -z "$(readelf -d "$scratch"/build1/wheel/tree/*/scripts/noxmk | grep NEEDED)" ]

# installed FOLDER: what is there of it, but for folders.
installed() {
	find "$1" ! -type d \( -name '*noxmk*' -o -path '*noxmk*' -o -name 'nox.mk*' \) | sort
}

# A project that has no makefile.
fresh_project() {
	rm -rf "$project"
	mkdir -p "$project"
	cd "$project" || exit
	noxfile <<'END'
@nox.session(python=False)
def lint(session):
    session.run("python3", "-c", "pass", external=True)

@nox.session(python=False)
def inner(session):
    session.run("make", "-s", "-f", os.devnull, "--eval=all: ; @printenv MAKEFLAGS", external=True)
END
	rm -f GNUmakefile
}
works_in() {
	fresh_project
	run env PATH="$1:$(dirname "$(command -v nox)"):/usr/bin:/bin" noxmk make -j2 ci
	[ "$status" = 0 ] && matches "$out" '2 sessions: 2 passed' && tells_make_of_slots
}
# The make within a session is a client of the jobserver, though no link can stand for it.
tells_make_of_slots() {
	matches .nox/.noxmk/latest/inner.log ' -j.*--jobserver-auth=[0-9]'
}

/usr/bin/python3 -m venv "$scratch/venv"
pip() {
	run "$scratch/venv/bin/python" -m pip --disable-pip-version-check -q "$@"
}
pip install --no-index "$wheel"
check 'pip installs it without a network' exits 0
check 'and it runs a project that has no makefile' works_in "$scratch/venv/bin"
run "$scratch/venv/bin/python" -m noxmk --version
check 'python -m noxmk is it, too' matches "$out" '^noxmk [0-9]'
# shellcheck disable=SC2016 # make expands it
echo 'include $(shell noxmk include)' >GNUmakefile
run env PATH="$scratch/venv/bin:$(dirname "$(command -v nox)"):/usr/bin:/bin" make lint
check 'a makefile finds it by noxmk include' exits 0
mv "$scratch/venv" "$scratch/moved"
rm GNUmakefile
run env PATH="$scratch/moved/bin:$(dirname "$(command -v nox)"):/usr/bin:/bin" noxmk make lint
check 'it may be moved' exits 0
mv "$scratch/moved" "$scratch/venv"
pip uninstall -y noxmk
check 'uninstalled: no file is left' same "$(installed "$scratch/venv")" ''

if [ -x "$peers/uv" ]; then
	export UV_CACHE_DIR="$scratch/cache" UV_TOOL_DIR="$scratch/tools" UV_OFFLINE=1 UV_NO_INDEX=1
	export UV_TOOL_BIN_DIR="$scratch/tools-bin" UV_PYTHON=/usr/bin/python3
	run "$peers/uv" tool install -q "$wheel"
	check 'uv tool installs it' exits 0
	check 'uv: it runs a project' works_in "$scratch/tools-bin"
	run "$peers/uv" tool uninstall -q noxmk
	check 'uv: uninstalled: no file is left' same "$(installed "$scratch/tools") $(ls "$scratch/tools-bin")" ' '
	fresh_project
	run env PATH="$(dirname "$(command -v nox)"):/usr/bin:/bin" "$peers/uvx" -q --from "$wheel" noxmk make -j2 ci
	check 'uvx runs it in one line' exits 0
	export PIPX_HOME="$scratch/pipx" PIPX_BIN_DIR="$scratch/pipx-bin" PIPX_DEFAULT_PYTHON=/usr/bin/python3
	run "$peers/pipx" install -q --pip-args=--no-index "$wheel"
	check 'pipx installs it' exits 0
	check 'pipx: it runs a project' works_in "$scratch/pipx-bin"
	run "$peers/twine" check --strict "$wheel"
	check 'twine is content' exits 0
	run "$peers/check-wheel-contents" "$wheel"
	check 'check-wheel-contents is content' exits 0
	run "$peers/auditwheel" show "$wheel"
	check 'auditwheel is content' has "$out" 'requires no external shared libraries'
else
	for what in 'uv tool' uvx pipx twine auditwheel check-wheel-contents; do
		skip "$what" 'scripts/peers has not fetched it'
	done
fi

finish
