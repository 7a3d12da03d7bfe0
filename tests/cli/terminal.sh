#!/bin/sh
# A session that runs alone at a terminal: it can ask, sees a terminal of the right size, is stopped
# and goes on with its make, and the user's terminal is as before at the end, whatever happens.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

columns=90

# at_terminal STEP... -- COMMAND...: as the steps in terminal.py say; the screen is in $out.
at_terminal() {
	last=$*
	rm -f screen
	"$python3" "$TOP/tests/cli/terminal.py" "$columns" "$@" >"$err" 2>&1
	tr -d '\r' <screen >"$out"
	tail -n 1 "$err" >ended
}

make_at_terminal() {
	set -- "$@" # the steps, then --, then what make gets
	steps=$#
	while [ "$steps" -gt 0 ]; do
		word=$1
		shift
		set -- "$@" "$word"
		[ "$word" != -- ] || set -- "$@" "$MAKE" -I "$STAGE/include"
		steps=$((steps - 1))
	done
	at_terminal "$@"
}

# ends STATUS: so the command has ended, and the terminal's modes are those from before.
ends() {
	same "$(cat ended)" "$1 sane"
}

noxfile <<'END'
@nox.session(python=False)
def ask(session):
    print("session.interactive:", session.interactive)
    print("terminals:", *[os.isatty(fd) for fd in range(3)], os.get_terminal_size().columns)
    print("hello,", input("name" + "? "))
    session.run("python3", "-c", "import getpass as g; print(len(g.getpass('pass' + 'word: ')))", external=True)
    with open("/dev/tty", "r+b", buffering=0) as tty:  # as sudo does
        tty.write(b"direct" + b"? ")
        print("got", tty.readline())
    sys.stdout.write("1%\r2%\r\n\033[32mgreen\033[0m\n")

# A ^C between Python's last look for one and its read() or sleep() is seen when that call ends: a
# process that blocks at a question may well miss the first one, with nox alone, too.
def sleep_in_steps():
    end = time.monotonic() + 300
    while time.monotonic() < end:
        time.sleep(0.05)

@nox.session(python=False)
def idle(session):
    print("idle" + ":", flush=True)
    sleep_in_steps()

@nox.session(python=False)
def wait(session):
    print("waiting" + ":", flush=True)
    end = time.monotonic() + 300
    while not os.path.exists("go") and time.monotonic() < end:
        time.sleep(0.05)  # until the test says so
        print(os.get_terminal_size().columns, "columns", end="\r", flush=True)
    print("went on")

@nox.session(python=False)
def catch(session):
    try:
        print("press", "^C", flush=True)
        sleep_in_steps()
    except KeyboardInterrupt:
        print("caught")
    os.system("stty -icanon -echo -isig raw")
    print("raw:", end="", flush=True)
    print("keys:", os.read(0, 1) + os.read(0, 1), end="\r\n")

@nox.session(python=False)
def tell(session):
    print("secret is", os.environ["A_TOKEN"], flush=True)
    print(os.environ["A_TOKEN"][:4], end=".", flush=True)
    print(os.environ["A_TOKEN"][:3], end="", flush=True)
    input()

@nox.session(python=False)
def see(session):
    print("terminals:", *[os.isatty(fd) for fd in range(3)], session.interactive)
END

make_at_terminal 'expect name? ' 'type Bob\n' 'expect hello, Bob' 'expect password: ' 'type four\n' \
	'expect direct? ' 'type x\n' 'expect got' -- ask
check 'it ends well' ends 0
check 'nox is told that it is interactive' has "$out" 'session.interactive: True'
check 'it has a terminal of the right size' has "$out" 'terminals: True True True 90'
check 'it can ask' has "$out" 'hello, Bob'
check 'what is typed without an echo is not shown' lacks "$out" four
check 'but read' has "$out" 4
check '/dev/tty is its terminal' has "$out" "got b'x\\n'"
check 'there are colours' matches screen "$(printf '\033')\\[3[0-9]m"
check 'a progress bar is what it is' grep -qF "$(printf '1%%\r2%%\r')" screen
check 'the log has it byte for byte' grep -qF "$(printf '1%%\r2%%\r')" "$state"/latest/ask.log
check 'without the line ends of a terminal' same "$(grep -c "$(printf '[^%%]\r')" "$state"/latest/ask.log)" 0
check 'and what was typed' has "$state"/latest/ask.log 'name? Bob'
check 'and its status' has "$state"/latest/ask.log '[exited with status 0.]'

make_at_terminal 'expect name? ' 'type Eve\n' 'expect password: ' 'type x\n' 'expect direct? ' 'type x\n' \
	-- -j1 ask see NOXMK_OUTPUT=live
check 'one after the other, live: each has the terminal' has "$out" 'terminals: True True True True'
for arguments in 'see NOXMK_OUTPUT=failed' '-j2 see ask NOXMK_OUTPUT=live'; do
	rm -f "$state"/latest/see.log
	# shellcheck disable=SC2086 # words
	make_at_terminal -- $arguments
	check "$arguments: no terminal" has "$state"/latest/see.log 'terminals: False False False False'
