#!/bin/sh
# What sessions write can neither forge our lines, nor steer a terminal or a CI, nor tell secrets;
# and what did not end well can be run again.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk

# Output

noxfile <<'END'
@nox.session(python=False)
def evil(session):
    print("::error::forged\n  ::set-output name=a::b")
    print("noxmk: 1 session: 1 passed")
    print("\033]0;title\007\033[2J\033[1;31mred\033[0m\033[5A")
    print("section_start:0:x\r\033[0Khidden ##[group]x")
    session.error("\033[2Jno\nreason")
END

# safe FILE: none of it acts.
safe() {
	not grep -qE '^ *::|##\[group' "$1" && not grep -q "$(printf '\033\[2J\|\033\[5A\|\033]\|\033\[0K')" "$1" &&
		[ "$(grep -c '^noxmk: 1 session' "$1")" -eq "$2" ]
}

export CI=1
mk evil
check 'live, in CI: nothing acts' safe "$out" 1
check 'live: what it tried can be seen' has "$out" '\033[2J'
check 'live: colours pass' has "$out" "$(printf '\033[1;31mred')"
check 'live: what looks like ours is marked' has "$out" '| noxmk: 1 session: 1 passed'
mk evil NOXMK_OUTPUT=failed
check 'at the end, in CI: nothing acts' safe "$out" 1
check 'the log has it as it was' has "$state"/latest/evil.log "$(printf '\033]0;title\007\033[2J')"
check 'the reason is visible, too' has "$out" '\033[2Jno'
unset CI
mk evil
check 'without CI: its commands are words' has "$out" '::error::forged'

# Secrets

noxfile <<'END'
@nox.session(python=False)
def teller(session):
    import os, sys, time
    secret = os.environ["MY_API_KEY"]
    sys.stdout.write(f"one: {secret}\ntwo: {secret[:4]}")
    sys.stdout.flush()
    time.sleep(0.3)  # in two writes
    print(secret[4:])
    session.run("sh", "-c", f"echo three: {secret}; exit 7", log=False)
END
export MY_API_KEY=hunter22-hunter22
mk teller
check 'a secret is in no file of the run' not grep -rq hunter22 "$state"/latest/
check 'nor in what is shown' lacks "$out" hunter22
check 'nor in our warnings' lacks "$err" hunter22
check 'but stars are' same "$(grep -cE '^(one|two|three): [*]{3}$' "$out")" 3
printf '[tool.noxmk]\nmask = []\n' >pyproject.toml
mk teller
check 'mask = []: it is told' has "$out" 'one: hunter22-hunter22'
unset MY_API_KEY

# Once more

noxfile <<'END'
@nox.session(python=False)
def good(session):
    pass
@nox.session(python=False)
def bad(session):
    session.run("test", "-e", "mended", external=True)
@nox.session(python=False)
def worse(session):
    session.run("false", external=True)
END
rm -f pyproject.toml
mk rerun-failed
check 'nothing to run again' has "$out" 'nothing to rerun'
mk ci
mk rerun-failed
check 'what failed is run again, and fails' exits 2
check 'and nothing else' same "$(verdicts)" 'bad: failed
worse: failed'
touch mended
mk bad
mk rerun-failed
check 'what passed since then is not' same "$(verdicts)" 'worse: failed'
mk -n rerun-failed
check 'make -n tells' has "$out" 'would run 1 session'
mk nox-list
check 'rerun-failed is no session' differ "$(grep -c '^[*+-] rerun' "$out")" 1

noxfile <<'END'
nox.options.stop_on_first_error = True
@nox.session(python=False)
def bad(session):
    end = time.monotonic() + 300
    while not os.path.exists("begun") and time.monotonic() < end:
        time.sleep(0.02)  # until the other one runs
    session.error("no")
@nox.session(python=False)
def slow(session):
    session.run("sh", "-c", ": >begun; exec sleep 60", external=True)
@nox.session(python=False)
def later(session):
    session.run("sleep", "60", external=True)
END
mk -j2 ci
check 'stop_on_first_error ends the run' exits 2
check 'what ran is cancelled' same "$(verdict slow)" cancelled
check 'and nothing more starts' same "$(verdict later)" 'not run'
check 'the reason is said' same "$(reason slow)" 'bad aborted (FAIL_FAST)'

# How fast

run "$noxmk" savings
check 'savings: the runs that are kept' matches "$out" '^20[^ ]* +3 +3 +\? +[0-9.]+s +\?$'
check 'savings: of one that was cut off nothing is claimed' has "$out" '?: a session was cancelled'
noxfile <<'END'
@nox.session(python=False)
def one(session):
    session.run("sleep", "1", external=True)
@nox.session(python=False)
def two(session):
    session.run("sleep", "1", external=True)
END
run "$noxmk" bench -j 2 -n 1
check 'bench: a sentence' matches "$out" '^noxmk: make -j2 took .* where nox took .*: .* less, .* times as fast'

finish
