#!/bin/sh
# NOXMK_FORK: sessions that are forked from one nox go as those do that have a nox each.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What a process can find out about itself, less what is another one's in each run.
cat >"$scratch/portrait.py" <<'END'
import gc, json, logging, os, re, resource, signal, stat, subprocess, sys, threading, warnings


def status():
    wanted = ("Name", "Umask", "State", "Uid", "Groups", "Threads", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs",
              "Cpus_allowed")
    with open("/proc/self/status") as file:
        lines = [line.split(":", 1) for line in file]
    return {name: text.strip() for name, text in lines if name in wanted}


def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = (stat.S_IFMT(os.fstat(int(name)).st_mode), os.get_inheritable(int(name)),
                           os.get_blocking(int(name)))
        except OSError:
            pass
    return found


def words(path):
    with open(path, "rb") as file:
        return file.read().decode(errors="backslashreplace").split("\0")


def portrait():
    root = logging.getLogger()
    return {
        "argv": words("/proc/self/cmdline"),
        "environ": words("/proc/self/environ"),
        "os.environ": list(os.environ.items()),
        "inherited": subprocess.run(["/usr/bin/env"], stdout=subprocess.PIPE).stdout.decode(),
        "sys.argv": sys.argv,
        "orig_argv": getattr(sys, "orig_argv", None),
        "sys.path": sys.path,
        "flags": str(sys.flags),
        "executable": [sys.executable, sys.prefix, os.readlink("/proc/self/exe")],
        "main": sys.modules["__main__"].__file__,
        "cwd": [os.getcwd(), os.readlink("/proc/self/cwd")],
        "status": status(),
        "limits": [resource.getrlimit(one) for one in range(16)],
        "nice": [os.nice(0), os.sched_getscheduler(0)],
        "group": os.getpgrp() == os.getppid() == os.getsid(0),
        "parent": open(f"/proc/{os.getppid()}/comm").read(),
        "descriptors": descriptors(),
        "streams": [(one.name, one.mode, one.encoding, one.errors, one.line_buffering, one.write_through,
                     one.isatty(), one.fileno(), one.seekable()) for one in (sys.stdin, sys.stdout, sys.stderr)],
        "signals": [str(signal.getsignal(one)) for one in range(1, 32)],
        "threads": [(thread.name, thread.native_id - os.getpid()) for thread in threading.enumerate()],
        "gc": [gc.isenabled(), gc.get_freeze_count() > 0, gc.get_threshold()],
        "log": [root.level, [type(one).__name__ for one in root.handlers], root.filters],
        "warnings": [str(one) for one in warnings.filters],
        "hooks": [sys.gettrace(), sys.getprofile(), str(sys.excepthook)],
        "recursion": [sys.getrecursionlimit(), len(__import__("inspect").stack())],
    }


def show():
    text = json.dumps(portrait(), indent=1, default=str)
    for there, here in ((r"/proc/\d+", "/proc/N"), (r"0x[0-9a-f]{6,}", "0xN"), (r"/\d+-\d+-[0-9a-f]+/", "/KEY/")):
        text = re.sub(there, here, text)
    print(text)
END

# both NAME [MAKE'S ARGUMENT...]: runs the project without and with it, into $scratch/NAME.0 and .1.
both() {
	both=$1
	shift
	for fork in 0 always; do
		mk NOXMK_FORK=$fork "$@"
		for log in "$state"/latest/*.log; do
			echo "== ${log##*/}"
			[ ! -e kept ] || cat kept
			sed -e 's/[0-9]*-[0-9]*-[0-9a-f]\{8\}/KEY/g' -e 's/NOXMK_FORK=[a-z0]*/FORK/' -e 's/"always"/"0"/' \
				-e 's/ in [0-9.]* \(milli\)\{0,1\}seconds\{0,1\}//' "$log"
		done >"$scratch/$both.$fork"
		verdicts >"$scratch/$both.$fork.verdicts"
		rm -f kept
	done
}

# alike NAME: what both left is the same.
alike() {
	diff "$scratch/$1.0" "$scratch/$1.always" >"$out" && diff "$scratch/$1.0.verdicts" "$scratch/$1.always.verdicts" >>"$out"
}

