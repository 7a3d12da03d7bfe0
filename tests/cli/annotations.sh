#!/bin/sh
# What the end of a run tells a CI: what tools, run for real on seeded errors, have found where; as
# annotations where the forge shows them, and as a table elsewhere.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# A line with an error says who finds it: "seeded: flake8 mypy". The project is a folder of its
# repository.
fresh repository
mkdir -p .git project/src project/tests project/c
cd project || exit 1
echo 'include nox.mk' >GNUmakefile
cat >src/core.py <<'END'
"""The core."""
import os  # seeded: flake8
import subprocess  # seeded: bandit


def add(first: int, second: int) -> int:
    return str(first + second)  # seeded: mypy


def divide(first: int, second: int) -> float:
    return first / second  # seeded: pytest


def shell(command: str) -> int:
    unused = 1  # seeded: flake8
    return subprocess.call(command, shell=True)  # seeded: bandit


def name() -> str:
    return undefined_name  # seeded: flake8 mypy


def chained() -> None:
    try:
        divide(1, 0)
    except ZeroDivisionError as error:
        raise ValueError("100%: it, too") from error  # seeded: pytest script


if __name__ == "__main__":
    chained()
END
cat >tests/conftest.py <<'END'
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "src"))
END
cat >tests/test_core.py <<'END'
import core
import pytest


def test_add():
    assert core.add(1, 2) == 3  # seeded: pytest


def test_divide():
    core.divide(1, 0)


class TestClass:
    def test_chained(self):
        core.chained()


@pytest.fixture
def database():
    raise OSError("no database")  # seeded: pytest


def test_database(database):
    print("src/core.py:1:1: E999 what a test has printed is no report")


def test_json():
    import json
    print("tests/test_core.py:2: error: nor is this  [misc]")
    json.loads("{")  # seeded: pytest
END
cat >tests/test_import.py <<'END'
import nothing_like_this  # seeded: pytest
END
cat >c/a.c <<'END'
int f(int x)
{
	int unused; /* seeded: gcc */
	return undeclared; /* seeded: gcc */
}
END
cat >noxfile.py <<'END'
import os, sys, nox

def session(name, *command, ok=(1,)):
    def run(session):
        print("src/core.py:1:1: E999 of a session that passes", flush=True) if not command else None
        session.run(*command, external=True) if command else None
    nox.session(run, python=False, name=name)

session("flake8", "flake8", "--max-line-length", "100", "src")
session("mypy", "mypy", "--cache-dir", os.devnull, os.path.abspath("src"))
session("bandit", "bandit", "-q", "-r", "./src")
session("pytest", "/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "tests/test_core.py",
    "tests/test_import.py", "--continue-on-collection-errors")
