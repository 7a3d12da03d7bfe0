#!/bin/sh
# Where the state folder is, who may use it, what becomes of it when it is removed during a run, and
# file systems that have no links or no locks.

. "$(dirname "$0")/lib.sh"

# One session that cleans the checkout, and some around it.
cleaning='
nox.options.sessions = ["before", "failing", "after"]

@nox.session(python=False)
def before(session):
    session.log("words of before")

@nox.session(python=False)
def clean(session):
    session.run("sh", "-c", "echo words of clean; " + os.environ["CLEANER"] + " && touch ../cleaned", external=True)

@nox.session(python=False)
def failing(session):
    print("words of failing", flush=True)
    session.run("sh", "-c", "until [ -e ../cleaned ]; do sleep 0.05; done; exit 3", external=True)

@nox.session(python=False)
def after(session):
    session.notify("notified")

@nox.session(python=False)
def notified(session):
    session.log("words of notified")
'

# noxfile_of TEXT: into a fresh project with that noxfile. (Behind a pipe noxfile would be so in a
# subshell only.)
noxfile_of() {
	noxfile <<END
$1
END
	printf '[tool.noxmk.session.after]\nneeds = ["before", "clean"]\n' >pyproject.toml
}

in_git() {
	[ "$PWD" = "$scratch/project" ] || exit 1
	git init -q . && git add -A && git -c user.email=a@b -c user.name=a commit -qm x
}

# Where it is

noxfile_of "$cleaning"
mkdir -p .noxmk/runs/20200101-000000-1
echo old >.noxmk/runs/20200101-000000-1/old.log
echo '{"schema":1,"sessions":{"before":[7]}}' >.noxmk/history.json
printf '.nox\n.noxmk\n' >.gitignore
in_git
mk before
check 'a former state folder is moved, and that is said once' \
	same "$(grep -c 'what was in .noxmk is in .nox/.noxmk' "$err")" 1
check 'a former state folder is gone' absent .noxmk
run "$STAGE/bin/noxmk" log old
check 'its logs are there' same "$(cat "$out")" old
check 'its history counts' has "$state/history.json" '"before":[7,'
mk before
check 'it is moved once' quiet "$err"
check 'git sees nothing' same "$(git status --porcelain)" ''
rm .gitignore
check 'git sees nothing, even of a .nox that it does not ignore' \
	same "$(git status --porcelain --untracked-files=all | grep nox/)" ''
check 'a run is named by UTC time and the word of its make' \
	matches "$state/latest/.run.json" '"run": "[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{8}"'

for where in ../elsewhere/deep "$scratch/absolute" in-here; do
	topic="NOXMK_STATE=$where: "
	noxfile_of "$cleaning"
	mk before NOXMK_STATE="$where"
	check 'exit 0' exits 0
	check 'it is there' [ -e "$where/latest/before.json" ]
	check 'nothing is in the default place' absent .nox .noxmk
	mk before NOXMK_STATE="$where"
	check 'the plan is kept' quiet "$err"
	(NOXMK_STATE=$where && export NOXMK_STATE && run "$STAGE/bin/noxmk" log before &&
		has "$out" 'words of before')
	check 'the environment tells noxmk' [ $? = 0 ]
	run "$STAGE/bin/noxmk" -S "$where" log before
	check '-S tells noxmk' has "$out" 'words of before'
	(NOXMK_STATE=$where && export NOXMK_STATE && mk before && exits 0 && absent .nox)
	check 'the environment tells make' [ $? = 0 ]
	printf 'NOXMK_STATE = %s\ninclude nox.mk\n' "$where" >GNUmakefile
	mk rerun-failed before
	check 'a makefile tells make' exits 0
	check 'nothing is in the default place after that' absent .nox
done
topic=
# shellcheck disable=SC2016 # no expansion is what is wanted
for bad in 'a b' "a'b" 'a$$b' 'a:b' 'a%b' 'a;b'; do
	mk before NOXMK_STATE="$bad"
	check "NOXMK_STATE=$bad: refused" exits 2
	check "NOXMK_STATE=$bad: a message" has "$err" 'the path in NOXMK_STATE has a blank, or a character'
