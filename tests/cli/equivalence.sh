#!/bin/sh
# noxmk audit --equivalence: what depends on the order of sessions, or on their company. A shell
# script stands in for nox, and another one around make tells sessions whether others run beside.

# shellcheck disable=SC2016,SC2317 # what sessions do; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

noxmk=$STAGE/bin/noxmk
TMPDIR=$scratch/temporary
export TMPDIR
mkdir "$TMPDIR"

fresh project
: >noxfile.py
cat >nox <<'END'
#!/bin/sh
if [ -n "${NOXMK_PROBE_OUT-}" ]; then
	exec cp facts.json "$NOXMK_PROBE_OUT"
fi
name=${3#--sessions=} report=$5
for last; do :; done
echo "$last" >>"$WORDS"
until_there() {
	tries=0
	until [ -e "$1" ] || [ "$((tries += 1))" -gt 15000 ]; do
		sleep 0.02
	done
}
if (. "./do.$name"); then
	result=success
else
	result=failed
fi
echo "{\"sessions\": [{\"name\": \"$name\", \"result\": \"$result\", \"reason\": \"\", \"duration\": 0.01}], \"notify\": []}" >"$report"
[ "$result" = success ]
END
WORDS=$scratch/words.all
export WORDS
real_make=$MAKE
cat >make.sh <<END
#!/bin/sh
case " \$* " in *' -j1 '*) ;; *) BESIDE=1; export BESIDE ;; esac
exec "$real_make" "\$@"
END
chmod +x nox make.sh
NOX=./nox MAKE=$PWD/make.sh
export NOX MAKE

echo '[ -e src.txt ]' >do.reads
echo 'echo one >out.txt; date +%s%N >stamp' >do.one
echo 'echo two >out.txt' >do.two
echo ': >made' >do.makes
echo '[ -e made ]' >do.needs
echo 'rm -f src.txt' >do.clean
# guest fails beside host, which is there until they have met; fickle fails in its first run, and in each
# fourth one after that: the two runs in the noxfile's order alone would not tell.
echo '[ -z "$BESIDE" ] || { : >here; until_there met; rm here met; }' >do.host
echo '[ -z "$BESIDE" ] || { until_there here; : >met; exit 1; }' >do.guest
echo "echo x >>'$scratch/fickle'; [ \"\$((\$(wc -l <'$scratch/fickle') % 4))\" != 1 ]" >do.fickle
echo ': >calm.txt' >do.calm
echo false >do.fails
echo ": >'$scratch/hangs'; until_there never" >do.hangs
echo text >src.txt
ln -s "$PWD/src.txt" absolute
mkdir -p env/bin .nox/lint
: >env/pyvenv.cfg
: >env/bin/tool
echo '[ -L absolute ] && echo more >>absolute && ! [ -e env ]' >do.follows

"$python3" - <<'END'
import json, os
plain = {"description": "", "python": None, "envdir": None, "requires_error": None, "parallel": None,
         "tags": [], "requires": [], "notifies": []}
names = ["reads", "one", "two", "makes", "needs", "clean", "host", "guest", "fickle", "calm", "hangs",
         "follows", "appends", "fails"]
json.dump({"schema": 1, "nox": "0", "python": None, "path": [], "args": [],
           "noxfile": os.path.abspath("noxfile.py"), "queue": [0, 3, 4, 5], "config": {},
           "sessions": [plain | {"index": i, "name": name, "session": name, "signatures": [name]}
                        for i, name in enumerate(names)]}, open("facts.json", "w"))
END

# tree: all that is in the project, but for noxmk's own.
tree() {
	find . -path ./.nox/.noxmk -prune -o -print | sort
	find . -path ./.nox/.noxmk -prune -o -type f -exec cksum {} +
}

# equivalence [WORD...]
equivalence() {
	run "$noxmk" audit --equivalence "$@"
}

no_copies() {
	[ -z "$(ls "$TMPDIR")" ]
}

