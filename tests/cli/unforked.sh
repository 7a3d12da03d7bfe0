#!/bin/sh
# NOXMK_FORK: what a noxfile does while it is loaded that makes forks other than processes of their
# own. What becomes of sessions then, and of those that are forked, is in fork.sh.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What another process would find otherwise is noticed, as far as that can be.
cat >"$scratch/reason.py" <<'END'
import os, socket, sys

share, out = sys.argv[1], os.dup(1)
sys.path.insert(0, share)
import noxmk_shim

told = {"ZYGOTE": f"{socket.socket().detach()},-1,-1", "LIKENESS": "", "KEEPER": "", "PATH": ""}
zygote = noxmk_shim.load("zygote", share).Zygote(told, share)
sys.argv = ["nox", "-f", "noxfile.py", "--sessions=look", "--report=/dev/null"]
zygote.load()
os.write(out, zygote.why_not.encode())
os._exit(0)
END
# refused REASON: the noxfile, whose lines come from stdin, is not to be forked since it does that.
refused() {
	why=$1
	noxfile
	last=$(cat noxfile.py)
	found=$("$python3" "$scratch/reason.py" "$STAGE/share/noxmk" 2>"$err")
	check "not forked: ${why:-nothing}" same "$found" "$why"
}
refused '' <<'END'
import tempfile, random, uuid, shutil, subprocess, threading, logging, datetime
@nox.session(python=False)
def look(session):
    print(time.time(), os.getpid(), random.random(), datetime.datetime.now(), sys.argv)
logging.getLogger("x").setLevel(10)
open("noxfile.py").read(), os.listdir("."), os.path.exists("x"), shutil.which("sh")
os.environ["A"] = os.environ.get("B", "")
random.Random(3).random()
import mmap, signal
kept = mmap.mmap(-1, 8, flags=mmap.MAP_PRIVATE)
signal.alarm(9), signal.alarm(0), uuid.uuid5(uuid.NAMESPACE_DNS, "x"), open("/proc/version").read()
class Stamp:
    today = 1
    def now(self):
        return datetime.datetime.now()
kept_too = Stamp()
nox.needs_version = ">=2020"
nox.options.sessions = ["look"]
print("loaded")
END
while IFS='|' read -r why line; do
	printf '%s\n' "$line" >"$scratch/line"
	refused "$why" <"$scratch/line"