cp "$scratch/portrait.py" "$scratch/keep.py"
noxfile <<'END'
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import portrait
print("while it is loaded")
print("and an error", file=sys.stderr)
os.environ["FROM_NOXFILE"] = "1"
os.environ.pop("LESS", None)
sys.path.insert(0, os.path.abspath("tools"))

@nox.session(python=False)
def look(session):
    portrait.show()
    print(session.posargs, session.name, session.interactive)
    session.run("env", external=True)

@nox.session(python=False)
def fails(session):
    session.run("sh", "-c", "exit 3", external=True)

@nox.session(python=False)
def raises(session):
    raise ValueError("x")

@nox.session(python=False)
def leaves(session):
    sys.exit(7)

@nox.session(python=False)
def skips(session):
    session.skip("why not")

class Noisy:
    def __del__(self):
        print("freed", json.dumps(1))

noisy = Noisy()
noisy.itself = noisy

@nox.session(python=False)
def ends(session):
    global kept
    import atexit, threading
    kept = open("kept", "w")
    kept.write("not flushed")
    atexit.register(print, "at the end")
    # Whoever ends waits for it, so it ends last.
    main = threading.main_thread()
    threading.Thread(target=lambda: main.join() or print("a thread ends")).start()
    sys.stdout.write("no line end")

@nox.session(python=False)
def text(session):
    sys.exit("a text")

@nox.session(python=False)
def exceeds(session):
    sys.exit(2**70)

@nox.session(python=False)
def interrupts(session):
    raise KeyboardInterrupt

@nox.session(python=False)
def notifies(session):
    session.notify("told", posargs=["a"])

@nox.session(python=False)
def told(session):
    print(session.posargs)
END
cp "$scratch/keep.py" portrait.py
LESS=x both plain -k -j1 look fails raises leaves skips ends text exceeds interrupts notifies ARGS='-v "a b"'
check 'a process is the same either way' alike plain
check 'it was forked' same "$(how look)" ''
for release in nox-newest nox-2024.04.15; do
	peer "$release" nox
	[ -n "$peer" ] || continue
	both "$release" -j1 look raises NOX="$peer"
	check "$release: a process is the same either way" alike "$release"
	check "$release: it was forked" same "$(how look)" ''
done

# A limit that it sets is the fork's, too.
noxfile <<'END'
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))

@nox.session(python=False)
def look(session):
    print(resource.getrlimit(resource.RLIMIT_NOFILE))
END
both limit look
check 'a limit of descriptors that the noxfile sets holds' alike limit
check 'and it is forked' same "$(how look), $(verdict look)" ', passed'

# A process that multiprocessing spawns reads the program of its parent again.
noxfile <<'END'
@nox.session(python=False)
def spawns(session):
    import multiprocessing
    for method in ("spawn", "forkserver"):
        child = multiprocessing.get_context(method).Process(target=print, args=(method,))
        child.start()
        child.join()
        print(method, child.exitcode)
END
for fork in 0 always; do
	mk spawns NOXMK_FORK=$fork
	check "fork $fork: a child does its work, not ours" same \
		"$(grep -E '^(spawn|forkserver)' "$state/latest/spawns.log" | tr '\n' ' ')" \
		'spawn spawn 0 forkserver forkserver 0 '
done

# What is open at the end is written out: the noxfile's own, a module's, beside a thread or not.
noxfile <<'END'
sys.path.insert(0, ".")
import library, zipfile

@nox.session(python=False)
def writes(session):
    global own
    own = open("own", "w")
    own.write("own")
    library.file = open("other", "w")
    library.file.write("other")
    library.zip = zipfile.ZipFile("zip", "w")
    library.zip.writestr("inside", "zip")

@nox.session(python=False)
def waits(session):
    import threading
    writes(session)
    threading.Thread(target=threading.Event().wait, daemon=True).start()