tree >"$scratch/before"
# A word for make is no target, and is there in all runs.
equivalence ARGS=some
sort -u "$WORDS" >"$scratch/words"
check 'what depends on the order: exits with 1' exits 1
check 'the project is as it was' same "$(tree)" "$(cat "$scratch/before")"
check 'the copies are gone' no_copies
check 'the logs are there' has "$state/equivalence/opposite/reads.log" '[exited with status 1.]'
check 'what make was told is for all runs' same "$(cat "$scratch/words")" some
check 'no run of the project' absent "$state/runs"
check 'it says first what will run' matches "$out" '^noxmk: would run 4 sessions'
check 'and where' has "$out" "copies of this folder at $TMPDIR/noxmk-"
check 'which sessions, and which of the others' same \
	"$(sed -n '/^order /,$p' "$out" | grep -v -e '^  clean writes' -e '^  makes writes')" "order     reads
  passed in the noxfile's order; failed in the opposite order
  so it is after clean
  its log: $state/equivalence/opposite/reads.log

order     needs
  passed in the noxfile's order; failed in the opposite order
  it needs makes before it
  its log: $state/equivalence/opposite/needs.log

noxmk audit: 2 depend on the order, 0 on company, in 6 runs of 4 sessions"
if grep -q '^  clean writes' "$out"; then
	check 'and the hazards between them' same "$(grep -e '^  clean writes' -e '^  makes writes' "$out")" \
		'  clean writes src.txt, reads asks for it
  makes writes made, needs asks for it'
else
	skip 'and the hazards between them' 'this kernel does not tell of system calls'
fi

check 'the log of a failure in another order is not shown, too' lacks "$out" '--- reads failed'
check 'the runs are counted' matches "$out" '^noxmk audit: run 1 of 5: in the noxfile.s order$'
check 'and how long they take is known after the first' matches "$out" \
	'^noxmk audit: run 5 of 5, about [0-9.ms]+ left: in the noxfile.s order again$'
check 'what was proven is learned' same "$(tr -d ' ' <"$state/hazards.json" |
	sed -E 's/(null|"[a-z.]+"),"failed"/WHAT,"failed"/g')" \
	'{"schema":1,"pairs":[["reads","clean",WHAT,"failed"],["makes","needs",WHAT,"failed"]]}'

equivalence --json one two guest host fickle
check '--json: exits with 1' exits 1
check '--json' "$python3" -c 'import json, sys
told = json.load(open(sys.argv[1]))
found = {d["session"] or d["paths"][0]: d for d in told["dependences"]}
assert sorted(found) == ["guest", "out.txt"], told
assert found["guest"]["on"] == "company" and found["guest"]["how"] == "beside", told
assert "host" in found["guest"]["others"] and found["guest"]["there"] == "failed", told
assert found["out.txt"]["on"] == "order" and found["out.txt"]["others"] == ["one", "two"], told
assert told["unrepeatable"] == {"sessions": ["fickle"], "paths": ["stamp"]}, told
assert [r["run"] for r in told["runs"]][1:4] == ["in the opposite order", "shuffled",
    "at the same time"], told
assert told["runs"][1]["order"] == ["fickle", "guest", "host", "two", "one"], told
' "$out"

equivalence calm two makes
check 'nothing depends on anything: exits with 0' exits 0
check 'and it claims no more than it has seen' has "$out" \
	'noxmk audit: nothing was seen to depend on order or company, in 5 runs of 3 sessions'
equivalence follows calm
check 'a link into the project leads into the copy, which has no environment' exits 0
check 'and its file is as it was' same "$(cat src.txt)" text
equivalence calm fails
check 'one that fails in each run: exits with 0' exits 0
check 'what it would do after that is not seen' has "$out" \
	'note: what comes after a failure was not seen: fails'
