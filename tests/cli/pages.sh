#!/bin/sh
# What the page of a CI has: each session's log in one piece, folded or open, and nothing that a
# session writes as a command. The pages of each forge, in pages/, and models of what shows them.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

pages=$TOP/tests/cli/pages

# Of what begins a command: every way in which one has been seen to begin, in the middle of a line,
# behind what nobody sees, and unfinished.
noxfile <<'END'
@nox.session(python=False)
def passes(session):
    print("all is well")

@nox.session(python=False)
def fails(session):
    print("a.py:1: bad")
    session.run("false", external=True, silent=True)

@nox.session(python=False)
def flaky(session):
    if not os.path.exists("tried"):
        open("tried", "w").close()
        session.error("not yet")

@nox.session(python=False)
def skips(session):
    session.skip("no need")

@nox.session(python=False)
def hostile(session):
    print("::error file=a.py,line=1::an annotation passes")
    for command in ["::endgroup::", "::group::x", "::stop-commands::x", "::add-matcher::x", "::set-env name=A::b",
                    "##[endgroup]", "##[group]x", "##[error]x", "::ENDGROUP::", "::error\u200b::x"]:
        for before in ["", " ", "\t", "\r", "\u3000", "\u200b", "\ufeff", "\x85", "\033[1m", "\0", "a\r", "a\n"]:
            print(before + command)
            print(before + command[:1] + "\u200b" + command[1:] + "\r")
            print(before + command[:2] + "\033[0m" + command[2:])
    for name in ["noxmk-hostile-0", "noxmk-passes-0", "x"]:
        for what in ["start", "end"]:
            mark = f"section_{what}:0:{name}\r\033[0K"
            for before in ["", "\033[0K", "\r\033[0K", "s\033[m"]:
                print(before + mark + "x")
                print(before + mark.replace("\r", "[collapsed=true]\r") + "x")
    print("noxmk: 9 sessions: 9 passed")
    sys.stdout.write("no end ::endgroup::\033")
    sys.stdout.flush()
    session.error("::endgroup::\n::group::%0A::x\rsection_end:0:noxmk-hostile-0\r\033[0K")

@nox.session(python=False)
def chance(session):
    import random
    chance = random.Random(os.environ["PAGES_SEED"])
    pieces = [b"::", b":", b"endgroup", b"group", b"stop-commands", b"error", b"set-env name=A", b"::x", b"##[", b"#",
              b"]", b"\r", b"\n", b"\r\n", b" ", b"\t", "\u200b".encode(), "\ufeff".encode(), "\u3000".encode(), b"\033",
              b"\033[0K", b"\033[1m", b"\033[m", b"\r\033[0K", b"section_", b"start:0:x", b"end:0:noxmk-chance-0",
              b"[collapsed=true]", b"%0A", b"s", b"\xff", b"\0", b"noxmk: "]
    for _ in range(400):
        os.write(1, b"".join(chance.choices(pieces, k=30)))
END
printf '[tool.noxmk.session.flaky]\nretries = 1\n' >pyproject.toml

# normal: the page without what differs from run to run, from machine to machine and from nox to nox,
# and without what the hostile one writes, which the outline is for.
normal() {
	sed -E -e 's/^\$ .*/$ COMMAND/' -e 's/[0-9]+\.[0-9]+s/TIME/g' -e 's/ +TIME/ TIME/g' \
		-e 's/runs\/[^/ ]*/runs\/RUN/' -e 's/(section_(start|end)):[1-9][0-9]*:/\1:UNIX:/' \
		-e 's/ wall time.*/ wall time/' -e '/^nox > /d' |
		sed '/hostile aborted[: ]/,/^\[exited/{
			/hostile aborted[: ]\|^\[exited/!d
		}' | cat -v
}

# page FORGE VARIABLE...: runs all in it; the outline is in $scratch/outline.
page() {
	forge=$1
	shift
	rm -rf tried "$state"
	run env CI=true "$@" "$MAKE" -I "$STAGE/include" -j1 passes fails flaky skips hostile
	normal <"$out" >"$scratch/page"
	"$python3" "$TOP/tests/cli/pages.py" "$forge" "$out" >"$scratch/outline"
	sound=$?
	sed -E 's/[0-9]+\.[0-9]+s/TIME/' "$scratch/outline" >"$scratch/outline.normal"
}


# is_golden FORGE: the page is that in pages/; with ACCEPT=1 it becomes that.
is_golden() {
	[ -z "${ACCEPT:-}" ] || cp "$scratch/page" "$pages/$1.txt"
	diff "$pages/$1.txt" "$scratch/page"
}

# outline_is LINE...: what folds on the page, and what is a command there, before the summary.
outline_is() {
	same "$(grep -v '\.log$' "$scratch/outline.normal")" "$(printf '%s\n' "$@")"
}

bad_reason='Command false  failed with exit code 1'
odd_reason='::endgroup::\n::group::%0A::x\rsection_end:0:noxmk-hostile-0\r\^[[0K'

