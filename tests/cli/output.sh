#!/bin/sh
# What of a session's output reaches people and the CI's runner, and how: commands that protect or
# inform, secrets, lines of sessions that run at once, progress bars.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# config LINE...: all of [tool.noxmk].
config() {
	printf '%s\n' '[tool.noxmk]' "$@" >pyproject.toml
}

# Commands to a CI

noxfile <<'END'
import unicodedata

def say(session):
    print("::add-mask::tmp-credential-4711")
    print("using tmp-credential-4711")
    print("::error file=a.py,line=1::F401 unused import")
    print("  ::warning file=b.py,line=2,col=3::tmp-credential-4711 leaks")
    print("::set-output name=a::b\n::stop-commands::x\n::group::y\n##[error]z\n##vso[task.x]")
    print("\u3000::set-env name=A::b\n\033[1m::notice::no\033[0m\n:\r::debug::no")
    # All that .NET calls blank, and all that it does not see, in front of a command and within.
    for c in map(chr, range(0x80, 0x110000)):
        if c.isspace() or unicodedata.category(c) == "Cf":
            print(c + "::error::no" + c + "\n:" + c + ":error::no\n" + "#" + c + "#" + c + "[error]no")

nox.session(python=False, name="one")(say)
nox.session(python=False, name="two")(say)

@nox.session(python=False)
def pem(session):
    print("::add-mask::BEGIN KEY%0Afirst line%0Asecond line%0AEND KEY")
    print("a second line and the first line")
    session.error("the first line is bad")
END

# nothing_else: no other command of any forge can be in $out, as the runners' own rules have it.
nothing_else() {
	"$python3" - "$out" <<'END'
import re, sys, unicodedata
text = open(sys.argv[1], encoding="utf-8", newline="").read()
for line in re.split("[\r\n]", text):
    seen = "".join(c for c in line if unicodedata.category(c) != "Cf" and not "\ufe00" <= c <= "\ufe0f")
    assert not re.search(r"##(\[|vso|team)", seen), ascii(line)
    if re.fullmatch("::group::(one|two) passed [0-9.]+s|::endgroup::", line):
        continue
    if seen.lstrip().startswith("::"):
        assert re.match(" *::(add-mask|error|warning)[ :]", line), ascii(line)
        assert not line.endswith("::no"), ascii(line)
END
}

mask_line='::add-mask::tmp-credential-4711'
error_line='::error file=a.py,line=1::F401 unused import'
warning_line='::warning file=b.py,line=2,col=3::*** leaks'

# once TEXT: one line is just this.
once() {
	same "$(grep -cxF -e "$1" "$out")" 1
}

noxmk=$STAGE/bin/noxmk
export CI=true GITHUB_ACTIONS=true
mk one
check 'add-mask reaches the runner' once "$mask_line"
check 'and nobody else sees the value' same "$(grep -c tmp-cred "$out")" 1
check 'an error reaches it with file and line' once "$error_line"
check 'and a warning, without the secret' once "  $warning_line"
check 'nothing else does' nothing_else
check 'the log has no value' lacks "$state"/latest/one.log tmp-cred
check 'and says so at its end' same "$(tail -n 2 "$state"/latest/one.log)" '[noxmk: masked: add-mask]
[exited with status 0.]'
mk -j2 one two
check 'sessions that are shown at their end: add-mask' same "$(grep -cxF "$mask_line" "$out")" 2
check 'sessions that are shown at their end: annotations' same "$(grep -cxF "$error_line" "$out")" 2
check 'sessions that are shown at their end: nothing else' nothing_else
check 'and the record says how many' same \
	"$(tr -d ' \n' <"$state"/latest/one.json | grep -o '"announced":[^a-z]*]')" '"announced":[1,1]'