done
# Two projects in one state folder get in each other's way, but no session of the other one runs.
for one in first second; do
	fresh "$one"
	printf 'import nox\n\n@nox.session(python=False)\ndef %s(session):\n    pass\n' "$one" >noxfile.py
	echo 'include nox.mk' >GNUmakefile
	mk ci NOXMK_STATE="$scratch/shared"
	check "a shared state folder: the sessions of $one" same "$(cd "$scratch/shared" && verdicts=$(
		awk -F '"' '/^ "target": /{ print $4 }' latest/*.json) && echo "$verdicts")" "$one"
done

noxfile_of "$cleaning"
mkdir ../real && mv ./* ../real && cd .. && rmdir project && ln -s real project &&
	cd project || exit 1
mk before
check 'a project below a symbolic link' exits 0

# Who may use it

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	# as USER GROUP COMMAND...
	as() {
		uid=$1 gid=$2
		shift 2
		run setpriv --reuid="$uid" --regid="$gid" --clear-groups \
			env HOME=/nonexistent TMPDIR=/tmp PYTHONDONTWRITEBYTECODE=1 \
			GCOV_PREFIX="$scratch/counts/$uid" "$@"
	}
	chmod 711 "$scratch"
	# gcov's counts of each user, for make coverage: none may write to those of another.
	mkdir -m 777 "$scratch/counts"
	clean_rule='include nox.mk\n\nclean:\n\t@echo cleaned\n'

	noxfile_of "$cleaning"
	# shellcheck disable=SC2059 # it is a format
	printf "$clean_rule" >GNUmakefile
	mk before
	chown 65534 .
	as 65534 65534 "$MAKE" -I "$STAGE/include" clean
	check "somebody else's state folder: goals that are not ours" exits 0
	check "somebody else's state folder: are made" has "$out" cleaned
	check "somebody else's state folder: one line, at most" [ "$(wc -l <"$err")" -le 1 ]
	as 65534 65534 "$MAKE" -I "$STAGE/include" before
	check "somebody else's state folder: our goals fail" exits 2
	# shellcheck disable=SC2016 # nor here
	check "somebody else's state folder: whose it is, and what to do" matches "$err" \
		'\.nox/\.noxmk, where the state folder is, belongs to root: `sudo chown -R [a-z0-9]* \.nox/\.noxmk` makes it yours, or NOXMK_STATE=FOLDER'
	as 65534 65534 "$STAGE/bin/noxmk" log before
	check "somebody else's state folder: noxmk log says it, too" has "$err" 'belongs to root'
	chmod 700 .nox
	as 65534 65534 "$MAKE" -I "$STAGE/include" clean
	check "somebody else's .nox: one line, at most" [ "$(wc -l <"$err")" -le 1 ]
	check "somebody else's .nox: whose it is" has "$err" '.nox, where the state folder is, belongs to root'
	as 65534 65534 "$MAKE" -I "$STAGE/include" before NOXMK_STATE=mine
	check "somebody else's .nox: NOXMK_STATE helps" exits 0

	# What root makes in a user's checkout is the user's.
	noxfile_of "$cleaning"
	chown -R 65534:65534 .
	mk before
	check "root in a user's checkout" exits 0
	check "root in a user's checkout: all is the user's" same \
		"$(find .nox ! -user 65534 ! -path '*/runs/2*/.*' ! -name latest)" ''
	as 65534 65534 "$MAKE" -I "$STAGE/include" before NOXMK_KEEP=1
	check "root in a user's checkout: then the user" exits 0
	check "root in a user's checkout: nothing is said" same "$(grep noxmk: "$err")" ''
	check "root in a user's checkout: the user removes old runs" same "$(runs)" 1
	mk before
	check "root in a user's checkout: then root again" exits 0

	# Private by default; a mode that the user has set stays.
	check 'the state folder is private' same "$(stat -c %a "$state")" 700
	noxfile_of "$cleaning"
	chown -R 65533:60000 .
	chmod 2775 .
	as 65533 60000 sh -c "umask 002; $MAKE -I $STAGE/include before"
	chmod 2770 "$state"
	as 65534 60000 sh -c "umask 002; $MAKE -I $STAGE/include before"
	check 'a group that the folder was opened to' exits 0
	as 65533 60000 sh -c "umask 002; $MAKE -I $STAGE/include before"
	check 'a group that the folder was opened to: and its owner again' exits 0
	check 'a group that the folder was opened to: the mode stays' same "$(stat -c %a "$state")" 2770

	# What root locks, with its umask, is locked for the user.
	noxfile <<-'END'
		@nox.session(python=False)
		def a(session):
		    open("begun", "w").close()
		    session.run("sh", "-c", "i=0; until [ -e go ] || [ $i -gt 3000 ]; do sleep 0.1; i=$((i+1)); done; echo a >>order", external=True, silent=True)
		@nox.session(python=False)
		def b(session):
		    session.run("sh", "-c", "echo b >>order", external=True)
	END
	printf '[tool.noxmk.session."*"]\nuses = ["port"]\n' >pyproject.toml
	touch order
	chmod 666 order
	chown -R 65534:65534 .
	as 65534 65534 "$MAKE" -I "$STAGE/include" -n ci
	(umask 077 && exec "$MAKE" -I "$STAGE/include" a >a.out 2>&1 </dev/null) &
	wait_for test -e begun
	as 65534 65534 "$MAKE" -I "$STAGE/include" b >/dev/null &
	user=$!
	wait_for has "$out" 'waits              b: for a'
	check "root's lock, umask 077: the user waits for it" has "$out" 'which has port'
	touch go
	wait "$user"
	wait
	check "root's lock, umask 077: one after the other" same "$(tr '\n' ' ' <order)" 'a b '

	# A read-only checkout; root may write anywhere.
	noxfile_of "$cleaning"
	chown -R 65534 .
	chmod 555 .
	mkdir -m 777 ../outside
	as 65534 65534 "$MAKE" -I "$STAGE/include" before
	check 'a read-only checkout: exit 2' exits 2
	check 'a read-only checkout: what to do' has "$err" 'NOXMK_STATE=FOLDER puts it elsewhere'
	as 65534 65534 "$MAKE" -I "$STAGE/include" before NOXMK_STATE="$scratch/outside/state"
	check 'a read-only checkout with NOXMK_STATE' exits 0
	check 'a read-only checkout with NOXMK_STATE: nothing is written' same "$(ls -A)" "$(printf 'GNUmakefile\nnoxfile.py\npyproject.toml')"
	chmod 755 .