done
NOXMK_TERMINAL=0 make_at_terminal 'expect terminals: False' -- see
check 'NOXMK_TERMINAL=0: none' has "$state"/latest/see.log 'terminals: False False False False'
CI=1 make_at_terminal -- see
check 'a CI with a terminal: none' has "$state"/latest/see.log 'terminals: False False False False'
at_terminal -- sh -c "$MAKE -I '$STAGE/include' see | cat"
check 'a pipe behind it: none' has "$state"/latest/see.log 'terminals: False False False False'
at_terminal -- sh -c "$MAKE -I '$STAGE/include' see </dev/null"
check 'no input: none' has "$state"/latest/see.log 'terminals: False False False False'

# The window

make_at_terminal 'expect waiting:' 'size 77' 'expect 77 columns' 'touch go' -- wait
check 'its size follows' ends 0
rm -f go

# ^C is the session's

make_at_terminal 'expect press ^C' 'type \x03' 'expect caught' 'expect raw:' 'type \x03\x1a' -- catch
check 'a session may catch ^C' has "$out" caught
check 'and take all keys for itself' has "$out" "keys: b'\\x03\\x1a'"
check 'and goes on' ends 0
make_at_terminal 'expect idle:' 'type \x03' -- idle
check 'or end by it, and so does make' ends 254
check 'which is told' same "$(verdict idle)" cancelled

# ^Z, fg, bg

make_at_terminal 'expect name? ' 'type \x1a' stopped continue 'type Bob\n' 'expect hello, Bob' \
	'expect password: ' 'type \x1a' stopped continue 'type abc\n' 'expect direct? ' 'type x\n' -- ask
check 'it is stopped and goes on' ends 0
check 'the shell has its terminal back' same "$(grep -c '^stopped: sane' "$err")" 2
make_at_terminal 'expect waiting:' 'type \x1a' stopped background sane foreground 'size 66' \
	'expect 66 columns' 'touch go' -- wait
check 'in the background, and back' ends 0
rm -f go
make_at_terminal 'expect waiting:' 'type \x1a' stopped background 'touch go' -- wait
check 'it ends in the background' ends 0
rm -f go

# The end of everything

make_at_terminal 'expect name? ' 'kill noxmk' sane -- ask
check 'the helper is killed: the modes are restored' ends 2
make_at_terminal 'expect name? ' 'kill make' sane -- ask
check 'make is killed: the modes are restored' grep -q 'sane$' ended

# Secrets

export A_TOKEN=hunter22-hunter22
make_at_terminal 'expect secret is ***' 'expect hunt.' 'expect hun' 'type \n' -- tell
check 'a secret is not shown' lacks "$out" hunter22
check 'its start is, after a moment' ends 0
check 'the log has none' lacks "$state"/latest/tell.log hunter22
unset A_TOKEN

# Tables are as wide as the terminal

noxfile <<'END'
@nox.session(python=False, tags=["a-tag-with-a-name-that-is-longer-than-need-be"])
@nox.parametrize("option", ["a value that is rather long", "日本語テスト日本語テスト日本語テスト"])
def with_a_long_name(session, option):
    """Say something: 日本語テスト日本語テスト日本語テスト日本語テスト日本語テスト."""
    session.error("the reason, " + "which is long, " * 10 + "ends")

@nox.session(python=False)
def short(session):
    pass
END
cat >pyproject.toml <<'END'
[tool.noxmk.session."with*"]
after = ["short"]
uses = ["a-resource-with-a-name-that-is-longer-than-need-be"]
END

# fits: no line on the screen is longer than the terminal is wide, by what people see.
fits() {
	"$python3" - "$columns" <<'END'
import re, sys, unicodedata
wide = 0
for line in open("screen", encoding="utf-8", newline="").read().replace("\r\n", "\n").split("\n"):
    if not re.match(r"^(noxmk: |make|')", line):  # ' begins what make says of its recipe
        text = re.sub("\033\\[[0-9;]*m", "", line)
        width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
        if width > int(sys.argv[1]):
            wide += 1
            print(f"#   {width}: {line}")
sys.exit(wide > 0)
END
}

for columns in 90 60; do
	make_at_terminal -- nox-list
	check "$columns columns: nox-list" fits
	check "$columns columns: what is too long is cut in its middle" has "$out" …
	make_at_terminal -- -n -j2 ci
	check "$columns columns: make -n" fits
	make_at_terminal -- -j2 ci
	sed -i '/^session  verdict/,/^\r$/!d' screen
	check "$columns columns: the summary" fits
	check "$columns columns: a reason has its start and its end" matches "$out" 'the reas.*….*ends$'
	target=$(find "$state"/latest/ -name "with*.json" | head -n 1)
	at_terminal -- "$STAGE/bin/noxmk" why "$(basename "$target" .json)"
	check "$columns columns: why" fits
done
columns=90
COLUMNS=40 make_at_terminal -- nox-list
columns=40
check 'COLUMNS says how wide' fits
mk nox-list
check 'a pipe gets all' lacks "$out" …
mk -j2 ci
check 'of the summary, too' matches "$out" 'which is long, which is long, which is long, which is long, which is long,.* ends$'

finish
