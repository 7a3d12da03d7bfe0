#!/bin/sh
# What a trace says of a session that touches files in every way there is (touches.c).
# shellcheck disable=SC2317 # checks are called by name

. "$(dirname "$0")/lib.sh"

CC=${CC:-cc}
# shellcheck disable=SC2086 # options
run $CC -std=c11 -D_GNU_SOURCE -O1 -pthread -o "$scratch/touches" "$TOP/tests/cli/touches.c"
check 'touches.c compiles' [ "$status" = 0 ]
run "$CC" -std=c11 -D_GNU_SOURCE -O1 -pthread -static -o "$scratch/touches-static" \
	"$TOP/tests/cli/touches.c"
check 'and without libraries' [ "$status" = 0 ]

# stand_in: into a fresh project, in which a script from stdin stands in for nox and its session.
stand_in() {
	fresh project
	cat >nox <<-'END'
		#!/bin/sh
		[ -z "${NOXMK_PROBE_OUT-}" ] || exec cp facts.json "$NOXMK_PROBE_OUT"
		./session || exit
		echo '{"sessions": [{"name": "s", "result": "success"}]}' >"$5"
	END
	cat >facts.json <<-END
		{"schema": 1, "nox": "0", "python": null, "path": [], "args": [], "queue": [0],
		 "noxfile": "$PWD/noxfile.py", "config": null, "sessions": [{"index": 0,
		 "name": "s", "session": "s", "signatures": ["s"], "description": "",
		 "python": null, "envdir": null, "requires_error": null, "parallel": null,
		 "tags": [], "requires": [], "notifies": []}]}
	END
	{
		echo '#!/bin/sh'
		cat
	} >session
	chmod +x nox session
	: >noxfile.py
	echo 'include nox.mk' >GNUmakefile
	export NOX=./nox
}

# fill: what touches.c counts on.
fill() {
	mkdir -p tree/folder/deep "tree/full folder" tree/listed "tree/gone folder" tree/rmdir "tree/old folder"
	(
		cd tree || exit
		touch "old folder/below" gone from one other is\ there hard O_TMPFILE cut linked \
			read both write append truncated climbs thread fork vfork spawn chmod \
			fchmodat chown lchown utimensat futimens setxattr stat statx access \
			faccessat no\ link flock fcntl i386 elsewhere \
			by\ cwd by\ root full\ folder/below
		touch folder/at folder/at2 folder/relative folder/linked folder/from folder/gone \
			folder/hard folder/by\ fd
		ln -s linked link
		ln -s folder "to folder"
		ln -s linked "lstat link"
		ln -s linked readlink
		cp /bin/true true
	)
}

# Compares "NAME: OPS" a line of stdin with what the trace of that file says of tree/NAME.
cat >"$scratch/says.py" <<'EOF'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
paths = {line["path"]: line for line in lines if "path" in line}
failed = False
for wanted in sys.stdin:
    name, _, words = wanted.strip().partition(": ")
    ops = paths.get(f"{sys.argv[2]}/tree/{name}", {"ops": ["(nothing)"]})["ops"]
    if sorted(ops) != sorted(words.split()):
        print(f"{name}: {' '.join(ops)}, not {words}")
        failed = True
sys.exit(failed)
EOF

# What the calls in touches.c are, by the names that they use.
cat >"$scratch/wanted" <<'EOF'
read: read
both: read write
write: write
append: write append
truncated: write truncate
created: create write
alone: create write excl
is there: probe
missing: missing
nowhere/made: missing
creat: create write
folder/at: read
folder/at2: read
folder/deep: probe
climbs: read
by cwd: read
folder/by fd: read
by root: read
full folder: probe
cut: write truncate
link: read
linked: read
folder/linked: read
folder/relative: read
O_TMPFILE: read
from: rename-from
to: rename-to
folder/from: rename-from
to at: rename-to
one: rename-from rename-to
other: rename-from rename-to
old folder: rename-from subtree
new folder: rename-to subtree
gone: delete
gone already: missing
folder/gone: delete
gone folder: rmdir
rmdir: rmdir
mkdir: mkdir
folder: probe
folder/mkdir: mkdir
fifo: create
hard: read
hard link: create
folder/hard: read
hard link at: create
soft link: create
folder/soft link: create
chmod: meta
fchmodat: meta
chown: probe
lchown: probe
utimensat: meta
futimens: read meta
setxattr: meta
stat: probe
lstat link: probe
statx: probe
access: probe
faccessat: probe
missing stat: probe missing
readlink: read
no link: probe
listed: probe list
flock: read lock
fcntl: write lock
thread: read
fork: read
vfork: read
spawn: read
true: exec
EOF