# folds FORGE: the outline where passed ones are a group, and failed ones below a line.
folds() {
	check "$1: passed ones are folded, and nothing that a session writes folds or ends anything" \
		outline_is 'group passes passed TIME' 'end  after some lines' \
		"--- fails failed TIME: $bad_reason" \
		'group flaky, attempt 1: aborted TIME: not yet' 'end  after some lines' \
		'group flaky passed TIME: flaky: it failed first' 'end  after some lines' \
		'command error' "--- hostile aborted TIME: $odd_reason"
}

for forge in github forgejo gitea gitlab other; do
	case $forge in
	github) page "$forge" GITHUB_ACTIONS=true ;;
	forgejo) page "$forge" GITHUB_ACTIONS=true FORGEJO_ACTIONS=true ;;
	gitea) page "$forge" GITHUB_ACTIONS=true GITEA_ACTIONS=true ;;
	gitlab) page "$forge" GITLAB_CI=true ;;
	other) page "$forge" ;;
	esac
	check "$forge: what folds is closed, and in nothing else" same "$sound" 0
	check "$forge: the page is the golden one" is_golden "$forge"
	case $forge in
	github | forgejo | gitea) folds "$forge" ;;
	gitlab)
		check 'gitlab: each session is a section, and those that passed are folded' outline_is \
			'group noxmk-passes-0 folded: passes passed TIME' 'end noxmk-passes-0 after some lines' \
			"group noxmk-fails-0: fails failed TIME: $bad_reason" 'end noxmk-fails-0 after some lines' \
			'group noxmk-flaky-1 folded: flaky, attempt 1: aborted TIME: not yet' \
			'end noxmk-flaky-1 after some lines' \
			'group noxmk-flaky-0 folded: flaky passed TIME: flaky: it failed first' \
			'end noxmk-flaky-0 after some lines' \
			"group noxmk-hostile-0: hostile aborted TIME: $odd_reason" \
			'end noxmk-hostile-0 after some lines'
		;;
	other)
		check 'other: a line is above each log' outline_is '--- passes passed TIME' \
			"--- fails failed TIME: $bad_reason" '--- flaky, attempt 1: aborted TIME: not yet' \
			'--- flaky passed TIME: flaky: it failed first' "--- hostile aborted TIME: $odd_reason"
		;;
	esac
done
check 'the hostile log is there' has "$out" 'no end ::endgroup::'
check 'and no line of it is ours' same "$(grep -c '^noxmk: 9' "$out")" 0

# Whatever chance brings: nothing of it but annotations is a command. PAGES_SEED says which it was.
PAGES_SEED=${PAGES_SEED:-$$-$(date +%s)}
export PAGES_SEED
echo "# PAGES_SEED=$PAGES_SEED"
for forge in github forgejo gitlab; do
	case $forge in
	github) run env CI=true GITHUB_ACTIONS=true "$MAKE" -I "$STAGE/include" -j1 chance skips ;;
	forgejo) run env CI=true FORGEJO_ACTIONS=true "$MAKE" -I "$STAGE/include" -j1 chance skips ;;
	gitlab) run env CI=true GITLAB_CI=true "$MAKE" -I "$STAGE/include" -j1 chance skips ;;
	esac
	"$python3" "$TOP/tests/cli/pages.py" "$forge" "$out" >"$scratch/outline"
	check "$forge: what chance writes folds nothing" same "$? $(grep -cvxE 'command error' "$scratch/outline")" '0 2'
done

# The summary of the step

export GITHUB_STEP_SUMMARY="$scratch/summary.md"
rm -f tried
run env CI=true GITHUB_ACTIONS=true "$MAKE" -I "$STAGE/include" -j2 passes fails flaky skips hostile NOXMK_RECHECK=0
check 'the summary of the step is a table' same "$(sed -E 's/[0-9]+\.[0-9]s/TIME/; /^5 sessions/s/: .*//' \
	"$GITHUB_STEP_SUMMARY" | sed '/^5 sessions/s/; [^;]* wall time.*//')" '| session | verdict | time | reason |
|---|---|--:|---|
| passes | passed | TIME |  |
| fails | **failed** | TIME | Command false  failed with exit code 1 |
| flaky | passed | TIME | flaky&#58; it failed first |
| skips | skipped | TIME | no need |
| hostile | **aborted** | TIME | &#58;&#58;endgroup&#58;&#58;&#92;n&#58;&#58;group&#58;&#58;&#37;0A&#58;&#58;x&#92;rsection&#95;end&#58;0&#58;noxmk-hostile-0&#92;r&#92;&#94;&#91;&#91;0K |

5 sessions&#58; 2 passed, 1 failed, 1 skipped, 1 aborted, 1 flaky'
rm "$GITHUB_STEP_SUMMARY"
mk passes
check 'without a CI there is none' absent "$GITHUB_STEP_SUMMARY"
mkdir "$GITHUB_STEP_SUMMARY"
run env CI=true GITHUB_ACTIONS=true "$MAKE" -I "$STAGE/include" passes
check 'one that cannot be written is no failure' exits 0
check 'and a line says it' has "$err" "noxmk: GITHUB_STEP_SUMMARY=$GITHUB_STEP_SUMMARY: Is a directory"
unset GITHUB_STEP_SUMMARY

