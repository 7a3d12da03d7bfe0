#!/bin/sh
# noxmk report --html in a real browser: report_page.py says what must hold there.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Real runs: one fails with a log that would be markup, one passes at its second attempt.
noxfile <<'END'
@nox.session(python=False)
def lint(session):
    print("</script><script>window.hacked = 1</script> ]]> <img src=x onerror=hacked=1> &amp;")
    print("\x1b[31mred\x1b[0m \x1b[1;32mbold\x1b[m \x1b[38;5;200mno\x1b]0;title\x07 \x00 needle")
    print("at 1%\rat 100%")
    for number in range(20000):
        print("line", number)
    print("src/core.py:1:2: F401 '<b>os</b>' imported but unused, needle", flush=True)
    session.error("it is <b>broken</b> ]]>")


@nox.session(python=False)
def unit(session):
    session.run("sleep", "0.05", external=True)


@nox.session(python=False)
def docs(session):
    session.run("echo", "a needle", external=True)


@nox.session(python=False)
def flaky(session):
    if not os.path.exists("tried"):
        open("tried", "w").close()
        session.error("the first time")


@nox.session(python=False)
def absent(session):
    session.skip("not here")


@nox.session(python=False)
def late(session):
    session.run("sleep", "0.05", external=True)
END
mkdir src
echo 'import os' >src/core.py
cat >pyproject.toml <<'END'
[tool.noxmk.session.flaky]
retries = 1
[tool.noxmk.session.late]
needs = ["unit"]
uses = ["db"]
[tool.noxmk.session.docs]
uses = ["db"]
END
mk -j4 ci
mk -j4 ci NOXMK_REPORT=html
page=$state/latest/reports/report.html
check 'the page is among the reports' has "$out" '/reports/report.html'

# A run of so many sessions, each with a log of so many lines: records need no make.
made_up() {
	"$python3" - "$@" <<'END'
import json, os, sys
folder, count, lines = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.makedirs(folder)
def write(name, text):
    with open(f"{folder}/{name}", "w") as file:
        file.write(text)
names = [f"tests-{n}" for n in range(count)]
write(".run.json", json.dumps({"run": "20261123T000000.000Z-c0ffee01", "make": "1-2-3",
                               "started": 1795396700.0, "clock": 1.0, "jobs": 8}))
write(".request.json", json.dumps({"schema": 1, "knobs": {}, "goals": ["ci"], "alone": "",
                                   "posargs": [], "processors": 8}))
write(".ended", "")
write("plan.jsonl", "\n".join(json.dumps(line) for line in [
    {"schema": 1}, *({"target": name, "session": name} for name in names),
    {"group": "ci", "members": names}]) + "\n")
for n, name in enumerate(names):
    started = 1795396700.0 + n // 8
    write(f"{name}.json", json.dumps({
        "schema": 1, "target": name, "session": name, "verdict": "failed" if n % 40 == 3 else "passed",
        "reason": None, "exit": 0, "signal": None, "started": started, "ended": started + 0.9,
        "duration": 0.9, "own": 0.8, "log": f"{name}.log", "live": False, "cpu": 0.5, "client": None,
        "notify": [], "memory": 1 << 26, "width": 2, "waits": [{"for": "slot", "seconds": n // 8}]}))
    write(f"{name}.log", "".join(f"{name} says <line {line}>\n" for line in range(lines)))
END
}
made_up "$scratch/many" 5000 20
run "$STAGE/bin/noxmk" report --html --out "$scratch/many.html" "$scratch/many/"
check 'a page of 5,000 sessions is written' exits 0
check 'and all of these have run' quiet "$err"
made_up "$scratch/fifty" 50 9000
run "$STAGE/bin/noxmk" report --html --out "$scratch/fifty.html" "$scratch/fifty/"
check 'and one of 50' quiet "$err"
check 'a page of 50 sessions with long logs is smaller than 1 MB' \
	test "$(wc -c <"$scratch/fifty.html")" -lt 1000000

axe=$(find "$TOP/build/peers/axe/" -name axe.min.js -print -quit 2>/dev/null)
"$python3" "$TOP/tests/cli/report_page.py" "$page" "$scratch/many.html" "$axe" \
	${PAGE_SHOTS:+--shots "$PAGE_SHOTS"} >"$scratch/checked" 2>"$err"
status=$?
check 'the browser has looked at all of it' exits 0
while IFS= read -r line; do
	case $line in
	'ok '*) check "${line#ok }" true ;;
	*) check "${line#not ok }" false ;;
	esac
done <"$scratch/checked"

# scripts/pictures

rm tried
peer pyte python
if [ -n "$peer" ]; then
	mkdir "$scratch/pictures"
	TERM=xterm run "$peer" "$TOP/tests/cli/pictures.py" "$STAGE" "$scratch/pictures" -- \
		"$MAKE" -I "$STAGE/include" -j2 unit docs flaky late
	check 'pictures are made of a run' exits 0
	check 'of its board' has "$scratch/pictures/board.svg" '>noxmk: '
	check 'and of its timeline' has "$scratch/pictures/timeline.svg" '<svg class="nx"'
fi

finish