END
echo 'def use(): return file' >library.py
for fork in 0 always; do
	for session in writes waits; do
		rm -f own other zip
		mk "$session" NOXMK_FORK=$fork
		check "fork $fork, $session: its files have all" same "$(cat own) $(cat other)" 'own other'
		[ "$session" != waits ] || continue
		run "$python3" -m zipfile -t zip
		check "fork $fork: what is no plain file, too" exits 0
	done
done

# nox asks uv for its version once in a process; forks know it, unless there is another one.
peer nox-newest nox
if [ -n "$peer" ]; then
	noxfile <<'END'
@nox.session(python=False)
def one(session):
    pass

@nox.session(python=False)
def changes(session):
    open("bin/uv", "a").write("# another one\n")

@nox.session(python=False)
def two(session):
    pass
END
	mkdir bin
	cat >bin/uv <<'END'
#!/bin/sh
echo "$*" >>asked
echo '{"package_name": "uv", "version": "0.9.0"}'
END
	chmod +x bin/uv
	PATH=$PWD/bin:$PATH mk -j1 one changes NOX="$peer" NOXMK_FORK=always
	check 'uv is asked once for all forks' same "$(wc -l <asked)" 1
	PATH=$PWD/bin:$PATH mk -j1 one changes two NOX="$peer" NOXMK_FORK=always
	check 'and again when it is another one' same "$(how two)" "the noxfile looks at $PWD/bin/uv, which has changed"
	mkdir own
	mv bin/uv own
	echo "def find_uv_bin(): return '$PWD/own/uv'" >own/uv.py
	rm asked
	PYTHONPATH=$PWD/own mk -j1 one two NOX="$peer" NOXMK_FORK=always
	check 'so is one that only nox has' same "$(wc -l <asked), $(how one), $(how two)" '1, , '
fi

# One that is stopped ends all the same, and what it has forked goes on.
cat >"$scratch/lifeline.py" <<'END'
import os, signal, sys

sys.path.insert(0, sys.argv[1])
import noxmk_shim

pid = os.fork()
if pid == 0:
    lifeline = noxmk_shim.load("zygote", sys.argv[1]).Lifeline()
    lifeline.hold(0.1)
    if os.fork() == 0:
        os.write(1, b"goes on, ")
        os._exit(0)
    os.wait()
    os.kill(os.getpid(), signal.SIGSTOP)
os.waitpid(pid, os.WUNTRACED)
print(os.WTERMSIG(os.waitpid(pid, 0)[1]))
END
last='lifeline.py'
check 'what is stopped for long is killed' same "$(timeout 60 "$python3" "$scratch/lifeline.py" "$STAGE/share/noxmk")" 'goes on, 9'
noxfile <<'END'
@nox.session(python=False)
def look(session):
    with open(f"/proc/{os.getppid()}/stat") as file:
        parent = file.read().rpartition(")")[2].split()[1]
    print(open(f"/proc/{parent}/timers").read())
    print(open("/proc/self/timers").read())
END
mk look NOXMK_FORK=always
name='the one to be forked would be, no session'
if [ -e /proc/self/timers ]; then
	check "$name" same "$(grep -c 'signal: 9/' "$state/latest/look.log")" 1
else
	skip "$name" 'this kernel shows no timers'
fi

# Whoever interrupts the one to be forked says nothing of the noxfile.
noxfile <<'END'
if open("/proc/self/cmdline").read().startswith("noxmk-zygote"):
    os.kill(os.getpid(), 2)

@nox.session(python=False)
def look(session):
    pass
END
mk look NOXMK_FORK=always
check 'one that is interrupted while it loads: why' same "$(how look), $(verdict look)" \
	'the process to fork has ended, passed'
check 'and nothing is remembered' absent "$state/unforked"

writes="the noxfile depends on what it writes, $scratch/project/loads"
# That is found out once, for each plan.
noxfile <<'END'
with open("loads", "a") as file:
    file.write("x\n")

@nox.session(python=False)
def look(session):
    pass
