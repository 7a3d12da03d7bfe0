#!/bin/sh
# The value of a secret variable comes into none of our files and onto no screen, by whichever way a
# session or its user hands it to us. tests/cli/output.sh has what sessions print.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk
token='hunter22-hunter22'
pin=9876543210
export MY_TOKEN="$token" DB_PIN="$pin"

# its_noxfile: noxfile, in a project that has another list of what is secret.
its_noxfile() {
	noxfile
	printf '%s\n' '[tool.noxmk]' 'mask = ["*TOKEN*", "*PIN*"]' >pyproject.toml
}

# nowhere: neither value is in a file of ours, in the name of one, or in what make has shown.
nowhere() {
	not grep -rqE "$token|$pin" "$state" "$out" "$err" &&
		same "$(find "$state" | grep -E "$token|$pin")" ''
}

# Posargs of notify(), of the run, and a variable that the noxfile asks for

its_noxfile <<'END'
PIN = os.environ.get("DB_PIN")
nox.options.sessions = ["caller"]

@nox.session(python=False)
def caller(session):
    session.notify("called", posargs=["--token=" + os.environ["MY_TOKEN"] + PIN, "plain"])

@nox.session(python=False)
def called(session):
    with open("called", "w") as file:
        print(*session.posargs, sep="\n", file=file)

@nox.session(python=False)
def args(session):
    with open("args", "w") as file:
        print(*session.posargs, sep="\n", file=file)
    session.error("bad: " + session.posargs[0])
END
mk -j2 ci
check 'notify(): the other session has run' exits 0
check 'it gets the words as they are' same "$(cat called)" "--token=$token$pin
plain"
check 'they are nowhere else' nowhere
check 'the record says which they are' has "$state"/latest/caller.json '"variable": "MY_TOKEN"'
mk args ARGS="'$token $pin' -v"
check 'ARGS: the session gets the words as they are' same "$(cat args)" "$token $pin
-v"
check 'they are nowhere else' nowhere
check 'a reason has none' same "$(reason args)" 'bad: *** ***'
run "$noxmk" why args
check 'noxmk why' nowhere
run "$noxmk" log args
check 'noxmk log' nowhere
DB_PIN=98765432100 mk args ARGS=-v
check 'another value makes no new plan' lacks "$err" 'plan'

# What NOX sets every session needs: then only the owner can read the two files that have it.

chmod 755 "$state"
mk args NOX='env OTHER_TOKEN=not-for-others nox'
check 'what NOX sets is for the owner only' same "$(grep -rl not-for-others "$state" | while read -r file
	do stat -c '%a %n' "$file"; done | sed "s:$state/::; s:runs/[^/]*/:RUN/:" | sort)" \
	'600 RUN/plan.jsonl
600 inputs.json
600 plan.jsonl'

# A secret that only the session knows cannot be handed on by a file

its_noxfile <<'END'
nox.options.sessions = ["caller"]

@nox.session(python=False)
def caller(session):
    print("::add-mask::tmp-" + "credential")
    session.notify("called", posargs=["tmp-" + "credential"])

@nox.session(python=False)
def called(session): pass
END
mk ci
check 'add-mask: the caller has failed' same "$(verdict caller)" failed
check 'and says why' same "$(reason caller)" "it notifies called with a secret that is no variable's \
value, and no file may have: hand it on yourself"
check 'the other one does not run without it' absent "$state"/latest/called.json
check 'and nothing has it' not grep -rq tmp-credential "$state" "$out" "$err"

# Names

its_noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("token", [os.environ["MY_TOKEN"]])
def tests(session, token): pass
END
mk ci
check 'a name with a secret: no session runs' exits 2
check 'it says what to do' has "$err" 'the name of the session tests(token='\''***'\'') has the value of MY_TOKEN'
check 'and how' has "$err" 'tool.noxmk.unmask = ["MY_TOKEN"]'
check 'it is nowhere' nowhere
its_noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("token", [nox.param(os.environ["MY_TOKEN"], id="mine")])
def tests(session, token): pass
END
mk ci
check 'with an id it is a session' exits 0
check 'and nowhere' nowhere
its_noxfile <<'END'
@nox.session(python=False)
@nox.parametrize("token", ["hunter22-hunter22"])
def tests(session, token): pass
END
mk ci
check 'what the noxfile says itself is no secret' exits 0

finish
