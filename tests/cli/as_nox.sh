#!/bin/sh
# Small things in which make is to do as nox does: where the user is, names in any language, what
# nox.options narrows; and a list that has every target.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# session.invoked_from: make's folder.
noxfile <<'END'
@nox.session(python=False)
def where(session):
    print("from", session.invoked_from)
    session.notify("again")

@nox.session(python=False)
def again(session):
    print("from", session.invoked_from)
    session.run("sh", "-c", "env | grep -c ^NOXMK_INVOKED || true", external=True)
END
mk where
check 'invoked_from: in the project' has "$state"/latest/where.log "from $PWD"
mkdir -p "sub/a b"
echo 'include nox.mk' >sub/GNUmakefile
echo 'include nox.mk' >'sub/a b/GNUmakefile'
(cd sub && mk NOXMK_PROJECT=.. where)
check 'invoked_from: below it' has "$state"/latest/where.log "from $PWD/sub"
check 'invoked_from: of a notified session' has "$state"/latest/again.log "from $PWD/sub"
check 'invoked_from: no variable of ours is left' has "$state"/latest/again.log '0'
(cd 'sub/a b' && mk NOXMK_PROJECT=../.. where)
check 'invoked_from: with a blank' has "$state"/latest/where.log "from $PWD/sub/a b"
mk -C sub NOXMK_PROJECT=.. where
check 'invoked_from: with -C' has "$state"/latest/where.log "from $PWD/sub"

# Names beyond ASCII, where the locale knows none.
noxfile <<'END'
@nox.session(python=False, name="prüfung")
def check(session):
    """Prüft – alles."""
    print("läuft", session.name, session.posargs)

@nox.session(python=False)
@nox.parametrize("sprache", ["日本語", "Ελληνικά", "fi"])
def docs(session, sprache):
    print("in", sprache)
END
for locale in C POSIX C.UTF-8; do
	rm -rf "$state"
	LC_ALL=$locale mk -j2 ci
	check "names in $locale: they run" same "$status $(verdicts | wc -l) $(verdicts | grep -c passed)" '0 4 4'
	check "names in $locale: the records have them" has "$state"/latest/pr-fung.json prüfung
	LC_ALL=$locale mk ARGS='größe' pr-fung
	check "names in $locale: and arguments" same "$status $(grep -c "^läuft prüfung \['größe'\]" "$state"/latest/pr-fung.log)" '0 1'
	LC_ALL=$locale mk -n pr-fung
	check "names in $locale: make -n" exits 0
done

# A value without letters or digits does not make a name look like a group's.
noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("opt_deps", [[], ["x"], ["y", "z"]])
def tests(session, opt_deps):
    pass
END
mk nox-list
check 'empty values: a name of their own' same "$(sed -n 's/^[*-] \(tests[^ ]*\) .*/\1/p' "$out" | tr '\n' ' ')" \
	'tests-opt_deps-empty tests-opt_deps-x tests-opt_deps-y-z '
mk tests-opt_deps
check 'empty values: not what looks like all of them' exits 2

# nox.options.pythons, -p and NOXPYTHON narrow what a name means.
noxfile <<'END'
nox.options.pythons = ["3.98"]

@nox.session(python=["3.98", "3.99"], tags=["slow"])
def tests(session):
    pass

@nox.session(python=False, tags=["slow"])
def lint(session):
    pass
END
mk -n tests
check 'nox.options.pythons: a group' same "$(planned | tr -d ' ')" 'tests-3.98'
mk -n slow
check 'nox.options.pythons: a tag' same "$(planned | tr -d ' ')" 'tests-3.98'
mk -n lint tests-3.99
check 'nox.options.pythons: one session by its own name' same "$(planned | sort | tr -d ' ' | tr '\n' ' ')" \
	'lint tests-3.99 '
mk -n tests NOX='nox -p 3.99'
check 'nox -p: a group' same "$(planned | tr -d ' ')" 'tests-3.99'
sed -i '/^nox.options/d' noxfile.py
peer nox-newest nox # older ones do not know the variable
if [ -n "$peer" ]; then
	NOXPYTHON=3.99 mk -n tests NOX="$peer"
	check 'NOXPYTHON: a group' same "$(planned | tr -d ' ')" 'tests-3.99'
fi
mk -n tests
check 'neither: all' same "$(planned | wc -l)" 2

# nox's options, in NOX: the plan and the sessions are as nox has them.
noxfile <<'END'
@nox.session
def tests(session):
    session.install("-q", "pip")
    session.run("python", "-c", "import sys; print('prefix', sys.prefix)")
