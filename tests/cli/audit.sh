#!/bin/sh
# noxmk audit: which sessions must not run at the same time, and the lines that help. What the
# rules are is in check_clash.c; more projects are in tests/audit.
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk
export AUDIT_INCLUDE="$STAGE/include"

# audit [OPTION...]
audit() {
	run "$noxmk" audit "$@"
}

noxfile <<'END'
nox.options.sessions = ["one", "two", "lint"]


def write(text):
    with open("out.txt", "w") as file:
        file.write(text)
    if os.path.exists("meet"):
        os.close(os.open("meet/" + text[:3], os.O_CREAT))
        limit = time.monotonic() + 300
        while len(os.listdir("meet")) < 2 and time.monotonic() < limit:
            time.sleep(0.05)


@nox.session(python=False)
def one(session):
    write("one")


@nox.session(python=False)
def two(session):
    write("two of them")


@nox.session(python=False)
def lint(session):
    """Writes where nobody sees it, if it is late."""
    if os.path.exists("late"):
        write("three")


@nox.session(python=False)
def holds(session):
    with open("holding", "w") as file:
        file.write(str(os.getpid()))
    limit = time.monotonic() + 300
    while os.path.exists("hold") and time.monotonic() < limit:
        time.sleep(0.05)


@nox.session(python=False)
def hosts(session):
    session.run("make", "-I", os.environ["AUDIT_INCLUDE"], "one", "two", external=True)


@nox.session(python=False)
def tells(session):
    with open(os.environ.get("API_TOKEN", "no") + ".told", "w") as file:
        file.write("x")


@nox.session(python=False)
def makes(session):
    with open("made", "w"):
        pass


@nox.session(python=False)
def asks(session):
    os.path.exists("made")


@nox.session(python=False)
def breaks(session):
    session.error("no")
END
printf '# Ours.\n[tool.noxmk]\nsource-build = true   # as ever\n' >pyproject.toml
cp pyproject.toml before.toml

# at_terminal WORD...: make's, on a terminal. What it shows is in $out.
at_terminal() {
	run "$python3" "$TOP/tests/cli/terminal.py" 100 -- "$MAKE" -I "$STAGE/include" "$@"
	tr -d '\r' <screen >"$out"
}

hint='sessions ran at the same time: '
mkdir meet
at_terminal -j2 one two
check 'the first run with sessions at once says who looks' has "$out" "$hint"
at_terminal -j2 one two
check 'and no other one does' lacks "$out" "$hint"

rm -r out.txt meet
audit
check 'audit: exits with 0' exits 0
if ! grep -q '"mechanism":"notify"' "$state/latest/one.trace"; then
	skip 'what audit finds' 'this kernel does not tell of system calls'
	finish
fi
check 'two that write one file are in conflict' has "$out" 'conflict  out.txt'
check 'who they are' matches "$out" '^  one \(.*\) and two \(.*\) write it$'
check 'what helps' has "$out" '    uses = ["out.txt"]'
check 'for each of them' same "$(grep -c '^    \[tool.noxmk.session.\(one\|two\)\]$' "$out")" 2
check 'how much was seen' has "$out" \
	'noxmk audit: 1 conflict, 0 likely in 1 traced run of 3 sessions'
check 'they ran in the order of the noxfile' same \
	"$(sed -n 's/^passed  *[0-9.]*s  //p' "$out" | tr '\n' ' ')" 'one two lint '

audit --from latest --json
check '--json' same "$($python3 -c 'import json, sys
h = json.load(sys.stdin)["hazards"]
print(len(h), h[0]["what"], h[0]["kind"], h[0]["fix"]["one"])' <"$out")" \
	"1 out.txt write/write {'uses': ['out.txt']}"
audit --from latest --explain out.txt
check '--explain tells what each did' matches "$out" '^one: .*create.*; written by '
check '--explain tells what that means' has "$out" 'one and two: write/write: conflict'
audit --explain nothing.txt
check '--explain: a path that nobody has touched' exits 1
check '--explain: and says so' has "$err" 'no session has touched nothing.txt'

# For a CI: only what is new fails.
audit --from latest --check
check '--check: a conflict' exits 1
audit --from latest --write-baseline
check '--write-baseline: says where' has "$out" 'noxmk: .noxmk-audit.json has 1 hazard: commit it'
check 'the baseline' has .noxmk-audit.json '{"place": "out.txt", "sessions": ["one", "two"]}'
audit --from latest --check
check '--check: what is known is none' exits 0
check 'what is known is told' has "$out" 'known     out.txt'
audit --from latest --check --baseline other.json
check '--baseline: another file' exits 1
echo '[' >broken.json
audit --from latest --baseline broken.json
check '--baseline: no such file' exits 2
touch late
audit --check lint
check 'a new session at an old place is new' exits 1
check 'earlier traces count' matches "$out" '^  one \(.*\), two \(.*\) and lint \(.*\) write it$'
rm late .noxmk-audit.json