else
	skip 'two users' 'not root here'
fi

# Two containers in one checkout: what one does not see of the other is not dead.

if unshare --pid --fork --mount-proc true 2>/dev/null; then
	noxfile <<-'END'
		@nox.session(python=False)
		def a(session):
		    pass
		@nox.session(python=False)
		def b(session):
		    pass
	END
	printf 'include nox.mk\na: hook\nhook: | .noxmk/begin ; @touch begun; timeout 240 cat go\n' >GNUmakefile
	mkfifo go
	mk -n ci
	unshare --pid --fork --mount-proc "$MAKE" -I "$STAGE/include" a >a.out 2>&1 </dev/null &
	first=$!
	wait_for test -e begun
	run_of_first=$(readlink "$state/latest")
	for _ in 1 2 3; do
		run unshare --pid --fork --mount-proc "$MAKE" -I "$STAGE/include" b NOXMK_KEEP=1
	done
	check 'another container: exit 0' exits 0
	check 'a make between two sessions: its run is not dead' [ -d "$state/$run_of_first" ]
	: >go
	wait "$first"
	check 'a make between two sessions: exit 0' [ $? = 0 ]
	check 'a make between two sessions: its record' has "$state/$run_of_first/a.json" '"passed"'
else
	skip 'two containers' 'no right to make one'