END
# loads: how often the noxfile has been loaded since the last time.
loads() {
	wc -l <loads
	: >loads
}
mk -j1 look NOXMK_FORK=always
check 'a noxfile that is not to be forked: why' same "$(how look)" "$writes"
loads=$(loads)
mk -j1 look NOXMK_FORK=always
check 'the next make knows why' same "$(how look)" "$writes"
check 'and loads it for the session alone' same "$loads $(loads)" '3 1'
echo '# changed' >>noxfile.py
mk -j1 look NOXMK_FORK=always
check 'it is tried again when it has changed' same "$(loads)" 3
for thing in 'mkfifo' 'mkdir'; do
	rm -f "$state/unforked"
	$thing "$state/unforked"
	mk -j1 look NOXMK_FORK=always
	check "$thing in the place of what is remembered: it is found out" same "$(how look)" \
		"$writes"
	rm -rf "$state/unforked"
done

# What is another thing for one session only: that one has a nox of its own.
noxfile <<'END'
import sys
sys.path.insert(0, os.path.abspath("../library"))
import asker
WORD, MODE = open("word").read().strip(), os.environ.get("MODE")

@nox.session(python=False)
def writes(session):
    open("other", "w").write(WORD)

@nox.session(python=False)
def other(session):
    print(WORD, MODE, os.environ.get("UNREAD"))

@nox.session(python=False)
def changes(session):
    open("word", "w").write("new")

@nox.session(python=False)
def last(session):
    print(WORD)

@nox.session(python=False)
def asks(session):
    print(asker.ASKED)

@nox.session(python=False)
def reads(session):
    print(WORD, MODE)
END
echo old >word
mkdir ../library
echo 'import os; ASKED = os.environ.get("ASKED")' >../library/asker.py
cat >pyproject.toml <<'END'
[tool.noxmk.session.other.env]
UNREAD = "1"
[tool.noxmk.session.reads.env]
MODE = "fast"
[tool.noxmk.session.asks.env]
ASKED = "yes"
[tool.noxmk.session.last]
after = ["changes"]
END
mk -j1 writes other reads NOXMK_FORK=always
check 'a variable that the noxfile has not read' same "$(how other), $(grep -x 'old None 1' "$state/latest/other.log")" \
	', old None 1'
check 'one that it has' same "$(how reads), $(grep -x 'old fast' "$state/latest/reads.log")" \
	'its variable MODE is another, old fast'
mk -j1 writes asks NOXMK_FORK=always
check 'one that a library has' same "$(how asks), $(grep -x yes "$state/latest/asks.log")" \
	'its variable ASKED is another, yes'
mk -j1 changes last NOXMK_FORK=always
check 'a file that it has read changes' same "$(how last), $(grep -x new "$state/latest/last.log")" \
	"the noxfile looks at $PWD/word, which has changed, new"

# Where few sessions follow it would cost more than it saves.
mk -j2 writes other NOXMK_FORK=1
check 'two sessions are not worth it' same "$(how other)" 'null'
mk -j2 writes other
check 'nor is it done unasked' same "$(how other)" 'null'

# Once it is known that a noxfile can be forked nobody starts a nox of its own besides.
noxfile <<'END'
for letter in "abc":
    @nox.session(python=False, name=letter)
    def one(session):
        pass
END
all() {
	echo "$(how a), $(how b), $(how c)"
}
mk -j2 a b c
check 'who makes the plan expects it: of three sessions a first run forks all' same "$(all)" ', , '
echo 'of another plan' >"$state/forked"
mk -j2 a b c
check 'where nobody does it forks none' same "$(all)" 'null, null, null'
mk -j1 a b c NOXMK_FORK=always
mk -j2 a b c
check 'the next one all' same "$(all)" ', , '
mk -j1 a
check 'but not a single one' same "$(how a)" 'null'
if [ "$(nproc)" -gt 1 ]; then
	mk -j2 a b
	check 'nor two that the processors can start at once' same "$(how a), $(how b)" 'null, null'
fi
cat >one-processor.py <<'END'
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.execvp(sys.argv[1], sys.argv[1:])
END
run python3 one-processor.py "$MAKE" -I "$STAGE/include" -j3 a b c
check 'three that make starts at once, but one processor cannot' same "$(all)" ', , '
# What who makes the plan can see of a noxfile that is not to be forked, or too late.
while IFS='|' read -r expected line; do
	noxfile <<END
