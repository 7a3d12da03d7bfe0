#!/bin/sh
# noxmk report: a run explained, by real runs.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk() {
	run "$STAGE/bin/noxmk" "$@"
}

# json EXPRESSION FILE...: true for these, as `files`; `file` is the first.
json() {
	"$python3" - "$@" <<'END'
import json, sys
files = [json.load(open(name)) for name in sys.argv[2:]]
file = files[0]
if not eval(f"({sys.argv[1]})"):
    print("#  ", sys.argv[1], json.dumps(files)[:3000])
    sys.exit(1)
END
}

# Steps, with each nox that is here

noxfile <<'END'
@nox.session(venv_backend="venv", venv_params=["--without-pip"])
def own(session):
    session.run("python", "-c", "pass")


class Odd:
    __name__ = 3

    def __call__(self):
        pass

    def __str__(self):
        return "odd"


@nox.session(python=False)
def steps(session):
    session.run("true", "a word", external=True)
    session.run(len, "xy")
    session.run(Odd())
    session.run("sh", "-c", "exit 3", external=True, success_codes=[3])
    session.run("pip", "--version", "install", external=True, success_codes=range(256))
    session.run("echo", session.env.get("x", "") + "hunter2-hunter2", external=True)
    session.run("sh", "-c", "exit 4", external=True)


@nox.session(python=False)
def many(session):
    session.log("none")
    for number in range(300):
        session.run(str, number)
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.own]
retries = 1
END
printf '#!/bin/sh\n' >"$scratch/pip"
chmod +x "$scratch/pip"
for peer in nox "$TOP/build/peers/nox-2024.04.15/bin/nox" "$TOP/build/peers/nox-newest/bin/nox"; do
	command -v "$peer" >/dev/null || continue
	topic="$("$peer" --version 2>&1): "
	MY_TOKEN=hunter2-hunter2 PATH=$scratch:$PATH mk own steps many NOX="$peer"
	steps=$state/latest/steps.json
	check 'each command is a step, with its exit code' json '[
		(step["kind"], step["command"], step["exit"]) for step in file["steps"]] == [
		("run", "true a word", 0), ("run", "len xy", None), ("run", "odd", None),
		("run", "sh -c exit 3", 3),
		("install", "pip --version install", 0), ("run", "echo ***", 0), ("run", "sh -c exit 4", 4)]' \
		"$steps"
	check 'they have times within those of the session' json 'all(
		file["started"] - 0.1 <= step["started"] <= file["ended"] + 0.1
		and 0 <= step["seconds"] <= file["own"] and step["waited"] >= 0 for step in file["steps"])' \
		"$steps"
	check 'an environment is one, too' json '[(step["kind"], step["command"]) for step in file["steps"]
		] == [("environment", "created by venv"), ("run", "python -c pass")]' "$state/latest/own.json"
	check 'of very many the first are told, and a sum of the others' json 'len(file["steps"]) == 200
		and file["more_steps"]["steps"] == 100 and file["more_steps"]["run"] > 0' "$state/latest/many.json"
	check 'no secret is in any file' not grep -rqsF hunter2-hunter2 "$state/latest/"
done
topic=

# A session that is killed: the step that ran is shown as cut off

noxfile <<'END'
import os, signal

@nox.session(python=False)
def interrupted(session):
    session.run("true", external=True)
    session.run("sh", "-c", "kill -INT $PPID; sleep 100", external=True)


@nox.session(python=False)
def shot(session):
    session.run("true", external=True)
    session.run("sh", "-c", "kill -9 $PPID; sleep 100", external=True)


@nox.session(python=False)
def orphaned(session):
    session.run("true", external=True)
    session.run("sh", "-c", ": >../begun; sleep 100", external=True)


@nox.session(python=False)
def closed(session):
    os.closerange(3, 100)
    folder = os.open(".", os.O_RDONLY)  # it takes a number that was somebody else's
    session.run("true", external=True)
    os.kill(os.getpid(), signal.SIGKILL)
END
mk -j4 interrupted shot closed
for target in interrupted shot; do
	check "$target: the steps that it came to, and at which it was cut off" json '[(step["command"].split()[0],
		step["exit"], step.get("cut")) for step in file["steps"]] == [("true", 0, None), ("sh", None, True)] and 0 < file["steps"][1]["seconds"] <= file["own"] <= file["duration"]' \
		"$state/latest/$target.json"
done
check 'one that ended is not cut off' json '[(step["command"], step.get("cut")) for step in file["steps"]
	] == [("true", None)]' "$state/latest/closed.json"
noxmk report --json
check 'JSON: cut off' json '[step["cut"] for one in file["sessions"] for step in one["steps"]
	if one["target"] == "interrupted"] == [False, True]' "$out"
