#!/bin/sh
# How sessions end that do not end by themselves: time limits, and processes that they leave.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxfile <<'END'
def define(name, script):
    @nox.session(name=name, python=False)
    def run(session, script=script):
        script = script.replace("NAP", "sleep 7654").replace("WAIT", "sleep 0.2")  # found by that
        session.run("sh", "-c", script, external=True)


# What is left sleeps for this long, by which it is found.
define("background", "NAP & echo started")
define("setsid", "setsid NAP & echo started")
define("double_fork", "(setsid sh -c 'NAP & NAP & exit' &) ; WAIT")
define("deaf", "setsid sh -c 'trap \"\" INT TERM HUP; echo deaf >deaf; NAP; NAP' &"
       " while ! [ -e deaf ]; do WAIT; done")
define("stopped", "setsid sh -c 'kill -STOP $$; NAP' & WAIT")
define("headless", "setsid python3 headless.py & while ! [ -e headless ]; do WAIT; done")
define("server", "setsid NAP & echo $! >server")
define("hangs", "echo working; NAP")
define("deaf_hangs", "trap '' INT TERM; echo working; NAP; NAP")
define("fast", "exit 0")
END
# Its first thread is gone, and with it its command line; another one lives on.
cat >headless.py <<'END'
import ctypes
import threading
import time

def live_on():
    while open("/proc/self/cmdline").read():
        time.sleep(0.01)  # until the first one is gone
    open("headless", "w").close()
    time.sleep(7654)  # until it is ended

threading.Thread(target=live_on).start()
ctypes.CDLL(None).pthread_exit(None)
END
cat >pyproject.toml <<'END'
[tool.noxmk.session.server]
leaks = "allow"
[tool.noxmk.session."*hangs"]
timeout = "2500ms"
slow = 1
[tool.noxmk.session.fast]
timeout = 60
slow = 30
END

nap='sleep 7654' # what the sessions leave

# Is anything of ours still there?
survivors() {
	pgrep -f "^$nap\$" | while read -r pid; do
		case $(readlink "/proc/$pid/cwd") in "$PWD") echo "$pid" ;; esac
	done
}

for target in background setsid double_fork deaf stopped; do
	rm -f deaf
	mk "$target"
	check "$target: it passes" same "$status $(verdicts)" "0 $target: passed"
	check "$target: nobody is left" same "$(survivors)" ''
	check "$target: it is said" matches "$err" "^noxmk: $target left a process running: .*$nap"
	check "$target: the summary marks it" matches "$out" "^$target +passed +[0-9.]+s  leaked: .*$nap"
	check "$target: the last line counts it" matches "$out" '^noxmk: 1 session: 1 passed, 1 leaked; '
	check "$target: it is on record" matches "$state/latest/$target.json" "\"left\": \".*$nap"
done
mk headless
check 'headless: it passes' exits 0
check 'headless: it is said' matches "$err" '^noxmk: headless left a process running: \[python'
check 'headless: nobody is left' [ ! -e "/proc/$(sed -n 's/.*(pid \([0-9]*\)).*/\1/p' "$err")" ]
mk -j4 background setsid fast
check 'several: all pass' exits 0
check 'several: nobody is left' same "$(survivors)" ''
check 'a clean one: nothing on record' has "$state"/latest/fast.json '"left": null'
mk server
check 'leaks = "allow": it passes' exits 0
check 'leaks = "allow": it is left' same "$(survivors)" "$(cat server)"
check 'leaks = "allow": nothing is said' lacks "$err" left
kill "$(cat server)"

for target in hangs deaf_hangs; do
	mk -j2 $target fast
	check "$target: it fails" exits 2
	check "$target: by its time limit" matches "$out" "$target  *failed  .*timeout after 2.5s"
	check "$target: the other passes" matches "$out" '^fast  *passed'
	check "$target: that it is slow is said, with what it wrote last" \
		matches "$out" "^slow  .*  $target: working$"
	check "$target: the record" has "$state/latest/$target.json" '"reason": "timeout after 2.5s"'
	check "$target: nobody is left" same "$(survivors)" ''
done
mk fast
check 'in time: it passes' exits 0
check 'in time: not slow' lacks "$out" slow
finish