# What it writes.
audit --from latest --write
check '--write: one session alone has no conflict' lacks pyproject.toml out.txt
audit --fresh --write
check '--write' exits 0
check 'the lines are there' has pyproject.toml '[tool.noxmk.session.two]'
check 'and what was there' same "$(head -n 3 pyproject.toml)" "$(cat before.toml)"
audit --check
check 'the lines help' exits 0
check 'it claims no more than it has seen' has "$out" \
	'noxmk audit: none observed in 2 traced runs of 3 sessions'
audit lint
check 'nor of some' has "$out" 'noxmk audit: none observed in 2 to 3 traced runs of each of 3 sessions'
# One of the sections is there, and nobody can change it.
printf '\n[tool.noxmk.session.one]\nuses = ["x"]\n' >>before.toml
cp before.toml pyproject.toml
echo 'raise ImportError("not here")' >tomlkit.py
audit
PYTHONPATH=$PWD audit --from latest --write
check '--write without tomlkit: nothing is changed' same "$(cat pyproject.toml)" \
	"$(cat before.toml)"
check '--write without tomlkit: exits with 1' exits 1
check '--write without tomlkit: the lines are printed' has "$out" 'uses = ["out.txt"]'
rm tomlkit.py

# More than a word of a command may have.
cat >many.py <<'END'
import json, subprocess, sys
given = json.dumps({"s%d" % i: {"uses": ["a-rather-long-name"]} for i in range(5000)})
subprocess.run([sys.executable, sys.argv[1]], input=given.encode(), check=True)
END
: >pyproject.toml
run "$python3" many.py "$STAGE/share/noxmk/configure.py"
check '--write: the lines of many sessions' same "$(grep -c a-rather pyproject.toml)" 5000

# Whatever lies there: one line, and nothing is changed.
cat >stays.py <<'END'
import errno, os, subprocess, sys
GIVEN = b'{"one":{"uses":["x.txt"]}}'
def run(content, mode=0o640):
    if content is not None:
        with open("pyproject.toml", "wb") as file:
            file.write(content)
        os.chmod("pyproject.toml", mode)
    return subprocess.run([sys.executable, *sys.argv[1:]], input=GIVEN, capture_output=True)
def refuses(content, why):
    done = run(content)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1, done
    assert why in done.stderr and b"Traceback" not in done.stderr, done
    assert content is None or open("pyproject.toml", "rb").read() == content
refuses(b"# \xe9\n", b"pyproject.toml: 'utf-8' codec")
refuses(b"[[tool]]\n", b"pyproject.toml: tool is no table")
refuses(b"[tool.noxmk.session.one]\nuses = 'x'\n", b"pyproject.toml: uses is no list")
refuses(b"[tool.noxmk.session]\none = 1\n", b"pyproject.toml: one is no table")
os.mkfifo("pyproject.toml.noxmk")
assert run(b"a = 1\r\n").returncode == 0
assert os.stat("pyproject.toml").st_mode & 0o7777 == 0o640
text = open("pyproject.toml", "rb").read()
assert text.startswith(b"a = 1\r\n\r\n[") and text.count(b"\n") == text.count(b"\r\n"), text
os.unlink("pyproject.toml")
assert run(None).returncode == 0
umask = os.umask(0); os.umask(umask)
assert os.stat("pyproject.toml").st_mode & 0o7777 == 0o666 & ~umask
os.mkdir("elsewhere")
os.replace("pyproject.toml", "elsewhere/real.toml")
os.symlink("elsewhere/real.toml", "pyproject.toml")
assert run(b"b = 1\n").returncode == 0
assert os.path.islink("pyproject.toml") and b"x.txt" in open("elsewhere/real.toml", "rb").read()
os.unlink("pyproject.toml")
os.mkfifo("pyproject.toml")
refuses(None, b"pyproject.toml: not a file")
os.unlink("pyproject.toml")
os.mkdir("pyproject.toml")
refuses(None, b"pyproject.toml: ")
os.rmdir("pyproject.toml")
os.unlink("pyproject.toml.noxmk")
assert not [name for name in os.listdir() + os.listdir("elsewhere") if name.startswith(".pyproj")]
END
if "$python3" -c 'import tomllib' 2>/dev/null; then
	run "$python3" stays.py "$STAGE/share/noxmk/configure.py"
	check '--write: what cannot be changed stays as it is' exits 0
	rm -r elsewhere
else
	skip '--write: what cannot be changed' 'this Python has no tomllib'