session("tb", "/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "--tb=line", "tests/test_core.py")
session("gcc", "gcc", "-Wall", "-Wno-return-type", "-c", "c/a.c", "-o", os.devnull)
session("script", sys.executable, "src/core.py")
session("passes")

@nox.session(python=False)
def again(session):
    session.run("flake8", "--max-line-length", "100", "src", external=True)

@nox.session(python=False)
def told(session):
    print("::error file=" + os.path.abspath("src/core.py") + ",line=2,col=1::src/core.py:2:1: F401 unused")
    print("src/core.py:2:1: F401 'os' imported but unused\nsrc/core.py:1:1: D100 new")
    session.error("no")

@nox.session(python=False)
def elsewhere(session):
    session.chdir("tests")
    print("conftest.py:1:1: E1 here\nnowhere.py:1:1: E1 no\n/etc/passwd:1:1: E1 no\n../../../x:1:1: E1 no")
    print("../noxfile.py:1:1: E1 there")
    session.error("no")

@nox.session(python=False)
def hostile(session):
    print("src/core.py:3:1: E1 50% \x1b[2J\x1b[31mred\x1b[m \u202e ##[group]x %0A::error::no\r")
    print("src/core.py:4:1: E1 ::set-output name=a::b\nsrc/co\x00re.py:1:1: E1 no\n" + "x" * 100000)
    print("::group::x\n" + "a" * 70000 + ":1:1: E1 no")
    session.error("no")

@nox.session(python=False)
def many(session):
    for line in range(1, 31):
        print(f"src/core.py:{line}:1: E1 error {line}\nsrc/core.py:{line}:1: warning: {line} [-Wx]")
    session.error("no")
END

# annotated: FILE:LINE of all annotations in $out, sorted.
annotated() {
	sed -n 's/^::\(error\|warning\) file=\([^,:]*\),line=\([0-9]*\).*/\2:\3/p' "$out" | sort
}

# seeded TOOL: the same of what it is to find.
seeded() {
	(cd .. && grep -rnE "seeded:.* $1( |\$)" project/src project/tests project/c) | cut -d : -f 1,2 | sort
}

has_all() {
	for line; do
		grep -qxF -e "$line" "$out" || return
	done
}

github() {
	CI=true GITHUB_ACTIONS=true mk "$@"
}

for tool in flake8 mypy bandit gcc script; do
	github $tool
	check "$tool: each seeded error, and nothing else" same "$(annotated)" "$(seeded $tool)"
done
github mypy
check 'an annotation has all that is known' has "$out" \
	'::error file=project/src/core.py,line=7,title=mypy%3A return-value::Incompatible return value type (got "str", expected "int")'
# Several fail at once, each in its own place; the innermost one in the project counts.
github pytest
check 'pytest: each seeded error, and nothing else' same "$(annotated)" "$(seeded pytest)"
check 'a test has its name' has "$out" \
	'line=27,title=pytest%3A TestClass.test_chained::ValueError: 100%25: it, too'
github tb
check 'pytest --tb=line: a line each' \
	same "$(annotated)" "$(seeded pytest | grep -e src/ -e ':6$')"
check 'and a name each where none is known' matches "$out" 'test_core.py,title=tb%3A test_json::json'
check 'but none twice' same "$(grep -c '^::error' "$out")" 5
unset CI

# What is told, and to whom

github -j2 flake8 again mypy NOXMK_RECHECK=0
check 'what two sessions have found is told once' same "$(annotated | uniq -d | grep -v :20)" ''
check 'and says so' matches "$out" 'title=(flake8|again) and 1 more%3A F401'
mk flake8
check 'without a CI nothing is told' not grep -qE '^::|^  where' "$out"
CI=true GITHUB_ACTIONS=true FORGEJO_ACTIONS=true mk -j2 flake8 mypy NOXMK_RECHECK=0
check 'Forgejo: no annotation' same "$(annotated)" ''
check 'but a table' matches "$out" '^- project/src/core.py:2:1  +flake8   F401: .os. imported but unused$'
check 'before the last line' matches "$out" '^noxmk: 2 sessions'
CI=true mk script
check 'any other CI, too' matches "$out" '^- project/src/core.py:27  script   ValueError: 100%: it, too$'
printf '[tool.noxmk]\nci-commands = "none"\n' >pyproject.toml
github flake8
check 'ci-commands = "none": a table' matches "$out" '^- project/src/core.py:2:1  +flake8 '
check 'and no annotation' same "$(annotated)" ''
rm pyproject.toml
github passes
check 'a session that passes has none' same "$(annotated)" ''
github told
check 'what a session has told is not told again' same "$(grep -c '^::error' "$out")" 2
check 'what it has not is' has "$out" 'line=1,col=1,title=told%3A D100::new'
github elsewhere
check 'a path is seen from where the session is' same "$(annotated)" 'project/noxfile.py:1
project/tests/conftest.py:1'
github many
check 'ten errors and ten warnings' same "$(grep -c '^::error' "$out") $(grep -c '^::warning' "$out")" '10 10'
check 'and how many more' has "$out" 'noxmk: 20 more errors and 20 more warnings are in the log of many'
CI=true mk many
check 'a table has an end, too' same "$(grep -c '^- project/src/core.py:.*many' "$out")" 50
check 'with the errors first' has "$out" 'noxmk: 10 more warnings are in the log of many'
github hostile
check 'no other command' same "$(grep -cE '^[[:blank:]]*::' "$out")" 2
check 'what is to be escaped is' has "$out" \
	'::error file=project/src/core.py,line=3,col=1,title=hostile%3A E1::50%25 red '
check 'what is none begins none' not grep -qF '##[' "$out"
check 'the wide log is read on' has "$out" 'line=4,col=1,title=hostile%3A E1::'

# The manual's examples, in a project that is its repository

fresh example
mkdir .git src
echo 'include nox.mk' >GNUmakefile
: >src/core.py
cat >noxfile.py <<'END'
import nox

@nox.session(python=False)
def lint(session):
    print("src/core.py:7:12: F401 'os' imported but unused")
    session.error("no")
END
manual=$TOP/mk/nox.mk.5
github lint
check 'an annotation' has "$out" "$(sed -n 's/^\.Dl \(::error .*\)/\1/p' "$manual")"
CI=true mk lint
check 'a table' same "$(grep -A 1 '^  where  ' "$out")" "$(grep -A 1 '^  where  ' "$manual")"

finish
