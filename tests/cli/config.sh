#!/bin/sh
# [tool.noxmk] of pyproject.toml, from a project's file through nox to the plan: what is well, what
# is wrong, and who reads TOML.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# The project that all cases change: every session waits for nothing, unless pyproject.toml says so.
sessions() {
	noxfile <<'END'
@nox.session(python=False)
def lint(session):
    session.run("true", external=True)

@nox.session(python=False, tags=["slow"])
@nox.parametrize("db", ["3.12", "4.2"])
def tests(session, db):
    session.run("true", external=True)

@nox.session(python=False)
def docs(session):
    session.run("true", external=True)

nox.options.sessions = ["lint", "docs"]
END
}

# claims TARGET, options TARGET: from the plan, as JSON with sorted keys.
field() {
	"$python3" - "$1" "$2" <<'END'
import json, sys
for line in open(".nox/.noxmk/plan.jsonl"):
    line = json.loads(line)
    if sys.argv[2] in (line.get("target"), line.get("group")):
        print(json.dumps(line[sys.argv[1]], sort_keys=True))
END
}

# wrong NAME MESSAGE: pyproject.toml comes from stdin.
wrong() {
	cat >pyproject.toml
	mk lint
	check "$1: exit 2" exits 2
	check "$1: it says so" has "$err" "pyproject.toml: $2"
	check "$1: once" same "$(grep -c pyproject.toml "$err")" 1
	check "$1: no plan" absent "$state"/sessions.mk "$state"/plan.jsonl
	check "$1: nothing ran" absent "$state"/runs
	run "$STAGE/bin/noxmk" plan -- $NOX
	check "$1: noxmk plan fails" exits 125
}

# All that there is, with the nox in $NOX.
good() {
	sessions
	mk -n ci NOX="$NOX"
	check 'without pyproject.toml: exit 0' exits 0
	check 'without: no claims' same "$(field claims lint) $(field options lint)" '[] {}'
	cat >pyproject.toml <<'END'
[project]
name = "x"

[tool.noxmk]
source-build = false

[tool.noxmk.resources]
memory = "8G"

[tool.noxmk.session."*"]
env = {KIND = "any"}
timeout = "10m"

[tool.noxmk.session.lint]
uses = ["database", "memory:2G"]
alone = true

[tool.noxmk.session."tests(db='4.2')"]
reads = ["database"]
needs = ["docs"]
after = ["lint"]
jobs = "1..4"
timeout = 90
slow = "1.5m"
retries = 2
env = {NUMBER = "4.2"}
default = true

[tool.noxmk.group]
quick = ["lint", "slow"]
END
	mk -n ci NOX="$NOX"
	check 'all settings: exit 0' exits 0
	check 'all settings: silence' quiet "$err"
	check 'default' has "$out" 'tests-db-4.2'
	check 'a group' same "$(field members quick)" '["lint", "tests-db-3.12", "tests-db-4.2"]'
	check 'uses, alone' same "$(field claims lint)" "$(echo '[{"by": "tool.noxmk.session.lint.uses",
 "resource": "database", "use": "exclusive"}, {"amount": 2147483648,
 "by": "tool.noxmk.session.lint.uses", "capacity": 8589934592, "resource": "memory",
 "use": "amount"}, {"by": "tool.noxmk.session.lint.alone", "resource": "*",
 "use": "exclusive"}]' | tr -d '\n')"
	check 'reads' has "$state"/plan.jsonl '{"resource":"database","use":"shared",'
	check 'needs' same "$(field requires tests-db-4.2)" '["docs"]'
	check 'after' same "$(field after tests-db-4.2)" '["lint"]'
	check 'options' same "$(field options tests-db-4.2)" '{"env": {"KIND": "any", "NUMBER": "4.2"},'\
' "jobs": [1, 4], "retries": 2, "slow": 90.0, "timeout": 90.0}'
	check 'options of a pattern' same "$(field options docs)" \
		'{"env": {"KIND": "any"}, "timeout": 600.0}'
	mk quick NOX="$NOX"
	check 'a group runs: exit 0' exits 0
	check 'a group runs: needs come along' same "$(verdicts | tr '\n' ' ')" \
		'docs: passed lint: passed tests-db-3.12: passed tests-db-4.2: passed '
	sed -i 's/10m/20m/' pyproject.toml
	until touch pyproject.toml && [ -n "$(find pyproject.toml -newer "$state"/sessions.mk)" ]; do :; done
	mk -n ci NOX="$NOX"
	check 'a change counts' same "$(field options docs)" '{"env": {"KIND": "any"}, "timeout": 1200.0}'
}