# says [FILE]: the trace has what stands there.
says() {
	"$python3" "$scratch/says.py" "$state/latest/s.trace" "$PWD" <"${1:-$scratch/wanted}" >"$out"
}

ended() {
	tail -n 1 "$state/latest/s.trace" >"$out" && has "$out" "$1"
}

# wanted WAY: what has a session be traced so. Here the kernel tells of calls by itself.
wanted() {
	[ "$1" = ptrace ] && echo ptrace || echo 1
}

for way in notify ptrace; do
	for kind in touches touches-static; do
		topic="$way, $kind: "
		stand_in <<-END
			[ -z "\${NOXMK_TRACE+set}" ] && exec "$scratch/$kind" tree 28765
		END
		fill
		NOXMK_TRACE=$(wanted $way) mk ci
		check 'the session does what it would do else' exits 0
		check 'it is seen in this way' has "$state/latest/s.trace" "\"mechanism\":\"$way\""
		check 'each path has what was done there' says
		check 'the trace is whole' ended '"unreadable":0,"foreign":0,"strays":0,"complete":true'
		check 'a port that is bound' has "$state/latest/s.trace" \
			'{"port":28765,"proto":"tcp","address":"127.0.0.1","op":"bind","program":"'"$kind"'"}'
		check 'and one that is connected to' has "$state/latest/s.trace" \
			'{"port":28765,"proto":"udp","address":"127.0.0.1","op":"connect"'
		check 'a socket with a path' has "$state/latest/s.trace" \
			"{\"unix\":\"$PWD/tree/socket\",\"op\":\"bind\""
		check 'one without' has "$state/latest/s.trace" '{"unix":"@ocket","op":"bind"'
		check 'and one with NULs' has "$state/latest/s.trace" '{"unix":"@a@b","op":"bind"'
		check 'no port that the kernel chooses' lacks "$state/latest/s.trace" '"port":0,'
	done
done
topic=

# A signal interrupts no call that it would not interrupt else: not by ptrace, nor where the session wants
# its calls restarted. The kernel's notification may break off others (noxmk.1, Audit).
topic='signals: '
for way in '' notify ptrace; do
	for kind in restarts signals; do
		stand_in <<-END
			exec "$scratch/touches" $kind
		END
		NOXMK_TRACE=${way:+$(wanted "$way")} mk ci
		if [ "$way $kind" != 'notify signals' ]; then
			check "${way:-not traced}, $kind: as ever" has "$state/latest/s.log" 'interrupted: none'
		fi
	done
done
topic=

# What strace says of the same run. It ptraces the session, which we leave it free to do.
cat >"$scratch/compare.py" <<'EOF'
import codecs, json, os, re, sys
# These name files, too, but say nothing of what is there; and strace's own first call.
OTHER = {"chdir", "statfs", "getcwd", "getxattr", "lgetxattr", "listxattr", "llistxattr"}
traced = set()
for line in open("trace", encoding="utf-8"):
    path = json.loads(line).get("path")
    if isinstance(path, str):
        traced.add(path)