# The models find what is not guarded.
run env "$MAKE" -I "$STAGE/include" -j1 hostile passes NOXMK_OUTPUT=failed
for forge in github forgejo gitlab; do
	run "$python3" "$TOP/tests/cli/pages.py" "$forge" "$state/latest/hostile.log"
	check "$forge: the model sees commands in the log itself" exits 1
done

# One piece each

noxfile <<'END'
def talk(session):
    for i in range(3000):
        print(session.name, i)

for name in "abcdefgh":
    nox.session(name=name, python=False)(talk)
END
# Into a pipe with a reader that is slow: what is written does not fit into it.
# shellcheck disable=SC2016 # for awk
(CI=true "$MAKE" -I "$STAGE/include" -j8 a b c d e f g h 2>&1 </dev/null | {
	sleep 0.3 # so that the pipe is full
	cat
}) >"$out"
check 'sessions that end at once: each log is in one piece' same "$(awk '
	/^[a-h] [0-9]+$/ { if ($1 != last) pieces++; last = $1; next }
	/^… / { next }
	{ last = "" }
	END { print pieces }' "$out")" 8
check 'below its own line' same "$(awk '
	/^---/ { name = $2 }
	/^[a-h] [0-9]+$/ && $1 != name { print }' "$out")" ''

# A failed log that is far above the end is shown there, too; one that is near is not.

noxfile <<'END'
@nox.session(python=False)
def bad(session):
    print("the words")
    session.error("no")

@nox.session(python=False)
def long(session):
    for i in range(100):
        print("line", i)

@nox.session(python=False)
def loud(session):
    for i in range(30000):
        print("line", i)
END
words() {
	same "$(grep -c '^the words$' "$out")" "$1"
}
run env CI=true "$MAKE" -I "$STAGE/include" -j1 bad
check 'one alone is shown while it runs' words 1
printf '[tool.noxmk.session.bad]\nafter = ["long"]\n' >pyproject.toml
run env CI=true "$MAKE" -I "$STAGE/include" -j1 long bad
check 'a failed one at the end: once' words 1
printf '[tool.noxmk.session.long]\nafter = ["bad"]\n' >pyproject.toml
run env CI=true "$MAKE" -I "$STAGE/include" -j1 bad long
check 'and with a long log below: once more at the end' words 2
run env CI=true GITHUB_ACTIONS=true "$MAKE" -I "$STAGE/include" -j1 bad long
check 'but a folded one takes a line' words 1
run env CI=true "$MAKE" -I "$STAGE/include" -j1 bad long NOXMK_OUTPUT=final
check 'NOXMK_OUTPUT=final: no log while they run' lacks "$out" 'line 5'
check 'and the failed one at the end' words 1
run env CI=true "$MAKE" -I "$STAGE/include" -j1 bad loud
check 'a very long log loses its middle' matches "$out" \
	"^… [0-9]+ KiB are left out here; all of it: $state/runs/.*/loud.log\$"
check 'and the file has it' has "$state"/latest/loud.log 'line 15000'
mk -j1 bad long
check 'without a CI nothing of that' lacks "$out" 'line 5'
check 'but the failed one at the end' words 1

# A sign of life

noxfile <<'END'
def rest(session):
    print("begun")
    end = time.monotonic() + 300
    while not os.path.exists("seen") and time.monotonic() < end:
        time.sleep(0.05)  # until it was seen

nox.session(name="slow", python=False)(rest)
nox.session(name="slow-too", python=False)(rest)

@nox.session(python=False)
def last(session):
    pass

@nox.session(python=False)
def talks(session):
    for i in range(65):
        print("word", i)
        time.sleep(0.1)  # far less than a silence
END
printf '[tool.noxmk.session.last]\nafter = ["slow"]\n' >pyproject.toml
beat='^noxmk: nothing new for [1-9][0-9]*s: 2 run \(slow(-too)? [0-9.]+s, slow(-too)? [0-9.]+s\), 1 wait$'
(
	wait_for matches "$scratch/live" "$beat" && touch seen
) &
CI=true "$MAKE" -I "$STAGE/include" -j3 slow slow-too last NOXMK_HEARTBEAT=1 >"$scratch/live" 2>"$err" </dev/null
wait
check 'after a silence a line tells what runs' matches "$scratch/live" "$beat"
rm -f seen
(sleep 3; touch seen) & # as long as three silences
"$MAKE" -I "$STAGE/include" -j3 slow slow-too NOXMK_HEARTBEAT=1 >"$scratch/live" 2>"$err" </dev/null
wait
check 'without a CI nobody does' lacks "$scratch/live" 'nothing new'
run env CI=true "$MAKE" -I "$STAGE/include" talks NOXMK_HEARTBEAT=5
check 'nor while a session writes' lacks "$out" 'nothing new'
check 'which is shown while it runs' has "$out" 'word 64'

finish