fi

# What was seen becomes the plan's.
printf '[tool.noxmk]\nhazards = "learn"\n' >pyproject.toml
mk -n -j2 one two
check 'learned: what the last audit saw is an edge' same "$(planned)" 'one
two   after one'
mk -j2 one two
run "$noxmk" why two
check 'learned: and why says so' has "$out" '(learned: both use out.txt)'
audit
check 'learned: the lines that are for ever are printed still' has "$out" 'conflict  out.txt'
printf '[tool.noxmk]\nhazards = "report"\n' >pyproject.toml
mk -n -j2 one two
check 'learned: only where the configuration wants that' same "$(planned | sort)" 'one
two'

# For a fresh checkout: the pairs under version control, the traces from a CI's cache.
topic='a fresh checkout: '
printf '[tool.noxmk]\nhazards = "learn"\n' >pyproject.toml
mkdir ../fresh ../cached
cp "$state/hazards.json" ../fresh/known.json
cp GNUmakefile noxfile.py pyproject.toml ../fresh
(cd ../fresh && mk -n -j2 one two NOXMK_HAZARDS=known.json && planned >../planned)
check 'the edges are there with that file alone' same "$(cat ../planned)" 'one
two   after one'
(cd ../fresh && mk -n -j2 one two && planned >../planned)
check 'without it they are not' same "$(sort ../planned)" 'one
two'
(cd ../fresh && mk -n -j2 one NOXMK_HAZARDS=noxfile.py)
check 'a file that is none' has "$err" 'NOXMK_HAZARDS=noxfile.py: not what '
# shellcheck disable=SC2016 # make's and the shell's, if anybody took it for theirs
echo '{"schema":1,"pairs":[["one","two","x"],["one","$(shell touch bad)","x"]]}' >../fresh/bad.json
(cd ../fresh && mk -n -j2 one two NOXMK_HAZARDS=bad.json && planned | sort >../planned)
# shellcheck disable=SC2016 # a message
check 'one with a name that is none, and where' has "$err" \
	'NOXMK_HAZARDS=bad.json: not what `noxmk audit` leaves in hazards.json: pairs[1]: has a name that no target can have; '
check 'nothing of it counts' same "$(cat ../planned)" 'one
two'
cp -r "$state/traces" "$state/hazards.json" ../cached
cp GNUmakefile noxfile.py pyproject.toml ../cached
mkdir -p ../cached/.nox/.noxmk
mv ../cached/traces ../cached/hazards.json ../cached/.nox/.noxmk
(cd ../cached && mk -n -j2 one two && planned >../planned)
check 'cached: the edges are there' same "$(cat ../planned)" 'one
two   after one'
(cd ../cached && run "$noxmk" audit two)
check 'cached: the traces of sessions that this audit has not run count' has "$out" \
	'conflict  out.txt'
API_TOKEN=s3cr3t-value
export API_TOKEN
audit --fresh tells
unset API_TOKEN
check 'no secret is in these files' not grep -rq s3cr3t-value "$state/traces" "$state/hazards.json"
check 'though the session has one in a name' has "$state/traces/tells.trace" '***.told'
audit
topic=
printf '[tool.noxmk]\nhazards = "report"\n' >pyproject.toml

NOXMK_TRACE=ptrace audit one
check 'who wants ptrace has that' has "$state/latest/one.trace" '"mechanism":"ptrace"'

# What asks only whether something is there, and would not find it, had another not been first.
audit --fresh makes asks
check 'asked for: it is likely' has "$out" '0 conflicts, 1 likely'
check 'asked for: and is learned' has "$state/hazards.json" '["makes","asks","made"]'
NOXMK_SHARD=1/2 audit one two ARGS=ignored
check 'a part for one machine is no part of an audit' has "$out" 'traced run of 4 sessions'

# While they run as ever.
rm "$state/hazards.json"
audit --explain out.txt
check '--explain teaches nothing' absent "$state/hazards.json"
mkdir meet
mk -j2 one two NOXMK_WATCH=1
rm -r meet
check 'watched: it is learned' has "$state/hazards.json" '["one","two","out.txt"]'
check 'watched: who met' has "$out" 'conflict  out.txt'
check 'watched: how much was seen' has "$out" 'noxmk watch: 1 conflict, 0 likely between sessions that ran at the same time'
mk -j1 one two NOXMK_WATCH=1
check 'watched: all was seen' lacks "$out" note:
check 'watched: one after another nobody meets' has "$out" 'noxmk watch: none observed'
check 'watched: they meet still, and it stays' has "$state/hazards.json" '["one","two","out.txt"]'
cp noxfile.py ../as-it-was.py
sed -i 's/^def write(text):/&\n    return/' noxfile.py
mk -j2 one two
check 'watched: only if that is wanted' absent "$state/latest/one.trace"
check 'watched: what nobody looks at stays' has "$state/hazards.json" '["one","two","out.txt"]'
mk -j2 one two NOXMK_WATCH=1
check 'watched: what both do not do any more is forgotten' lacks "$state/hazards.json" out.txt
mv ../as-it-was.py noxfile.py