check 'its log is shown once' same "$(grep -c '^--- fails failed' "$out")" 1
equivalence calm
check 'one session: nothing to compare' has "$out" 'one session alone has no other order'
check 'one session: exits with 0' exits 0
cp do.clean ../do.clean
echo ": >'$PWD/$state/equivalence/opposite'" >>do.clean
equivalence reads clean
cat ../do.clean >do.clean
check 'logs that cannot be kept: it goes on' exits 1
check 'and says so once, with the place' same "$(grep 'logs' "$err")" \
	"noxmk: audit: not all logs of this run are in $state/equivalence/opposite: File exists"
check 'and names no log that is not there' lacks "$out" 'its log:'
run env TMPDIR="$scratch/nowhere" "$noxmk" audit --equivalence calm two
check 'no folder for copies: what helps' same "$(cat "$err")" \
	"noxmk: audit: no copy of the project can be made in $scratch/nowhere; TMPDIR names a folder for it: No such file or directory"
equivalence nosuch
check 'a wrong target' exits 1
NOXMK_SHARD=1/2 equivalence calm two
check 'a machine that has a part of the sessions runs all' has "$out" 'runs of 2 sessions'
equivalence --check
check 'with another option' exits 2
printf 'NOXMK_STATE := %s\ninclude nox.mk\n' "$scratch/elsewhere" >GNUmakefile
equivalence calm two
check 'the makefile has a state folder: exits with 0' exits 0
check 'and no copy uses that' absent "$scratch/elsewhere"
rm GNUmakefile

# A state folder that is not below the project by its path, or not really: no copy has it, and by no
# other path is it removed.
mkdir "$scratch/precious" "$TMPDIR/precious" "$scratch/disk"
: >"$TMPDIR/precious/file"
NOXMK_STATE=../precious equivalence calm two
check 'the state folder is above the project: exits with 0' exits 0
check 'and what has its place above the copy stays' [ -e "$TMPDIR/precious/file" ]
rm -r "$TMPDIR/precious"
ln -s "$scratch/disk" disk
NOXMK_STATE=disk/noxmk "$noxmk" plan
: >"$scratch/disk/noxmk/file"
NOXMK_STATE=disk/noxmk equivalence calm two
check 'the state folder is behind a link: exits with 0' exits 0
check 'and keeps all that is in it' [ -e "$scratch/disk/noxmk/file" ]
rm disk

# Links lead into the copy by whatever name they call the project; folders may be read-only.
ln -s "$PWD" "$scratch/alias"
ln -s "$scratch/alias/src.txt" by-alias
mkdir closed
: >closed/file
chmod 555 closed
echo 'echo changed >>by-alias' >do.appends
equivalence appends calm
check 'a link by another name of the project: exits with 0' exits 0
check 'and what it leads to is as it was' same "$(cat src.txt)" text
rm by-alias
if [ "$(id -u)" = 0 ]; then
	own=$(stat -c %u .) TMPDIR=$scratch/of-nobody
	mkdir "$TMPDIR"
	chown -R 65534 . "$TMPDIR"
	chmod 711 "$scratch"
	run setpriv --reuid=65534 --clear-groups "$noxmk" audit --equivalence calm two
	chown -R "$own" .
	check 'a user without rights to a folder: exits with 0' exits 0
	check 'and no copy is left' same "$(ls -A "$TMPDIR")" ''
	TMPDIR=$scratch/temporary
fi
chmod 755 closed
rm -r closed do.appends

# Whoever ends it ends its make, and the copies go.
"$noxmk" audit --equivalence hangs calm >"$out" 2>"$err" </dev/null &
audit=$!
check 'a session is at work' wait_for [ -e "$scratch/hangs" ]
kill -TERM "$audit"
wait "$audit"
status=$?
check 'a signal ends it' exits 143
check 'and nothing is left' no_copies
for option in --all --no-rule=same --baseline=other --check; do
	run "$noxmk" audit --equivalence $option
	check "$option does not go with it" same "$status $(grep -c 'only --json goes' "$err")" '2 1'
done
check 'after all that the project is as it was' same "$(tree)" "$(cat "$scratch/before")"

finish