NOX=nox
good
for release in 2024.04.15 newest; do
	topic=
	peer "nox-$release" nox
	[ -n "$peer" ] || continue
	topic="nox $release: "
	NOX=$peer
	good
done
topic=

# The README's own example.

NOX=nox
noxfile <<'END'
for name in ("lint", "unit_tests", "build", "tests-3.12", "publish"):
    nox.session(lambda session: None, name=name, python=False)
END
awk '/^```/ { on = $0 == "```toml"; next } on' "$TOP/README.md" >pyproject.toml
mk -n quick
check "README's example: exit 0" exits 0
check "README's example: it is there" \
	same "$(field requires unit_tests) $(field after unit_tests)" '["build"] ["lint"]'

# nox's own words.

sessions
cat >>noxfile.py <<'END'

@nox.session(venv_backend="none")
def bare(session): ...

@nox.session
def Same(session): ...

@nox.session
def same(session): ...
END
mk -n ci
check 'an environment' same "$(field claims Same)" \
	'[{"by": "its environment", "resource": "env:same", "use": "exclusive"}]'
check 'the same environment' same "$(field claims same)" "$(field claims Same)"
check 'no environment' same "$(field claims bare)" '[]'
peer nox-newest nox
if [ -n "$peer" ]; then
	cat >>noxfile.py <<'END'

@nox.session(python=False, allow_parallel=False)
def publish(session): ...

@nox.session(python=False, allow_parallel=True)
def free(session): ...
END
	mk -n ci NOX="$peer"
	check 'allow_parallel=False' same "$(field claims publish)" \
		'[{"by": "allow_parallel=False", "resource": "*", "use": "exclusive"}]'
	check 'and the others' same "$(field claims free) $(field claims lint)" \
		'[{"by": "allow_parallel=False of publish", "resource": "*", "use": "shared"}] '\
'[{"by": "allow_parallel=False of publish", "resource": "*", "use": "shared"}]'
fi

# What is wrong.

sessions
wrong 'a key' 'tool.noxmk.session.lint.usess: unknown key; did you mean "uses"?' <<'END'
[tool.noxmk.session.lint]
usess = ["a"]
END
wrong 'a table' 'tool.noxmk.resource: unknown key; did you mean "resources"?' <<'END'
[tool.noxmk.resource]
a = 1
END
wrong 'a type' 'tool.noxmk.session.lint.alone: is "yes"; it takes true or false' <<'END'
[tool.noxmk.session.lint]
alone = "yes"
END
wrong 'a string for a list' 'tool.noxmk.session.lint.uses: is a string; write ["a"]' <<'END'
[tool.noxmk.session.lint]
uses = "a"
END
wrong 'a session' 'tool.noxmk.session.lnit: no session is called "lnit"; did you mean "lint"?' <<'END'
[tool.noxmk.session.lnit]
END
wrong 'a name with dots' 'tool.noxmk.session.tests-3.12: unknown key; a name with dots in it needs quotes: '\
'tool.noxmk.session."tests-3.12"' <<'END'
[tool.noxmk.session.tests-3.12]
uses = ["a"]
END
wrong 'a name in after' 'tool.noxmk.session.docs.after: no session is called "test"; did you mean "tests"?' <<'END'
[tool.noxmk.session.docs]
after = ["test"]
END
wrong 'a pattern' 'tool.noxmk.session."unit*": no session matches "unit*"; ' <<'END'
[tool.noxmk.session."unit*"]
END
wrong 'a quantity' 'tool.noxmk.resources.memory: is "8 apples"; it takes a capacity: ' <<'END'
[tool.noxmk.resources]
memory = "8 apples"
END
wrong 'too much' 'tool.noxmk.session.lint.uses: 9 of "gpu", which has only 4' <<'END'
[tool.noxmk]
resources = {gpu = 4}
session.lint.uses = ["gpu:9"]
END
wrong 'a resource' 'tool.noxmk.session.lint.uses: "data base" is no name of a resource: ' <<'END'
[tool.noxmk.session.lint]
uses = ["data base"]
END
wrong 'a cycle' 'tool.noxmk.session.lint.after: a cycle: lint after docs, docs needs lint' <<'END'
[tool.noxmk.session.lint]
after = ["docs"]
[tool.noxmk.session.docs]
needs = ["lint"]
END
wrong 'a group' 'tool.noxmk.group.lint: there is a target "lint" already' <<'END'
[tool.noxmk.group]
lint = ["docs"]
END
wrong 'infinity' 'tool.noxmk.session.lint.timeout: is "inf"; it takes seconds' <<'END'
[tool.noxmk.session.lint]
timeout = inf
END
wrong 'not a number' 'tool.noxmk.session.lint.slow: is "nan"; it takes seconds' <<'END'
[tool.noxmk.session.lint]
slow = nan
END
wrong 'a huge number' 'tool.noxmk.session.lint.retries: is "99999999999999999999"; it' <<'END'
[tool.noxmk.session.lint]
retries = 99999999999999999999
END
wrong 'a date' 'tool.noxmk.session.lint.retries: is "2026-11-23"; it' <<'END'
[tool.noxmk.session.lint]
retries = 2026-11-23
END
wrong 'a NUL' 'tool.noxmk.session."a\\x00b": no session' <<'END'
[tool.noxmk.session."a\u0000b"]
END
wrong 'no table' 'tool.noxmk: is 3; it takes a table' <<'END'
[tool]
noxmk = 3
END
wrong 'no TOML, and about us' 'Invalid value (at line 2, column 8)' <<'END'
[tool.noxmk.session.lint]
uses = db
END
{
	printf '[tool.noxmk]\nx = '
	printf '%05000d' 0 | tr 0 '['
} >"$scratch/toml"
wrong 'too deep' '' <"$scratch/toml"
printf '[tool.noxmk]\n# \377\n' >"$scratch/toml"
wrong 'no UTF-8, and about us' "'utf-8' codec can't decode byte 0xff" <"$scratch/toml"