fi

# A session removes it

XDG_RUNTIME_DIR=$scratch/runtime
export XDG_RUNTIME_DIR CLEANER WAIT_FOR
mkdir "$XDG_RUNTIME_DIR"
for cleaner in 'git clean -fdxq' 'rm -rf .nox' 'rm -rf .nox/.noxmk/runs' 'rm -f .nox/.noxmk/latest/.run.json'; do
	# Nothing else is written just then: rm would find that the folder is not empty.
	waiting="for name in \$WAIT_FOR; do until [ -e $state/latest/\$name ]; do sleep 0.05; done; done" # make ends it
	# Who has written the file may be about to close it, or to write another one.
	CLEANER="$waiting; sleep 0.2; $cleaner || { sleep 1; $cleaner; }" # twice at most
	for jobs in -j1 -j3 -j; do
		topic="$cleaner, $jobs: "
		noxfile_of "$cleaning"
		in_git
		WAIT_FOR=before.json
		mk "$jobs" NOXMK_JOBS=3 NOXMK_DEADLINE=4m before clean
		check 'exit 0' exits 0
		check 'both verdicts' same "$(verdicts | tr '\n' ' ')" 'before: passed clean: passed '
		check 'the log of the session itself' has "$state/latest/clean.log" 'words of clean'
		check 'nothing is said' same "$(grep noxmk: "$err")" ''
		rm -rf .nox
		rm ../cleaned
		[ "$jobs" = -j1 ] || WAIT_FOR='before.json failing.log'
		mk "$jobs" NOXMK_JOBS=3 NOXMK_DEADLINE=4m before clean failing after
		check 'with others: a failure fails' exits 2
		check 'with others: all verdicts' same "$(verdicts | tr '\n' ' ')" \
			'after: passed before: passed clean: passed failing: failed notified: passed '
		check 'with others: the log of who ran meanwhile' has "$state/latest/failing.log" 'words of failing'
		check 'with others: its status line' has "$state/latest/failing.log" '[exited with status 1.]'
		check 'with others: the log is shown' has "$out" 'words of failing'
		WAIT_FOR=
		mk rerun-failed
		check 'with others: rerun-failed knows what failed' has "$out" 'failing  failed'
		check 'git sees nothing' same "$(git status --porcelain)" ''
		check 'nothing stays behind' same "$(ls "$XDG_RUNTIME_DIR")" ''
	done
done
topic=
CLEANER='rm -rf .nox'
noxfile_of "$cleaning"
XDG_RUNTIME_DIR=/nonexistent
mk clean
check 'without XDG_RUNTIME_DIR there is another place' same "$status $(verdicts)" '0 clean: passed'
unset XDG_RUNTIME_DIR

# File systems without links, and without locks

# shim NAME: a library that makes the C text on stdin.
shim() {
	${CC:-cc} -shared -fPIC -D_GNU_SOURCE -o "$scratch/$1.so" -x c - -ldl
}