mk -j2 one two NOXMK_OUTPUT=live
check 'live: add-mask' same "$(grep -cxF "$mask_line" "$out")" 2
check 'live: annotations' same "$(grep -cxF "$error_line" "$out")" 2
check 'live: nothing else' nothing_else
mk pem NOXMK_OUTPUT=failed
check 'a value of several lines' has "$out" 'a *** and the ***'
check 'and in the reason' same "$(reason pem)" 'the *** is bad'
config 'ci-commands = "none"'
mk one
check 'ci-commands = "none": no annotation' not grep -qxF "$error_line" "$out"
check 'but it can be read' has "$out" "| $error_line"
check 'and add-mask protects' once "$mask_line"
# A CI that does not know it would show the value.
unset GITHUB_ACTIONS
GITLAB_CI=true mk one
check 'elsewhere the value is secret, too' lacks "$out" tmp-cred
config 'ci-commands = "annotations"'
TF_BUILD=true mk one
check 'ci-commands = "annotations": in any CI' once "$error_line"
run "$noxmk" log one
check 'noxmk log is filtered, too' nothing_else
check 'all of it' same "$(grep -cxF '| ::stop-commands::x' "$out")" 1
run "$noxmk" log --raw one
check '--raw: the log byte for byte' cmp -s "$out" "$state"/latest/one.log
unset CI
mk one
check 'without a CI: the value is secret' lacks "$out" tmp-cred
check 'without a CI: commands are words' has "$out" '::stop-commands::x'
config 'ci-commands = "anotations"'
mk one
check 'a wrong word: the right one' has "$err" \
	'tool.noxmk.ci-commands: is "anotations"; did you mean "annotations"?'

# Secrets in variables

noxfile <<'END'
@nox.session(python=False)
def tell(session):
    for name in sorted(os.environ):
        if name.startswith("X_"):
            print(name, "is", os.environ[name])
END
export X_TOKEN=hunter22 X_MAX_TOKENS=100000 X_PASSWORD=postgres X_TOKENS_KEY=hunter44 X_SECRET_TOKENS=hunter33
mk tell
check 'a count of tokens is none' has "$out" 'X_MAX_TOKENS is 100000'
check 'all others are' same "$(grep -c 'is \*\*\*$' "$out")" 4
check 'the log names them' same "$(tail -n 2 "$state"/latest/tell.log)" \
	'[noxmk: masked: X_PASSWORD, X_SECRET_TOKENS, X_TOKEN, X_TOKENS_KEY]
[exited with status 0.]'
config 'unmask = ["X_PASSWORD"]'
mk tell
check 'unmask takes one out' has "$out" 'X_PASSWORD is postgres'
check 'and no other' same "$(grep -c 'is \*\*\*$' "$out")" 3
check 'its name is gone' lacks "$state"/latest/tell.log 'masked: X_PASSWORD'
config 'unmask = ["x_*"]'
mk tell
check 'nothing was masked: no word' lacks "$state"/latest/tell.log 'noxmk: masked'
unset X_TOKEN X_MAX_TOKENS X_PASSWORD X_TOKENS_KEY X_SECRET_TOKENS

# Sessions that run at once

noxfile <<'END'
def talk(session):
    for i in range(20):
        os.write(1, f"<{session.name} ".encode())
        time.sleep(0.01)  # so that others write in between
        os.write(1, f"{i} {session.name}>\n".encode())
        time.sleep(0.003)  # likewise

for name in "abc":
    nox.session(name=name, python=False)(talk)

@nox.session(python=False)
def long(session):
    os.write(1, b"x" * 20000 + b"\n")

@nox.session(python=False)
def slow(session):
    os.write(1, b"so far")
    end = time.monotonic() + 300
    while not os.path.exists("shown") and time.monotonic() < end:
        time.sleep(0.05)  # until it was seen
    os.write(1, b" and on\n")

@nox.session(python=False)
def bars(session):
    for i in range(30):
        sys.stdout.write(f"\r{i} of 29")
        sys.stdout.flush()
        time.sleep(0.01)  # so that others write in between
    print()
    for i in range(30):
        print(f"{i} percent", end="\r", flush=True)
    print("done")
    for i in range(5):
        print(f"\r\033[Kstep {i}", end="")
    print()
END
# whole_lines: that say whose they are.
whole_lines() {
	# shellcheck disable=SC2016 # for grep
	grep -cE '^([abc]) \| <\1 [0-9]+ \1>$' "$out"
}
# talk_until_whole COMMAND...: again if not: where the machine stands still for a second, a line that
# has begun is shown.
talk_until_whole() {
	for _ in 1 2 3 4; do
		"$@"
		[ "$(whole_lines)" -ne 60 ] || break
	done
}
talk_until_whole mk -j3 a b c NOXMK_OUTPUT=live
check 'each line is whole, and says whose it is' same "$(whole_lines)" 60
check 'there is no other line with a part of one' same "$(grep -v 'nox >' "$out" | grep -c '[<>]')" 60
# Into a pipe, whose reader gets what one write has written in one piece.
into_pipe() {
	"$MAKE" -I "$STAGE/include" -j3 a b c NOXMK_OUTPUT=live 2>"$err" </dev/null | cat >"$out"
}
talk_until_whole into_pipe
check 'into a pipe: likewise' same "$(whole_lines)" 60
mk -j2 a long NOXMK_OUTPUT=live
check 'a line that is too long goes on' matches "$out" '^long \| … x+ …$'
check 'and loses nothing' same "$(grep '^long | ' "$out" | grep -v nox | tr -dc x | wc -c)" 20000
(
	wait_for has "$scratch/live" 'slow | so far …' && touch shown
) &
"$MAKE" -I "$STAGE/include" -j2 a slow NOXMK_OUTPUT=live >"$scratch/live" 2>"$err" </dev/null
wait
check 'the start of a line that takes long is shown' has "$scratch/live" 'slow | so far …'
check 'and its rest, marked' has "$scratch/live" 'slow | …  and on'
mk a NOXMK_OUTPUT=live
check 'one session alone: lines as they are' has "$out" '<a 19 a>'