missing, seen, folders = set(), 0, {}
for line in open("strace", encoding="latin-1"):
    found = re.match(r"(\d+) +(\w+)\((.*)", line)
    if not found or found[2] in OTHER:
        if found and found[2] == "chdir":
            folders[found[1]] = found[3].split('"')[1]
        continue
    pid, _, rest = found.groups()
    at = re.match(r"(?:AT_FDCWD|\d+)<(.*?)>, ", rest)
    if found[2] in ("symlink", "symlinkat"):
        rest = rest.partition('", ')[2]
        at = re.match(r"(?:AT_FDCWD|\d+)<(.*?)>, ", rest)
    names = re.findall(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"', rest)
    if found[2] not in ("rename", "renameat", "renameat2", "link", "linkat"):
        names = names[:1]
    for folder, name in names:
        if not name:
            continue
        name = codecs.decode(name, "unicode_escape").encode("latin-1").decode()
        base = folder or (at and at[1]) or folders.get(pid) or os.getcwd()
        path = os.path.join(base, name)
        last = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        seen += 1
        if not traced & {os.path.normpath(path), last, os.path.realpath(path)}:
            missing.add(f"{found[2]} {path}")
print(f"{len(missing)} of {seen} are missing")
print("\n".join(sorted(missing)))
sys.exit(bool(missing) or seen < 1000)
EOF

# compares: all paths that strace has seen stand in the trace.
compares() {
	cp "$state/latest/s.trace" trace
	run "$python3" "$scratch/compare.py"
	exits 0
}

if command -v strace >/dev/null; then
	stand_in <<-END
		exec strace -f -y -s 0 -o strace -e trace=%file sh -ec '
			$python3 -c "import asyncio, json, subprocess; subprocess.run([\"true\"])"
			$python3 -m compileall -q package
			cd package
			$CC -c -o ../x.o x.c
			find .. -name x.o | xargs ls -l
			(cd .. && rm -r package)
		'
	END
	mkdir package
	echo '#include <stdio.h>' >package/x.c
	for module in a b c d; do
		echo "import $module" >"package/$module.py"
	done
	NOXMK_TRACE=1 mk ci
	check 'strace runs in a session that is traced' exits 0
	check 'the trace has every path that strace has seen' compares
elif [ -n "$on_ci" ]; then
	check 'strace is there' false
else
	skip 'what strace says of the same run' 'strace is not installed'
fi

# The same programs are seen to do the same, however it is told, but for names new each time.
topic='notify and ptrace: '
cat >"$scratch/all.py" <<'END'
import json, re, sys
for line in map(json.loads, open(sys.argv[1], encoding="utf-8")):
    if "path" in line and not re.search(r"/cc\w{6}\.|\.s\.report$", line["path"]):
        print(line["path"], *sorted(line["ops"]), line.get("reader"), line.get("writer"))
END
for way in notify ptrace; do
	stand_in <<-END
		$python3 -c "import json, subprocess; subprocess.run([\"true\"])"
		$CC -c x.c
		mv x.o y.o
	END
	echo '#include <stdio.h>' >x.c
	NOXMK_TRACE=$(wanted $way) mk ci
	"$python3" "$scratch/all.py" "$state/latest/s.trace" | sort >"$scratch/$way"
done
check 'both saw much' [ "$(wc -l <"$scratch/ptrace")" -gt 200 ]
check 'and the same' cmp "$scratch/notify" "$scratch/ptrace"
NOXMK_TRACE=ptrace mk ci NOXMK_WATCH=1
check 'a run that is watched is seen in the way that the user names' has "$state/latest/s.trace" \
	'"mechanism":"ptrace"'
topic=

# Who is not privileged needs no_new_privs for the filter; root does without, so that sudo works.
topic='another user: '
if [ "$(id -u)" = 0 ]; then
	stand_in <<-END
		grep NoNewPrivs /proc/self/status
		(: >>"tree/not ours")
		touch tree/locked/new
		mv tree/locked/old tree/locked/moved
		exec "$scratch/touches" tree 28767
	END
	fill
	chmod 755 "$scratch" "$scratch/touches"
	mkdir tree/locked
	touch tree/locked/old 'tree/not ours'
	chown -R 65534:65534 .
	chown -R 0:0 tree/locked 'tree/not ours'
	chmod 755 tree/locked
	chmod 644 'tree/not ours'
	printf '%s\n' 'not ours: probe' 'locked/new: missing' 'locked/old: probe' >refused
	run setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$PWD" NOXMK_TRACE=1 \
		"$MAKE" -I "$STAGE/include" ci
	check 'the session does what it would do else' exits 0
	check 'it has no new privileges' matches "$state/latest/s.log" 'NoNewPrivs:.*1'
	check 'each path has what was done there' says
	check 'what is refused is not taken for done' says refused
	check 'the trace is whole' ended '"unreadable":0,"foreign":0,"strays":0,"complete":true'
	NOXMK_TRACE=1 mk ci
	check 'root has its privileges' matches "$state/latest/s.log" 'NoNewPrivs:.*0'
else
	skip 'another user' 'only root can be one'
fi

# Containers refuse some calls. What a tracer needs is not among them.
topic='in a container: '
cat >"$scratch/contain.py" <<'EOF'
import ctypes, os, sys
ENOSYS, ERRNO, ALLOW = 38, 0x00050000, 0x7FFF0000
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
rules = ctypes.c_void_p(seccomp.seccomp_init(ALLOW))
for name in ("pidfd_getfd", "fanotify_init", "bpf", "unshare", "mount", "setns", "umount2",
             "io_uring_setup", "open_by_handle_at", "perf_event_open", "userfaultfd", "keyctl"):
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    assert seccomp.seccomp_rule_add(rules, ERRNO | 1, number, 0) == 0
assert seccomp.seccomp_load(rules) == 0
os.execvp(sys.argv[1], sys.argv[1:])
EOF
if "$python3" "$scratch/contain.py" true 2>/dev/null; then
	stand_in <<-END
		exec "$scratch/touches" tree 28768
	END
	fill
	NOXMK_TRACE=1 run "$python3" "$scratch/contain.py" "$MAKE" -I "$STAGE/include" ci
	check 'the session is traced' ended '"unreadable":0,"foreign":0,"strays":0,"complete":true'
	check 'each path has what was done there' says
else
	skip 'in a container' 'a filter cannot be loaded'
fi

topic='foreign: '
stand_in <<END
"$scratch/touches" i386
touch tree/created
END
fill
NOXMK_TRACE=1 mk ci
if has "$state/latest/s.log" 'no i386 here'; then
	skip 'calls of i386 are counted' 'this machine knows none'
else
	check 'calls of i386 are counted' not ended '"foreign":0'
fi
check 'the others are seen' has "$state/latest/s.trace" "$PWD/tree/created"
stand_in <<END
"$scratch/touches" namespace
touch tree/created
END
fill
NOXMK_TRACE=1 mk ci
check 'calls in another namespace are counted' not ended '"foreign":0'
check 'so it is not whole' ended '"complete":false,"why":"some of it ran where its calls cannot be seen"'
check 'and not taken for what they look like' lacks "$state/latest/s.trace" elsewhere
check 'the others are seen' has "$state/latest/s.trace" "$PWD/tree/created"

# Whoever answers for what is mounted may wait for us: nobody looks there. Also if it is refused.
if [ "$(id -u)" = 0 ]; then
	stand_in <<-'END'
		: >before
		mount -t tmpfs none tree && umount tree
		: >after
	END
	mkdir tree
	NOXMK_TRACE=1 mk ci
	check 'before something is mounted, calls are seen' has "$state/latest/s.trace" "$PWD/before\""
	check 'after that they are counted' lacks "$state/latest/s.trace" "$PWD/after\""
	check 'and that is said' not ended '"foreign":0'
	grep '/before"' "$state/latest/s.trace" >"$out"
	check 'nobody looks what is there at the end' lacks "$out" '"after"'
	check 'and why' ended '"complete":false,"why":"it mounted something, and nobody looked after that"'
	run "$STAGE/bin/noxmk" audit --from latest --check
	check 'audit --check fails for what it could not see' exits 1
else
	skip 'something is mounted' 'only root can'
fi

topic='programs: '
stand_in <<END
sh -ec ': >"tree/by a shell"'
$python3 -Bc 'open("tree/by code", "w")'
$python3 -Bm module
$python3 -Xdev script.py
END
mkdir tree
echo 'open("tree/by a module", "w")' >module.py
echo 'open("tree/by a script", "w")' >script.py
NOXMK_TRACE=1 mk ci
"$python3" -c 'import json, os, sys
for line in map(json.loads, open(sys.argv[1], encoding="utf-8")):
    path = line.get("path", "")
    if "/tree/by " in path:
        print(os.path.basename(path), line["writer"].rstrip("0123456789."), sep=": ")' \
	"$state/latest/s.trace" | sort >"$out"
check 'code behind an option is none, also behind several in one word' same "$(cat "$out")" \
'by a module: module
by a script: script.py
by a shell: sh
by code: python'

topic='secrets: '
stand_in <<'END'
touch "tree/$API_TOKEN.txt"
END
mkdir tree
API_TOKEN=s3cr3t-value NOXMK_TRACE=1 mk ci
check 'a secret in a path is not in the trace' lacks "$state/latest/s.trace" s3cr3t-value
check 'and the path is' has "$state/latest/s.trace" "$PWD/tree/***.txt"

for way in notify ptrace; do
	topic="$way, processes that are left: "
	stand_in <<-'END'
		(
			exec >/dev/null 2>&1
			until [ -e go ]; do sleep 0.05; done # 30 s are more than enough
			cat noxfile.py >late || echo failed >late
			touch done
		) &
	END
	cat >pyproject.toml <<-'END'
		[tool.noxmk.session.s]
		leaks = "allow"
	END
	sed -i 's/"config": null/"config": {"session": {"s": {"leaks": "allow"}}}/' facts.json
	NOXMK_TRACE=$(wanted $way) mk ci
	check 'the session passes' exits 0
	check 'the trace says that it is not complete' \
		ended '"complete":false,"why":"processes that it left ran on"'
	check 'and how many they are' not ended '"strays":0'
	touch go
	check 'they go on' wait_for [ -e 'done' ]
	check 'and find their files' lacks late failed
done

cat >"$scratch/signals.py" <<'END'
import os, signal, threading
signal.signal(signal.SIGUSR1, lambda number, frame: print("handled", number))
os.kill(os.getpid(), signal.SIGUSR1)
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    print("went on")
    os.kill(os.getpid(), signal.SIGTERM)
assert os.WSTOPSIG(os.waitpid(child, os.WUNTRACED)[1]) == signal.SIGSTOP
assert os.waitpid(child, os.WUNTRACED | os.WNOHANG) == (0, 0)
os.kill(child, signal.SIGCONT)
print("ended by", os.WTERMSIG(os.waitpid(child, 0)[1]))
waits = threading.Event()
threading.Thread(target=waits.wait, daemon=True).start()
os.execvp("echo", ["echo", "exec in a program with threads"])
END

# Whatever stops and signals it gets, a session does what it would do else.
for way in notify ptrace; do
	topic="$way, signals: "
	stand_in <<-END
		exec "$python3" -u "$scratch/signals.py"
	END
	NOXMK_TRACE=$(wanted $way) mk ci
	check 'the session passes' exits 0
	check 'a handler runs' has "$state/latest/s.log" 'handled 10'
	check 'who is stopped goes on' has "$state/latest/s.log" 'went on'
	check 'who is ended, is' has "$state/latest/s.log" 'ended by 15'
	check 'a program with threads becomes another' has "$state/latest/s.log" 'exec in a program'
	check 'the trace is whole' ended '"complete":true'
done

# process.py FOLDER NAME: who has that name and runs there.
cat >"$scratch/process.py" <<'END'
import os, sys
for pid in filter(str.isdigit, os.listdir("/proc")):
    try:
        with open(f"/proc/{pid}/comm") as file:
            if file.read() == sys.argv[2] + "\n" and os.readlink(f"/proc/{pid}/cwd") == sys.argv[1]:
                print(pid)
    except OSError:
        pass
END

# The session tries again and again; the one that kills the keeper waits for its second file.
for way in notify ptrace; do
	topic="$way, the keeper is killed: "
	stand_in <<-'END'
		while :; do
			cat noxfile.py >>out
			[ -e second ] || mv ready second 2>/dev/null || touch ready
			sleep 0.01 # until it is killed
		done
	END
	NOXMK_TRACE=$(wanted $way) "$MAKE" -I "$STAGE/include" ci >"$out" 2>"$err" </dev/null &
	make=$!
	wait_for [ -e second ]
	kill -KILL "$("$python3" "$scratch/process.py" "$PWD" noxmk-keeper)"
	wait "$make"
	status=$?
	check 'the run fails' exits 2
	[ $way = ptrace ] ||
		check 'no call of what ran on has failed' lacks "$state/latest/s.log" 'not implemented'
	check 'the trace has no last line' not ended '"end":'
	check 'but its first' has "$state/latest/s.trace" '{"noxmk-trace":1,"target":"s"'
done

# Nobody is left who could let its calls go on. It is ended, or ends by itself.
for way in notify ptrace; do
	topic="$way, helper and keeper are killed: "
	stand_in <<-'END'
		until [ -e second ]; do
			mv ready second 2>/dev/null || touch ready
		done
		until ! cat noxfile.py; do sleep 0.01; done 2>/dev/null # until calls fail
		echo failed
	END
	NOXMK_TRACE=$(wanted $way) "$MAKE" -I "$STAGE/include" ci >"$out" 2>"$err" </dev/null &
	make=$!
	wait_for [ -e second ]
	both="$("$python3" "$scratch/process.py" "$PWD" noxmk)
		$("$python3" "$scratch/process.py" "$PWD" noxmk-keeper)"
	# shellcheck disable=SC2086 # two words
	kill -STOP $both && kill -KILL $both
	wait "$make"
	status=$?
	check 'the run fails' exits 2
	check 'and says why' has "$out" 'its calls failed since: it was traced'
done

# A trace within a trace: there can be only one listener, and what it is told nobody else is.
topic='within a trace: '
stand_in <<END
if [ -e inner ]; then
	cat noxfile.py >>new
	exit
fi
touch inner
sed 's/"s"/"t"/g' facts.json >facts.inner && mv facts.inner facts.json
NOXMK_TRACE=1 "$MAKE" -I "$STAGE/include" NOXMK_STATE=.inner ci >inner.log 2>&1
END
NOXMK_TRACE=1 mk ci
check 'the run is as ever' exits 0
inner=.inner/latest/t.trace
check 'each call is stopped at' has "$inner" '"mechanism":"ptrace"'
check 'what is read is seen' has "$inner" "{\"path\":\"$PWD/noxfile.py\",\"ops\":[\"read\""
check 'and what is written' has "$inner" "{\"path\":\"$PWD/new\",\"ops\":[\"write\",\"create\",\"append\""
tail -n 1 "$inner" >"$out"
check 'the trace is whole' has "$out" '"complete":true'

topic='nobody tells of calls: '
if "$python3" "$scratch/contain.py" true 2>/dev/null; then
	sed 's/"pidfd_getfd"/"seccomp", "ptrace"/' "$scratch/contain.py" >"$scratch/blind.py"
	stand_in <<-'END'
		echo changed >>old
		echo new >new
	END
	: >old
	# A helper with a sanitizer looks for leaks by ptrace, and fails where it may not.
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 NOXMK_TRACE=1 \
		run "$python3" "$scratch/blind.py" "$MAKE" -I "$STAGE/include" ci
	check 'the run is as ever' exits 0
	check 'one line says so' [ "$(grep -c 'traced only by a look at the project before and after' "$err")" = 1 ]
	check 'the trace says how it was made' has "$state/latest/s.trace" '"mechanism":"snapshot"'
	check 'what is new' has "$state/latest/s.trace" "{\"path\":\"$PWD/new\",\"ops\":[\"write\",\"create\"]"
	check 'what has changed' has "$state/latest/s.trace" "{\"path\":\"$PWD/old\",\"ops\":[\"write\"]"
	check 'nothing else' lacks "$state/latest/s.trace" '/noxfile.py"'
else
	skip 'nobody tells of calls' 'a filter cannot be loaded'
fi
topic=

finish