# What is not ours to judge.

# fine NAME TEXT: of pyproject.toml, as printf has it.
fine() {
	# shellcheck disable=SC2059
	printf "$2" >pyproject.toml
	rm -rf "$state"
	mk lint
	check "$1: exit 0" exits 0
	check "$1: silence" lacks "$err" pyproject
}

fine 'no TOML, and not about us' '[project\n'
fine 'no UTF-8, and not about us' '\377\n'
fine 'another tool' '[tool.other]\nuses = 1\n'
fine 'no tools' 'tool = 3\n# noxmk\n'
fine 'line ends of two bytes' '[tool.noxmk]\r\n[tool.noxmk.session.lint]\r\nretries = 1\r\n'
fine 'an empty file' ''
rm pyproject.toml
mkdir pyproject.toml
rm -rf "$state"
mk lint
check 'a folder: exit 0' exits 0
rmdir pyproject.toml

# Who reads TOML. Modules that cannot be imported stand in for those that are not there.

echo '[tool.noxmk.session.lint]
retries = 3' >pyproject.toml
real=$("$python3" -c 'import tomllib; print(tomllib.__file__)' 2>/dev/null)
if [ -n "$real" ] && "$python3" -c 'import nox, pip._vendor.tomli' 2>/dev/null; then
	NOX="env PYTHONPATH=$scratch/site $python3 -m nox"
	mkdir -p "$scratch/site"
	echo 'raise ImportError' >"$scratch/site/tomllib.py"
	cp "$scratch/site/tomllib.py" "$scratch/site/tomli.py"
	rm -rf "$state"
	mk -n lint NOX="$NOX"
	check "pip's: exit 0" exits 0
	check "pip's parser" same "$(field options lint)" '{"retries": 3}'
	echo 'def loads(text): return {"tool": {"noxmk": {"session": {"lint": {"retries": 4}}}}}' \
		>"$scratch/site/tomli.py"
	rm -rf "$state"
	mk -n lint NOX="$NOX"
	check "tomli before that" same "$(field options lint)" '{"retries": 4}'
	mkdir "$scratch/site/pip"
	echo 'raise ImportError' | tee "$scratch/site/tomli.py" >"$scratch/site/pip/__init__.py"
	rm -rf "$state"
	mk -n lint NOX="$NOX"
	check 'no parser: exit 2' exits 2
	check 'no parser: what to do' has "$err" 'cannot read TOML: install tomli there'
	check 'no parser: no plan' absent "$state"/sessions.mk
	echo '# noxmk' >pyproject.toml
	mk lint NOX="$NOX"
	check 'no parser, and no need of one: exit 0' exits 0
else
	skip 'other parsers' "nox, tomllib or pip is no module of $python3"
fi

# A nox that the probe does not know: nobody reads the file.

echo '[tool.noxmk.session.lint]' >pyproject.toml
cp -R "$STAGE" "$scratch/stage"
echo 'raise SystemExit(97)' >"$scratch/stage/share/noxmk/probe.py"
sed -i "s|^NOXMK ?= .*|NOXMK ?= $scratch/stage/bin/noxmk|" "$scratch/stage/include/nox.mk"
STAGE=$scratch/stage
NOX=nox
if nox -l --json >/dev/null 2>&1 </dev/null; then
	rm -rf "$state"
	mk -n lint
	check 'fallback: exit 0' exits 0
else
	mk -n lint
fi
check 'fallback: a warning' has "$err" 'pyproject.toml: tool.noxmk does not count with this nox'

finish
