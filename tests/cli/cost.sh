#!/bin/sh
# What a session costs under make, next to plain nox: as ratios within one run, and the least of
# several tries.
# Runs alone: beside others, six processes lose more of the processor's caches than nox's one.
# ext4 looks for a free inode past all that were freed a moment ago, thousands in a run of all tests,
# and six processes make more files than one: those are in memory, if that may be.
if [ -w /dev/shm ]; then
	TMPDIR=/dev/shm
	export TMPDIR
fi
. "$(dirname "$0")/lib.sh"
not_forked 'what a start of nox costs is compared with nox'

cat >"$scratch/cost.py" <<'END'
"""CPU seconds of two commands in turn, children included: the least of each, as A/B."""
import resource, subprocess, sys

def cost(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

tries, bound = int(sys.argv[1]), float(sys.argv[4])
pairs = []
# After much work a machine is slower for a while, and more so for many small processes: then more
# tries are needed to see the least.
for _ in range(4):
    pairs += [[cost(command) for command in sys.argv[2:4]] for _ in range(tries)]
    ours, theirs = (min(column) for column in zip(*pairs))
    if ours / theirs <= bound:
        break
print(f"{ours * 1000:.1f} ms / {theirs * 1000:.1f} ms = {ours / theirs:.3f} in {len(pairs)} tries")
sys.exit(ours / theirs > bound)
END

# Each make looks at what others have left there, which is none of its own cost.
XDG_RUNTIME_DIR=$scratch/runtime
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"

# A user's Python keeps the compiled form of our modules as it does of nox's.
unset PYTHONDONTWRITEBYTECODE
project noop
run nox -s lint
mk lint
check 'make lint works' exits 0
# 5 ms more was the bound to keep, of about 90; the helper makes nox's start cheaper than that.
run "$python3" "$scratch/cost.py" 40 "$MAKE -I $STAGE/include lint" 'nox -s lint' 1.05
check 'make lint costs no more than nox -s lint' exits 0
sed 's/^/# /' "$out"

# calls FILE: how many strace has seen, whatever the machine does meanwhile: a call that another
# process came between has two lines, and how often the helper wakes and its sampler looks is a
# matter of how long the session takes.
calls() {
	grep -vcE -e '<\.\.\. .* resumed>' -e '[<"]/proc/[0-9]+/' -e ' read\([0-9]+<(anon_inode|pipe|socket)' \
		-e ' (poll|recvfrom|clock_gettime|faccessat2|pread64|getppid|waitid|wait4|rt_sigpending)\(' "$1"
}

strace -f -y -qq -o "$scratch/ours" "$MAKE" -I "$STAGE/include" lint >"$out" 2>"$err" </dev/null
strace -f -y -qq -o "$scratch/theirs" nox -s lint >"$out" 2>"$err" </dev/null
calls=$(($(calls "$scratch/ours") - $(calls "$scratch/theirs")))
echo "# $calls system calls more than nox -s lint"
check 'a session takes at most 2,600 system calls more than with nox -s, make'"'"'s own among them' \
	test "$calls" -gt 0 -a "$calls" -le 2600

run sh -c "NOOP_N=1000 '$MAKE' -I '$STAGE/include' -n ci"
check '1,000 sessions make a plan' has "$out" 'would run 1001 sessions'
run env NOOP_N=1000 "$python3" "$scratch/cost.py" 5 "$MAKE -I $STAGE/include -q nox-list || :" \
	'nox -l' 0.5
check 'make reads a plan of 1,000 sessions in a fraction of what nox needs to list them' \
	exits 0
sed 's/^/# /' "$out"
finish