END
peer nox-newest nox
for option in -R --no-install '-k tests -v' '--default-venv-backend venv' '--force-python python3'; do
	rm -rf .nox
	# shellcheck disable=SC2086 # words
	"${peer:-nox}" $option >"$scratch/theirs" 2>&1
	theirs=$(sed -n 's/^prefix //p' "$scratch/theirs")
	rm -rf .nox
	mk ci NOX="${peer:-nox} $option"
	check "nox $option: passes" exits 0
	check "nox $option: the same environments" same "$(sed -n 's/^prefix //p' "$state"/latest/*.log)" "$theirs"
done
mk ci NOX="${peer:-nox} --no-venv"
check 'nox --no-venv: installs nothing' has "$state"/latest/tests.log 'does not have a virtual environment'

# What a skipped session took is not told as saved.
noxfile <<'END'
@nox.session(python=False)
def skips(session):
    limit = time.monotonic() + 300
    while not all(map(os.path.exists, ("passed", "passed_too"))) and time.monotonic() < limit:
        time.sleep(0.02)
    end = time.monotonic() + 3  # uv looks for an interpreter as long as that
    while time.monotonic() < end:
        pass
    session.skip("no interpreter")

@nox.session(python=False)
def passes(session):
    open("passed", "w").close()

@nox.session(python=False)
def passes_too(session):
    open("passed_too", "w").close()
END
# On a busy machine nobody can tell from one run what these take alone.
echo '{"schema":1,"sessions":{},"learned":{"passes":{"alone":0.3},"passes_too":{"alone":0.3}}}' >known.json
export NOXMK_HISTORY="$PWD/known.json"
# in_order NUMBER...: each is less than the next one.
in_order() {
	printf '%s\n' "$@" | LC_ALL=C sort -g -u -C && [ $# -ge 2 ]
}
mk -j4 ci
# shellcheck disable=SC2046 # numbers
check 'skipped: no time of sessions' in_order $(sed -nE \
	's/.* ([0-9.]+)s wall time, ([0-9.]+)s without the skipped ones, about [0-9.]+s with plain nox(: speed-up .*)?$/\2 \1/p' "$out")
wall=$(sed -nE 's/.* ([0-9.]+)s wall time, .*/\1/p' "$out")
run "$STAGE/bin/noxmk" savings
# shellcheck disable=SC2046 # a number
check 'skipped: nor in the savings' in_order \
	$(sed -nE 's/.* 2 +0 +[^ ]+ +([0-9.]+)s .*/\1/p' "$out") "$wall"
unset NOXMK_HISTORY

# The list has all that make takes, and says it to programs as well.
noxfile <<'END'
@nox.session(python=False, tags=["slow", "lint"])
def tests(session):
    pass

@nox.session(python=["3.11"])
def build(session):
    pass

@nox.session(python=False)
@nox.parametrize("n", [1, 2])
def lint(session, n):
    pass

@nox.session(python=False, name="clean")
def tidy(session):
    pass
END
printf '[tool.noxmk.group]\none = ["tests"]\n' >pyproject.toml
echo 'NOXMK_RESERVED = clean
include nox.mk
clean:; @echo mine' >GNUmakefile
mk nox-list
listed=$(sed -n '2,$s/^. \([^ ]*\) .*/\1/p' "$out" | sort)
check 'the list: all targets' same "$(echo "$listed" | tr '\n' ' ')" \
	'build build-3.11 ci lint lint-n-1 lint-n-2 nox-audit nox-clean nox-list nox-plan one rerun-failed slow tag-lint tests '
made=$("$MAKE" -I "$STAGE/include" -pq .noxmk/none 2>/dev/null |
	sed -n 's/^\([A-Za-z0-9_][^ :=%#$/]*\):.*/\1/p' |
	grep -vE '^(GNUmakefile|makefile|Makefile|clean|noxfile.py|pyproject.toml)$' | sort -u)
check 'the list: none that make has is left out' same "$made" "$listed"
run "$STAGE/bin/noxmk" list --json
check '--json: exit 0' exits 0
check '--json: the same targets' same "$("$python3" -c '
import json, sys
print("\n".join(sorted(json.load(open(sys.argv[1]))["targets"])))' "$out")" "$listed"
check '--json: what the manual says there is' same "$("$python3" -c '
import json, sys
found = json.load(open(sys.argv[1]))
print(*found, *found["sessions"][0], *found["groups"][0])' "$out")" 'schema nox noxfile targets default sessions groups tags pythons resources notes '"\
target session name description python tags default requires after resources kind what members target"
run "$STAGE/bin/noxmk" show --json ci
check '--json: only for the list' exits 2

finish