# What a session does not come to is not seen.
audit --check breaks
check 'a failed session: --check fails' exits 1
NOXMK_TRACE=1 mk -j1 breaks one
rm "$state/latest/one.json" "$state/latest/one.trace"
audit --from latest
check 'a session of the run that has no trace is told of' has "$out" 'note: one: it has no trace'
check 'one that is none of it is not' lacks "$out" 'note: two:'
audit --from latest --check
check 'and --check fails' exits 1
before=$(runs)
mk -n nox-audit
check 'make -n nox-audit runs nothing' same "$(runs)" "$before"
mk -j2 nox-audit
check 'make nox-audit' has "$out" 'conflict  out.txt'
check 'make -j2 nox-audit has a make of its own' calm

audit --no-rule cache
check '--no-rule: no such rule' exits 2
check '--no-rule: which is meant' has "$err" 'did you mean caches?'
audit --from latest lint
check '--from runs nothing' exits 2
audit --cheque
check 'a wrong option' exits 2
audit nosuch
check 'a wrong target' exits 1
check 'a wrong target: is told' has "$err" 'nosuch'
check 'a wrong target: and no more' lacks "$err" 'nothing has run'

# Whoever ends it ends its make, and the session.
: >hold
"$noxmk" audit holds >"$out" 2>"$err" </dev/null &
audit=$!
check 'a session is at work' wait_for [ -s holding ]
kill -TERM "$audit"
wait "$audit"
status=$?
check 'a signal ends the audit' exits 143
# shellcheck disable=SC2016 # an argument
check 'and by then its session has ended' sh -c '! kill -0 "$(cat holding)" 2>/dev/null'
rm hold

# A newer run of somebody else's make.
audit --fresh hosts
check "another make's run is not taken for its own" same \
	"$(grep -o 'of [0-9]* session' "$out")" 'of 1 session'

# A session that is cut: what its parts need is said of the whole.
topic='parts: '
noxfile <<'END'
nox.options.sessions = ["first", "tests"]


@nox.session(python=False)
def first(session):
    open("out.txt", "w").close()


@nox.session(python=False)
def tests(session):
    for name in (os.environ.get("COVERAGE_FILE", ".coverage"), "out.txt"):
        with open(name, "w") as file:
            file.write(os.environ["PART"])
END
parts='[tool.noxmk]
hazards = "learn"
[tool.noxmk.session.tests]
parts = 2'
printf '%s\nenv = {PART = "{part}"}\n' "$parts" >pyproject.toml
audit
check 'their lines are those of the session' same "$(sed -n 's/^    //p' "$out")" \
	'[tool.noxmk.session.tests]
env = {COVERAGE_FILE = ".coverage.tests.{part}"}
[tool.noxmk.session.first]
uses = ["out.txt"]
[tool.noxmk.session.tests]
uses = ["out.txt"]'
check 'it is learned of the session' same "$(cat "$state/hazards.json")" \
	'{"schema":1,"pairs":[["tests","tests",".coverage"],["first","tests","out.txt"]]}'
mk -n -j3 ci
check 'learned: both parts come after the other one, and one at a time' same \
	"$(planned | sed 's/part-[12]/part-N/g' | sort)" 'first
tests.part-N   after first
tests.part-N   after first   parts:tests after tests.part-N'
sed -i 's/parts = 2/parts = 1/' pyproject.toml
mk -n -j3 ci
check 'learned: and so does the session in one piece' same "$(planned)" 'first
tests   after first'
printf '%s\nenv = {PART = "{part}", COVERAGE_FILE = ".coverage.tests.{part}"}
uses = ["out.txt"]\n[tool.noxmk.session.first]\nuses = ["out.txt"]\n' "$parts" >pyproject.toml
audit --check
check 'with these lines nothing is left' exits 0
check 'and nothing is learned any more' same "$(cat "$state/hazards.json")" '{"schema":1,"pairs":[]}'
topic=

# A few of the projects in tests/audit.
run "$TOP/tests/audit/corpus.py" --stage "$STAGE" database walker other-name closed-folder \
	mode-as-it-is
check 'known hazards are found, and clean projects are left alone' exits 0
run "$TOP/tests/audit/failures.py" --stage "$STAGE" lock no-file
check 'a race and a fault of the code are told apart' exits 0

finish
