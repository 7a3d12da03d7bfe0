#!/bin/sh
# The live board on a terminal: what it shows, that it is there only where it can be, and that nothing
# of it is left and nothing of others is lost, whatever happens.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

peer pyte python
[ -n "$peer" ] || finish
emulator=$peer
peer make-4.4.1 make
newer=$peer

# Of its own, so that board.py finds the run; and a terminal that can.
XDG_RUNTIME_DIR=$scratch/runtime
TERM=xterm
export XDG_RUNTIME_DIR TERM
mkdir -m 700 "$XDG_RUNTIME_DIR"

# watch COLUMNS SCENARIO MAKE-ARGUMENT...: see board.py.
watch() {
	rm -f go
	columns=$1
	scenario=$2
	shift 2
	last="$scenario in $columns columns: $make $*"
	MAKE=$make "$emulator" "$TOP/tests/cli/board.py" "$columns" "$scenario" -- \
		"$make" -I "$STAGE/include" "$@" >"$out" 2>"$err"
	status=$?
}

# golden TEXT: the board is to be that, whatever the order of its lines and the times.
golden() {
	echo "$1" >golden
}

noxfile <<'END'
def wait(session):
    print(session.name, "is at work, 日本語", flush=True)
    end = time.monotonic() + 300
    while not os.path.exists("go") and time.monotonic() < end:
        time.sleep(0.02)  # until the test says so

for name in ("one", "two"):
    nox.session(python=False, name=name)(wait)

@nox.session(python=False)
def quick(session): ...

@nox.session(python=False)
def fails(session):
    session.error("on purpose")
END
printf '[tool.noxmk.session]\nquick.after = ["one", "two"]\n' >pyproject.toml
echo '{"schema":1,"sessions":{"one":[100],"two":[100],"quick":[20],"fails":[5]}}' >known.json

# With the newer make only what depends on how make starts its recipes, further below.
for make in $MAKE; do
	topic="make $("$make" --version | sed 's/.* //; q'): "
	rm -rf .nox
	golden 'noxmk: 1 of 4 done, 1 aborted, 2 run, 1 wait; Ns
 one Ns one is at work, 日本語
 two Ns two is at work, 日本語
waiting: 1 for other sessions'
	watch 100 golden -j3
	check '100 columns' exits 0
	golden 'noxmk: 1 of 4 done, 1 aborted, 2 run
 one Ns of Ns one is a… 日本語
 two Ns of Ns two is a… 日本語
waiting: 1 for other sessions'
	rm -rf .nox
	NOXMK_HISTORY=$PWD/known.json watch 40 golden -j8
	check '40 columns' exits 0
	golden 'noxmk: 0 of 2 done, 1 run, 1 wait; Ns, about Ns left
 one Ns of Ns one is at work, 日本語
waiting: 1 for a job slot'
	rm -rf .nox
	NOXMK_HISTORY=$PWD/known.json watch 100 golden -j1 one two
	check 'one after the other' exits 0
	rm -rf .nox
	NOXMK_JOBS=1 watch 100 waits -j one two
	check 'one waits for the slot of the other' exits 0
	watch 100 fails -j3
	check 'how one fails is above it, once' exits 0
	watch 100 resized -j3
	check 'another size' exits 0
	watch 100 stopped -j3
	check '^Z, bg and fg' exits 0
	watch 100 interrupted -j3
	check '^C' exits 0
	watch 100 dies -j3
	check 'make is killed' exits 0

	# Where there is none.
	TERM=dumb watch 100 none -j3
	check 'TERM=dumb: none' exits 0
	watch 100 none one
	check 'one session alone: none' exits 0
	NOXMK_OUTPUT=failed watch 100 none -j3
	check 'NOXMK_OUTPUT=failed: none' exits 0
	golden 'noxmk: 0 of 1 done, 1 run; Ns
 one Ns one is at work, 日本語'
	rm -rf .nox
	NOXMK_OUTPUT=board watch 100 golden one
	check 'NOXMK_OUTPUT=board: also of one session alone' exits 0
	CI=true watch 100 none -j3
	check 'a CI: none' exits 0
	watch 19 none -j3
	check 'too narrow: none' exits 0
done

# What others print

noxfile <<'END'
def wait(session):
    end = time.monotonic() + 300
    while not os.path.exists("go") and time.monotonic() < end:
        time.sleep(0.02)  # until the test says so

nox.session(python=False, name="one")(wait)

for number in range(1, 7):
    @nox.session(python=False, name=f"s{number}")
    def short(session):
        time.sleep(0.7)  # there is a board meanwhile
END
cat >GNUmakefile <<'END'
include nox.mk
numbers := 1 2 3 4 5 6
$(foreach n,$(numbers),$(eval s$n: p$n))
p2: s1
p3: s2
p4: s3
p5: s4
p6: s5
$(numbers:%=p%):
	@seq 30 | sed 's/^/$@ says /' >$@.text; cat $@.text
	@if [ $@ = p2 ]; then printf 'what? '; sleep 1; echo an answer; fi
.PHONY: $(numbers:%=p%)
END
for make in "$MAKE" $newer; do
	topic="make $("$make" --version | sed 's/.* //; q'): "
	for columns in 100 40; do
		rm -rf .nox
		watch $columns foreign -j2
		check "$columns columns: what others print is all there" exits 0
	done
done

# Many times the one who draws is killed.

noxfile <<'END'
def wait(session):
    end = time.monotonic() + 300
    while not os.path.exists("go") and time.monotonic() < end:
        time.sleep(0.02)  # until the test says so

for number in range(60):
    nox.session(python=False, name=f"s{number}")(wait)
END
export KILLS=50
for make in "$MAKE" $newer; do
	topic="make $("$make" --version | sed 's/.* //; q'): "
	watch 80 kills -j4
	check 'the one who draws is killed 50 times' exits 0
done

finish