done <<'END'
the noxfile starts a thread|import threading; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
the noxfile depends on a program that it runs|import subprocess; subprocess.run(["true"])
the noxfile depends on a process that it forks|os.fork() or os._exit(0)
the noxfile has something done at the end of its process|import atexit; atexit.register(print, "bye")
the noxfile keeps a file or socket open|kept = open("noxfile.py")
the noxfile keeps a file or socket open|import socket; kept = socket.socket()
the noxfile depends on what it writes, made|os.mkdir("made")
the noxfile depends on random numbers|import random; random.seed(1)
the noxfile depends on random numbers|import random; random.choice([1, 2])
the noxfile depends on random numbers|import uuid; uuid.uuid4()
the noxfile depends on random numbers|import secrets; secrets.token_hex()
the noxfile depends on random numbers|import random; random.Random().random()
the noxfile depends on its process number|os.getpid()
the noxfile depends on the clock|time.time()
the noxfile depends on the clock|import datetime; datetime.datetime.now()
the noxfile depends on the clock|time.clock_gettime(time.CLOCK_REALTIME)
the noxfile depends on the clock|time.clock_gettime_ns(time.CLOCK_MONOTONIC)
the noxfile depends on the clock|kept = time.monotonic()
the noxfile depends on the clock|kept = time.perf_counter_ns()
the noxfile depends on the clock|import uuid; uuid.uuid1()
the noxfile depends on its process number|import threading; threading.get_native_id()
the noxfile depends on /proc/self/status|open("/proc/self/status").close()
the noxfile depends on /proc/self/exe|os.readlink("/proc/self/exe")
the noxfile depends on /proc/thread-self/fd|os.listdir("/proc/thread-self/fd")
the noxfile depends on /proc/loadavg|open("/proc/loadavg").close()
the noxfile depends on what it writes, /dev/shm/none|import pathlib; pathlib.Path("/dev/shm/none").unlink(missing_ok=True)
the noxfile depends on what it has done at a fork|os.register_at_fork(before=print)
the noxfile has memory that processes share|import mmap; kept = mmap.mmap(-1, 8)
the noxfile sets a timer|import signal; signal.alarm(9)
the noxfile sets a timer|import signal; signal.setitimer(signal.ITIMER_VIRTUAL, 9)
the noxfile depends on sys.argv|"x" in sys.argv
the noxfile depends on sys.argv|import argparse; argparse.ArgumentParser().parse_known_args()
the noxfile depends on sys.argv|sys.argv.count("x")
the noxfile depends on sys.argv|sys.argv == ["x"]
the noxfile depends on sys.orig_argv|sys.orig_argv.copy()
the noxfile depends on sys.argv|sys.argv.append("x")
the noxfile depends on sys.argv|sys.argv = ["x"]
the noxfile depends on random numbers|os.getrandom(4)
the noxfile depends on the network|import socket; s = socket.socket(); s.connect_ex(("127.0.0.1", 9)); s.close()
the noxfile changes nox|import nox.sessions; nox.sessions.Session.run = print
the noxfile replaces os.environ|os.environ = dict(os.environ)
the noxfile sets variables, but not in os.environ|os.putenv("XX", "1")
the noxfile sets variables, but not in os.environ|os.unsetenv("PATH")
the noxfile redirects its streams|os.close(0); os.open("/dev/zero", os.O_RDONLY)
the noxfile depends on where it redirects its streams|os.dup2(2, 1)
the noxfile handles the ends of its children|import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)
the noxfile handles the ends of its children|import signal; signal.signal(signal.SIGCHLD, lambda *args: None)
the noxfile depends on what it calls in C|import ctypes; ctypes.CDLL(None).getppid()
the noxfile has what the kernel gives no fork|import ctypes; ctypes.CDLL(None).prctl(1, 9)
the noxfile has what the kernel gives no fork|import ctypes; kept = ctypes.create_string_buffer(8); ctypes.CDLL(None).mlock(kept, 8)
the noxfile depends on what it writes, a file|import sqlite3; sqlite3.connect("made.db").execute("create table t (a)").connection.close()
the noxfile depends on what it writes, fifo|os.mkfifo("fifo")
the noxfile depends on what it writes, noxfile.py|os.utime("noxfile.py")
the noxfile depends on the network|import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.close()
the noxfile depends on the network|import socket; socket.getaddrinfo("localhost", 80)
the noxfile depends on /dev/urandom|open("/dev/urandom", "rb").read(1)
the noxfile depends on /proc/sys/kernel/random/uuid|open("/proc/sys/kernel/random/uuid").read()
the noxfile depends on /proc/meminfo|open("/proc/meminfo").read()
the noxfile depends on the clock|import email.utils; email.utils.formatdate()
the noxfile depends on the clock|time.asctime()
the noxfile depends on the clock|os.times()
the noxfile depends on the clock|import resource; resource.getrusage(resource.RUSAGE_SELF)
the noxfile depends on how full a disk is|import shutil; shutil.disk_usage(".")
the noxfile changes the log|import logging; logging.getLogger().setLevel(50)
the noxfile cannot be loaded|raise SystemExit(0)
END

# three: three sessions one after the other, of a noxfile whose first lines come from stdin.
three() {
	{
		cat
		cat <<'END'
for letter in "abc":
    @nox.session(python=False, name=letter)
    def one(session):
        pass
END
	} >"$scratch/three"
	noxfile <"$scratch/three"
	mk -j1 a b c
}
# What keeps it idle would keep each nox idle that is not forked.
three <<'END'
time.sleep(1)
END
check 'one that is idle for a moment is waited for' same "$(how a)$(how b)$(how c)" ''
# In vain it is waited for once: the second that loads the noxfile is to be forked.
three <<'END'
with open("loads", "a") as loads:
    loads.write(".")
if os.path.getsize("loads") == 2:
    time.sleep(7)  # SOON of zygote.c, and more
END
check 'one that is not ready while it is idle is not waited for' same "$(how a)" 'the process to fork was not ready'
check 'nor is it by the next make' absent "$state/forked"
finish