$line
@nox.session(python=False)
def a(session):
    pass
END
	mk -n a
	check "expected: $expected: $line" same "$([ -e "$state/forked" ] && echo yes || echo no)" "$expected"
done <<'END'
yes|kept = 1
no|time.time()
no|time.sleep(2)  # LONG of probe.py
no|import threading; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
no|sys.modules["numpy"] = sys
END
# The socket is as old as its zygote was when it was ready.
noxfile <<'END'
@nox.session(python=False)
def ages(session):
    runtime = os.path.dirname(sys.argv[sys.argv.index("--report") + 1])
    os.utime(f"{runtime}/.zygote.now", (time.time() - 60,) * 2)

@nox.session(python=False)
def last(session):
    pass
END
mk -n ages last
touch -d '1 hour ago' "$state/plan.jsonl"
mk last NOXMK_FORK=always
check 'it was ready soon' test -e "$state/forked"
rm -f "$state/forked"
mk -j1 ages last NOXMK_FORK=always
check 'it is forked' same "$(how ages), $(how last)" ', '
check 'one that takes long to be ready is not waited for' absent "$state/forked"

# Whatever becomes of the process that is forked, sessions run, and nothing is left of them.
noxfile <<'END'
import resource, select, signal, socket, subprocess
print("noxfile")

def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])

def zygote():
    pid = parent(os.getppid())
    with open(f"/proc/{pid}/cmdline") as file:
        assert file.read() == "noxmk-zygote\0", "it is not forked"
    return pid

@nox.session(python=False)
def kills(session):
    os.kill(zygote(), signal.SIGKILL)

@nox.session(python=False)
def stops(session):
    os.kill(zygote(), signal.SIGSTOP)

@nox.session(python=False)
def starves(session):
    resource.prlimit(zygote(), resource.RLIMIT_NOFILE, (5, 5))

@nox.session(python=False)
def fills(session):
    resource.prlimit(zygote(), resource.RLIMIT_AS, (1, 1))

@nox.session(python=False)
def lonely(session):
    subprocess.Popen(["sleep", "7654"], start_new_session=True)
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()

@nox.session(python=False)
def bereft(session):
    """Nobody is left to whom its processes would come."""
    subprocess.Popen(["sleep", "7654"], start_new_session=True)
    os.kill(zygote(), signal.SIGKILL)
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()

@nox.session(python=False)
def ends(session):
    """As the last helper of a make does."""
    pid = zygote()
    process = os.pidfd_open(pid)
    runtime = os.path.dirname(sys.argv[sys.argv.index("--report") + 1])
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as it:
        it.connect(f"{runtime}/.zygote.now")
        it.send(b"end")
    assert select.select([process], [], [], 60)[0], "it does not end by itself"

@nox.session(python=False)
def follows(session):
    print("all the same")

@nox.session(python=False)
def counts(session):
    print("its keeper has", *sorted(os.listdir(f"/proc/{os.getppid()}/fd")))
END
# survivors: processes of this project; the zombies of whoever adopts them do not count.
survivors() {
	for process in /proc/[0-9]*; do
		if { tr '\0' '\n' <"$process/environ"; } 2>/dev/null | grep -qx "MARK=$scratch"; then
			tr '\0' ' ' <"$process/cmdline"
		fi
	done
}
mk -j1 follows counts NOXMK_FORK=always
check 'a keeper has nothing open but what it needs' matches "$state/latest/counts.log" 'its keeper has 0 1 2 3 5$'
for fault in kills stops starves fills ends bereft lonely; do
	MARK=$scratch mk -k -j1 "$fault" follows NOXMK_FORK=always
	check "$fault: the next one runs" same "$(verdict follows)" passed
	check "$fault: nothing is left" same "$(survivors)" ''
	check "$fault: make is calm" calm
	[ "$fault" != ends ] || check 'ends: it is not killed' same "$(verdict ends)" passed
done
check 'a keeper that is killed: as without forks' same "$(verdicts | grep lonely)" "$(
	mk -k -j1 lonely follows NOXMK_FORK=0
	verdicts | grep lonely
)"
finish