noxmk why interrupted
check 'why: in which step' matches "$out" ' [0-9.]+s  into this it was cut off: sh -c kill'
"$MAKE" -I "$STAGE/include" orphaned >"$out" 2>"$err" </dev/null &
make=$!
wait_for test -e ../begun
kill -9 "$(pgrep -P "$make" -f 'noxmk run .* orphaned$')"
wait "$make"
check 'steps of a session whose helper was killed' json '[step.get("cut") for step in file["steps"]
	] == [None, True]' "$state/latest/orphaned.json"

# What a session has used over time

noxfile <<'END'
@nox.session(python=False)
def wide(session):
    session.run("sh", "-c", '''
        spin() { while read -r _ _ _ _ _ _ _ _ _ _ _ _ _ user _ </proc/self/stat && [ $user -lt 30 ]; do :; done; }
        (spin) & (spin) & wait; sleep 0.3
    ''', external=True)


@nox.session(python=False)
def short(session):
    pass
END
: >pyproject.toml
mk wide
check 'samples: all that it used is in one of the spans' json 'all(len(file["samples"][key])
	== len(file["samples"]["cpu"]) for key in ("width", "mib")) and 0.6 <= file["cpu"] and
	abs(sum(file["samples"]["cpu"]) * file["samples"]["every"] / file["cpu"] - 1) < 0.5' "$state/latest/wide.json"
check 'samples: threads and memory' json 'max(file["samples"]["width"]) >= 2 and
	0.9 < max(file["samples"]["mib"]) * 2**20 / file["memory"] < 1.1' "$state/latest/wide.json"
check 'slots' json 'file["slots"] == 1' "$state/latest/wide.json"
noxmk report
check 'processors and memory' matches "$out" '^[0-9.]+ of [0-9]+ processors used on average, at most [0-9.]+ MiB'

# A run, told in each form

noxfile <<'END'
@nox.session(python=False)
def build(session):
    session.run("sleep", "0.05", external=True)


@nox.session(python=False, requires=["build"])
def needs(session):
    session.run("sleep", "0.05", external=True)


@nox.session(python=False)
def users(session):
    session.run("sleep", "0.1", external=True)


@nox.session(python=False)
def flaky(session):
    with open("tried", "a+") as file:
        file.write("x")
        file.seek(0)
        if len(file.read()) < 2:
            session.error("the first time")


@nox.session(python=False)
def broken(session):
    print("]]> <script>\x1b[31m \x00 &amp; \xff \ufffe")
    session.error("it is <broken> ]]>")


@nox.session(python=False)
def absent(session):
    session.skip("not here")


@nox.session(python=False)
def unrun(session):
    pass
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.users]
uses = ["db"]
[tool.noxmk.session.needs]
uses = ["db"]
needs = ["build"]
[tool.noxmk.session.flaky]
retries = 1
[tool.noxmk.session.broken]
retries = 1
[tool.noxmk.session.unrun]
needs = ["broken"]
END
sed -i 's/, requires=."build".//' noxfile.py
mk -j8 ci
noxmk report
check 'for people' matches "$out" '^Critical path: [1-9] session'
check 'for people: how many have which verdict' has "$out" '7 sessions, 4 passed, 1 skipped, 1 aborted, 1 not run'
for form in html json junit md svg trace schema; do
	noxmk report "--$form"
	check "--$form" exits 0
	cp "$out" "$scratch/run.$form"
	noxmk report "--$form" --out again latest
	check "--$form: the same in a file" cmp "$scratch/run.$form" again
done
check 'JSON: make'\''s -j' json 'file["run"]["jobs"] == 8' "$scratch/run.json"
check 'JSON: one waited for the other' json '[one["before"]["target"] for one in file["sessions"]
	if one["target"] == "needs"][0] in ("build", "users")' "$scratch/run.json"
check 'JSON: the end is that of the last on the critical path' json 'abs(max(one["ended"]
	for one in file["sessions"] if one["target"] == file["critical_path"][-1])
	- file["run"]["wall"]) < 0.5' "$scratch/run.json"
check 'a trace: a slice for each session' json 'len([one for one in file["traceEvents"]
	if one.get("cat") == "session"]) == 6' "$scratch/run.trace"
cp -r "$(readlink -f "$state/latest")" "$scratch/copied"
(cd "$scratch" && run "$STAGE/bin/noxmk" report --json copied/)
"$STAGE/bin/noxmk" -C "$scratch" report --json copied/ >"$scratch/there"
check 'of a copy elsewhere: but for what is usual the same' json '[{**one, "usual": 0} for one in
	file["sessions"]] == [{**one, "usual": 0} for one in files[1]["sessions"]]' \
	"$scratch/run.json" "$scratch/there"

# At the end of a run

check 'no reports but JUnit, unless they are wanted' absent "$state/latest/reports"
noxfile <<'END'
@nox.session(python=False)
def lint(session):
    session.run("true", external=True)