# Progress bars

# one_state FILE PREFIX
one_state() {
	same "$(grep -E 'of 29|percent|done|step' "$1")" "${2}29 of 29
${2}done
${2}step 4"
}

mk bars
check 'one session: the last state of each line' one_state "$out" ''
mk -j2 a bars NOXMK_OUTPUT=live
check 'several: likewise' one_state "$out" 'bars | '
check 'the log has all states' same "$(tr '\r' '\n' <"$state"/latest/bars.log | grep -c 'of 29')" 30

# NOXMK_OUTPUT: each word shows what its example in nox.mk(5) says.

noxfile <<'END'
@nox.session(python=False)
def lint(session):
    print("Checking 40 files")

@nox.session(python=False)
def tests(session):
    print("a word of tests")
    session.error("on purpose")

nox.options.sessions = ["lint", "tests"]

@nox.session(python=False)
def far(session):
    for i in range(40):
        print("line", i)
    session.error("far")
END
# example WORD: that of the manual, without times.
example() {
	sed -n "/^\.It Ql $1\$/,/^\.Dl /s/^\.Dl //p" "$TOP/mk/nox.mk.5" | sed 's/"//g; s/[0-9][0-9.]*s/Ns/g'
}
# shows WORD: what a run prints that way has its example.
shows() {
	mk -j2 ci "NOXMK_OUTPUT=$1"
	sed 's/[0-9][0-9.]*s/Ns/g' "$out" >shown
	[ -n "$(example "$1")" ] && has shown "$(example "$1")"
}
for word in stream prefix final failed quiet; do
	check "NOXMK_OUTPUT=$word: its example" shows "$word"
done
mk lint
check 'NOXMK_OUTPUT=auto: its example' same "$(grep -xF "$(example auto)" "$out")" 'Checking 40 files'
mk -j2 ci NOXMK_OUTPUT=quiet
check 'quiet: no session has a line of its own' lacks "$out" 's  lint'
check 'quiet: no log' lacks "$out" 'a word of tests'
check 'quiet: but a summary' has "$out" 'tests    aborted'
mk -j2 ci NOXMK_OUTPUT=final
check 'final: no log of what has passed' lacks "$out" 'Checking'
check 'final: that of what has failed, at the end' same \
	"$(sed -n '/^session .*verdict/,$p' "$out" | grep -cxF 'a word of tests')" 1
check 'final: and not before' same "$(grep -c 'a word of tests' "$out")" 1
mk -j2 ci NOXMK_OUTPUT=failed
check 'failed: no log of what has passed' lacks "$out" 'Checking'
check 'failed: how that of what has failed ends, below its line' same \
	"$(grep -A 9 '^aborted .* tests: on purpose' "$out" | grep -cxF '    a word of tests')" 1
check 'failed: not once more, so near to it' same "$(grep -c 'a word of tests' "$out")" 1
mk -j2 far ci NOXMK_OUTPUT=failed
check 'failed: of a long log the last lines' same "$(grep -c '^    line' "$out") $(grep -c '^line' "$out")" '14 40'
check 'failed: and the way to all of it' has "$out" '    … all of it: noxmk log far'
check 'failed: then all are at the end' same "$(grep -c 'a word of tests' "$out")" 2
mk -j2 ci NOXMK_OUTPUT=board
check 'board: into a file there is none' lacks "$out" ' done'
check 'board: nor anything else for a terminal' lacks "$out" "$(printf '\033')"
check 'board: each session that has ended' has "$out" 's  lint'
mk lint NOXMK_OUTPUT=prefix
check 'prefix: one session alone' has "$out" 'lint | Checking 40 files'
mk lint NOXMK_OUTPUT=stream
check 'stream: one session alone' matches "$out" '^Checking 40 files$'

finish
