#!/bin/sh
# What the command in NOX changes for nox holds for each session, as for the plan.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxfile <<'END'
@nox.session(python=False)
def see(session):
    names = ["INDEX", "LOST", "VIRTUAL_ENV", "API_TOKEN"]
    session.log("SEES " + " ".join(f"{name}={os.environ.get(name)}" for name in names))
    session.run("mytool", external=True, success_codes=[0])
END
mkdir tools
printf '#!/bin/sh\necho "MYTOOL"\n' >tools/mytool
chmod +x tools/mytool

# sees NAME WORDS: what the session sees is, under that NOX, what plain nox shows.
sees() {
	# shellcheck disable=SC2086 # it may be several words
	run ${NOX#\~/}
	plain=$(grep -h -E 'SEES|MYTOOL' "$out" "$err" | sort)
	mk see
	check "$1: exit 0" exits 0
	check "$1: as plain nox" same "$(grep -E 'SEES|MYTOOL' "$state"/latest/see.log | sort)" "$plain"
	check "$1: as it should" matches "$state"/latest/see.log "$2"
}

export LOST=here
cat >run-nox <<'END'
#!/bin/sh
unset LOST
PATH=$PWD/tools:$PATH INDEX="a b'c" exec nox "$@"
END
chmod +x run-nox
export NOX=./run-nox
sees 'a wrapper' "SEES INDEX=a b'c LOST=None VIRTUAL_ENV=None API_TOKEN=None"
sed -i "s/a b'c/else/" run-nox
sees 'a wrapper that has changed' 'SEES INDEX=else'
PATH=$PWD/nothing:$PATH sees 'another PATH around it' 'SEES INDEX=else'

mkdir -p bin
cp run-nox bin/
# shellcheck disable=SC2088 # nothing here expands it
NOX='~/bin/run-nox'
HOME=$PWD sees 'a wrapper in the home folder' 'SEES INDEX=else'

NOX="env -u LOST INDEX=x PATH=$PWD/tools:$PATH nox"
sees 'env' 'SEES INDEX=x LOST=None'
INDEX=outer sees 'env, another value outside' 'SEES INDEX=x'

# An environment that is made for the command, as uv run and poetry run do.
cat >venv-run <<'END'
#!/bin/sh
[ "$1" != run ] || shift
[ "$1" != -- ] || shift
export VIRTUAL_ENV="$PWD/.venv" PATH="$PWD/tools:$PATH"
exec "$@"
END
chmod +x venv-run
NOX='./venv-run run -- nox'
sees 'as uv run -- nox' 'SEES INDEX=None LOST=here VIRTUAL_ENV=.*/.venv '

# An executable noxfile.
{
	echo "#!$(sed -n '1s/^#!//p' "$(command -v nox)")"
	cat noxfile.py
	printf 'if __name__ == "__main__":\n    os.environ["INDEX"] = "own"\n'
	printf '    os.environ["PATH"] = os.getcwd() + "/tools:" + os.environ["PATH"]\n'
	# Old releases have no nox.main().
	printf '    import nox.__main__\n    nox.__main__.main()\n'
} >exec.py
mv exec.py noxfile.py
chmod +x noxfile.py
NOX=./noxfile.py
sees 'an executable noxfile' 'SEES INDEX=own'

# Secrets: no log shows them, and they are asked for in each make.
NOX="env API_TOKEN=s3cr3t-value PATH=$PWD/tools:$PATH nox"
mk see
check 'a secret: the session has it' has "$state"/latest/see.log 'API_TOKEN=***'
# It stands in NOX itself here; from elsewhere only the plan's own file has it, for its owner.
cat >secret-nox <<'END'
#!/bin/sh
API_TOKEN=$(cat token) PATH=$PWD/tools:$PATH exec nox "$@"
END
chmod +x secret-nox
NOX=./secret-nox
echo first-secret >token
mk see
check 'a secret of a wrapper: masked' has "$state"/latest/see.log 'API_TOKEN=***'
check 'a secret of a wrapper: not for make' lacks "$state"/sessions.mk first-secret
check 'a secret of a wrapper: not among the inputs' lacks "$state"/inputs.json first-secret
check 'a secret of a wrapper: for nobody else' \
	same "$(stat -c %a "$state" "$state"/plan.jsonl | tr '\n' ' ')" '700 600 '
echo second-secret >token
mk see
check 'a secret of a wrapper: the new one' has "$state"/plan.jsonl second-secret

mk ci NOX='env noxmk-test-no-nox'
check 'a wrapper that finds no nox: exit 2' exits 2
check 'a wrapper that finds no nox: a line says so' has "$err" \
	'noxmk: NOX=env noxmk-test-no-nox does not come to run nox (exit 127)'

# Options.
noxfile <<'END'
nox.options.default_venv_backend = "none"
@nox.session
def a(session):
    session.log("POSARGS " + repr(session.posargs))
    session.error("a fails")
@nox.session
def b(session):
    session.log("RUN")
END
NOX='nox -x' mk -j1 ci
check '-x: what has not begun does not run' same "$(verdicts)" 'a: aborted
b: not run'
NOX='nox -R' mk b
check '-R: passes' same "$status $(verdict b)" '0 passed'
NOX='nox -db none' mk b
check '-db: passes' same "$status $(verdict b)" '0 passed'

# What cannot hold is named.
told() {
	mk b NOX="$2"
	check "$1: named" has "$err" "noxmk: $3"
	check "$1: once" same "$(grep -c '^noxmk: NOX' "$err")" 1
}
told nice 'nice -n 5 nox' 'NOX changes the priority, but of nox alone'
check 'nice: the sessions run' exits 0
told ulimit "sh -c 'ulimit -c 0; umask 077; exec nox \"\$@\"' nox" 'NOX changes the umask, the limits, but'
told --report 'nox --report r.json' "NOX has --report r.json: that is not written, see $state/latest instead"
mk b NOX='env X=1 nox'
check 'env: nothing is said' quiet "$err"
told 'a variable first' 'X=1 nox' "NOX begins with a variable, which env sets: NOX='env X=1 nox'"
check 'a variable first: exit 2' exits 2
told 'env -i' "env -i PATH=$PATH nox" 'NOX empties the environment'
check 'env -i: exit 2' exits 2
told 'no nox' true 'NOX=true has ended well and not run nox for the noxfile'
check 'no nox: exit 2' exits 2
# As `uv run --with nox nox`: the environment goes with the command.
cat >fleeting <<'END'
#!/bin/sh
PYTHONPATH=$(dirname "$(dirname "$(/usr/bin/python3 -c 'import nox; print(nox.__file__)')")")
export PYTHONPATH
/usr/bin/python3 -m venv --without-pip gone && gone/bin/python -m nox "$@"
code=$?
rm -rf gone
exit $code
END
chmod +x fleeting
told 'a fleeting environment' ./fleeting 'NOX=./fleeting runs nox in an environment that is gone afterwards'

finish