END
mk lint NOXMK_REPORT='trace json junit md'
folder=$(readlink "$state/latest")
check 'the line before the last names them' same "$(tail -n 2 "$out" | head -n 1)" \
	"noxmk: reports: $state/$folder/junit.xml $state/$folder/reports/results.json \
$state/$folder/reports/summary.md $state/$folder/reports/trace.json"
noxmk report --json
check 'they are those that noxmk report prints' json '[{**one, "usual": 0} for one in
	file["sessions"]] == [{**one, "usual": 0} for one in files[1]["sessions"]] and
	file["run"] == files[1]["run"]' "$out" "$state/latest/reports/results.json"
check 'a trace' json 'file["traceEvents"]' "$state/latest/reports/trace.json"
check 'Markdown' has "$state/latest/reports/summary.md" '| lint | passed |'
noxfile <<'END'
import os

@nox.session(python=False)
def lint(session):
    os.symlink("/nowhere", os.path.realpath(".nox/.noxmk/latest") + "/reports")
END
mk lint NOXMK_REPORT=json
check 'what a session has put there does not matter' json 'file["run"]["state"] == "ended"' \
	"$state/latest/reports/results.json"
mk lint NOXMK_REPORT=pdf
check 'a form that there is not' has "$err" 'NOXMK_REPORT=pdf: it takes some of junit, json, md, trace, svg and html'

# A session's past, and two runs

cat >noxfile.py <<'END'
import nox

@nox.session(python=False)
def lint(session):
    session.run("false", external=True)
END
mk lint
noxmk history lint
check 'history: all runs' matches "$out" '^noxmk: 2 runs: 1 passed, 1 failed; median [0-9.]*s, half of them'
noxmk history --json lint
check 'history: in JSON' json 'len(file["runs"]) == 2 and file["verdicts"]["failed"] == 1' "$out"
cp "$out" "$scratch/history.json"
noxmk history lint --json
check 'history: an option behind the target' same "$(cat "$out")" "$(cat "$scratch/history.json")"
noxmk report -2 --json
check 'report: an option behind the run' json 'file["run"]["name"] == files[1]["runs"][0]["run"]' \
	"$out" "$scratch/history.json"
noxmk why lint -r -2
check 'why: an option behind the target' matches "$out" '^lint: passed, '
noxmk log lint --raw -r latest
check 'log: two options behind the target' same "$status $(cat "$err")" '0 '
noxmk log -- --raw
check 'log: no option behind a --' has "$err" '--raw: no target'
for words in 'report nope' 'log -r nope lint' 'log -r nope' 'why -r nope lint' 'compare latest nope' \
	'audit --from nope'; do
	# shellcheck disable=SC2086 # words
	noxmk $words
	check "$words: no such run" same "$status $(cat "$err")" \
		"1 noxmk: no run is called 'nope': a run is latest, -2 for the one before that, or a folder in $state/runs"
done
noxmk history lnit
check 'history: a target that is nearly one' has "$err" 'did you mean lint?'
noxmk compare -2 latest
check 'compare: what broke' matches "$out" '^lint +passed +[0-9.]+s  failed +[0-9.]+s  broken'
noxmk compare -2 latest --json
check 'compare: in JSON' json '[(one["target"], one["turned"]) for one in file["sessions"]] == [
	("lint", "broken")]' "$out"
noxmk compare latest
check 'compare: two runs' exits 2

peer reports python
if [ -n "$peer" ]; then
	check 'JSON is as its schema says' "$peer" -c '
import json, sys, jsonschema
data, schema = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.validate(data, schema, jsonschema.Draft202012Validator)
for key in list(data["sessions"][0]):
    bad = json.loads(json.dumps(data))
    del bad["sessions"][0][key]
    try:
        jsonschema.validate(bad, schema)
    except jsonschema.ValidationError:
        continue
    sys.exit(f"{key} is not missed")
' "$scratch/run.json" "$scratch/run.schema"
	schema=$TOP/build/peers/reports/junit-10.xsd
	check 'JUnit is valid by the schema of Jenkins' "$peer" -c '
import re, sys, xmlschema
schema, text = xmlschema.XMLSchema(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
schema.validate(text)
for kind in "flakyFailure", "rerunFailure", "failure", "error", "skipped", "system-out", "property":
    assert f"<{kind}" in text, kind
    bad = text.replace(f"<{kind}", f"<{kind} odd=\"1\"")
    assert not schema.is_valid(bad), kind
' "$schema" "$scratch/run.junit"
	check 'JUnit is read by others' "$peer" -c '
import sys, junitparser
from junitparser.xunit2 import JUnitXml
suite = next(iter(JUnitXml.fromfile(sys.argv[1])))
cases = {case.name: case for case in suite}
assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (7, 1, 1, 1), suite
assert "broken" in cases["unrun"].result[0].message and not cases["unrun"].system_out
assert "<broken> ]]>" in cases["broken"].result[0].message
assert "]]> <script>" in cases["broken"].system_out
assert len(cases["broken"].rerun_failures()) == 1, cases["broken"]
assert len(cases["flaky"].flaky_failures()) == 1
' "$scratch/run.junit"
fi

finish