shim nolinks <<'END'
#include <errno.h>
int symlink(const char *a, const char *b) { errno = EPERM; return -1; }
int symlinkat(const char *a, int d, const char *b) { errno = EPERM; return -1; }
int link(const char *a, const char *b) { errno = EPERM; return -1; }
int linkat(int d, const char *a, int e, const char *b, int f) { errno = EPERM; return -1; }
END
# As on NFS: a lock on the whole file, for which it has to be open in the right way; no folders.
shim nfs <<'END'
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
int flock(int fd, int op) {
	struct stat st;
	struct flock r = { .l_whence = SEEK_SET,
		.l_type = op & LOCK_UN ? F_UNLCK : op & LOCK_EX ? F_WRLCK : F_RDLCK };
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) { errno = EBADF; return -1; }
	if (fcntl(fd, op & LOCK_NB ? F_OFD_SETLK : F_OFD_SETLKW, &r) == 0) return 0;
	if (errno == EAGAIN || errno == EACCES) errno = EWOULDBLOCK;
	return -1;
}
END
shim noflock <<'END'
#include <errno.h>
int flock(int fd, int op) { errno = ENOLCK; return -1; }
END
# Neither flock(2) nor those of fcntl(2).
shim nolocks <<'END'
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
int flock(int fd, int op) { errno = ENOSYS; return -1; }
int fcntl(int fd, int op, ...) {
	static int (*real)(int, int, ...);
	va_list list; va_start(list, op); void *arg = va_arg(list, void *); va_end(list);
	if (op == F_OFD_SETLK || op == F_OFD_SETLKW || op == F_SETLK || op == F_SETLKW || op == F_OFD_GETLK) {
		errno = ENOLCK; return -1;
	}
	if (!real) real = dlsym(RTLD_NEXT, "fcntl");
	return real(fd, op, arg);
}
int fcntl64(int fd, int op, ...) __attribute__((alias("fcntl")));
END

# Two at a time under -j and NOXMK_JOBS=2; those with the database one at a time, across makes.
crowd='
import fcntl

def work(session):
    most = 0
    with open("crowd", "a+") as file:
        file.write("+")
        file.flush()
        session.run("sleep", "0.3", external=True, silent=True)
        file.write("-")

for i in range(5):
    nox.session(python=False, name=f"s{i}")(work)
'
# most FILE: how many were there at the same time.
most() {
	awk '{ for (i = 1; i <= length; i++) { n += substr($0, i, 1) == "+" ? 1 : -1; if (n > most) most = n } } END { print most }' "$1"
}

for shim in nolinks nfs noflock nolocks; do
	topic="$shim: "
	noxfile_of "$crowd"
	rm pyproject.toml
	mk -n ci
	(LD_PRELOAD=$scratch/$shim.so && export LD_PRELOAD && exec "$MAKE" -I "$STAGE/include" \
		-j ci NOXMK_JOBS=2 >"$out" 2>"$err" </dev/null)
	status=$?
	check 'exit 0' exits 0
	check 'all verdicts' same "$(cat "$state"/runs/2*/*.json | grep -c '"verdict": "passed"')" 5
	check 'two at a time' same "$(most crowd)" 2
	run "$STAGE/bin/noxmk" log s0
	check 'noxmk log finds it' exits 0
done
topic=

# Those that claim something fail, or run one at a time, and then it is said once.
noxfile_of "$crowd"
printf '[tool.noxmk.resources]\ncpu = 2\n\n[tool.noxmk.session."s*"]\nuses = ["cpu:1"]\n' >pyproject.toml
mk -j ci
check 'claims: as many as there is room for' same "$(most crowd)" 2
rm crowd
(LD_PRELOAD=$scratch/nolocks.so && export LD_PRELOAD && exec "$MAKE" -I "$STAGE/include" \
	-j ci >"$out" 2>"$err" </dev/null)
status=$?
check 'claims without locks: they fail' exits 2
check 'claims without locks: nothing has run' absent crowd
check 'claims without locks: what to do' matches "$out" \
	'its resources cannot be locked: .*locks/mutex: .* \(file system [a-z0-9.]*\): mend that, or set NOXMK_STATE=FOLDER elsewhere, or locks = "best-effort"'
sed -i '1i[tool.noxmk]\nlocks = "best-effort"\n' pyproject.toml
(LD_PRELOAD=$scratch/nolocks.so && export LD_PRELOAD && exec "$MAKE" -I "$STAGE/include" \
	-j ci >"$out" 2>"$err" </dev/null)
check 'best effort without locks: one at a time' same "$(most crowd)" 1
check 'best effort without locks: it is said once, with the file system' same \
	"$(grep -c 'locks: .* (file system [a-z0-9.]*): sessions that claim something run one at a time' "$err")" 1

finish
