#!/bin/sh
# The workflow that `noxmk init --shards` writes really runs: its jobs, with their artifacts and the
# cache, are carried out by workflow.py, a small model of a forge's runner.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$STAGE/bin:$PATH
export GIT_CONFIG_GLOBAL=/dev/null

fresh repository
"$python3" - "$TOP/tests" "$PWD" "$STAGE" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import standin
standin.of_names(*sys.argv[2:], ["lint", "docs", "test-a", "test-b", "types", "audit"],
                 {"docs": {"needs": ["lint"]}})
END
rm GNUmakefile
export NOX=./nox
run noxmk init --ci github --shards 3
check 'init writes it' same "$status $(ls .github/workflows)" '0 noxmk.yml'
git init -q .
git add -A
git -c user.name=a -c user.email=a@localhost commit -qm all

# carried_out FOLDER: the workflow, on machines that are there for that only.
workflow=.github/workflows/noxmk.yml
carried_out() {
	run "$python3" "$TOP/tests/cli/workflow.py" "$workflow" . "$scratch/$1"
}
jobs() {
	grep -E '^[a-z0-9/ ]*: (success|failure)$' "$out" | tr '\n' ' '
}

carried_out first
check 'all is well' same "$status $(jobs)" \
	'0 plan: success shard 1/3: success shard 2/3: success shard 3/3: success merge: success '
check 'one run of it all' matches "$out" '^noxmk: 6 sessions: 6 passed; '
check 'its history is kept' same "$(grep -o '"[a-z-]*":\[' "$scratch/first/cache/history.json" | wc -l)" 6
check 'no archive has what the environment has' not sh -c \
	"for a in '$scratch'/first/artifacts/*/*.tar.gz; do tar -tzf \"\$a\"; done | grep -q plan.jsonl"

# The next one divides by what the first one has learned.
mkdir "$scratch/second"
cp -R "$scratch/first/cache" "$scratch/second"
export LOSE='shard 2/3'
carried_out second
unset LOSE
check 'a machine that is lost fails the merge' same "$status $(jobs)" \
	'1 plan: success shard 1/3: success shard 2/3: success shard 3/3: success merge: failure '
check 'by name' has "$err" 'noxmk: shard 2/3 is missing'
check 'what it was to run has not run' matches "$out" 'not run .*its machine is missing'

sed -i '/^echo/i [ "$name" != types ] || exit 1' nox
git -c user.name=a -c user.email=a@localhost commit -qam 'types fails'
carried_out third
check 'a session that fails, fails its shard and the merge, and no other' same \
	"$status $(jobs | grep -o 'shard [^ ]* success' | wc -l) $(jobs | grep -o 'merge: .*')" '1 2 merge: failure '
check 'it is named' has "$err" 'noxmk: types: failed'
check 'what has passed is kept all the same' [ -s "$scratch/third/cache/history.json" ]

# The other forges.

sed -i '/!= types /d' nox
for forge in forgejo gitlab; do
	case $forge in
	forgejo) workflow=.forgejo/workflows/noxmk.yml ;;
	gitlab) workflow=.gitlab-ci.yml ;;
	esac
	run noxmk init --ci "$forge" --shards 3
	git add -A
	git -c user.name=a -c user.email=a@localhost commit -qm "$forge"
	carried_out "$forge"
	check "$forge: all is well" same "$status $(jobs)" \
		'0 plan: success shard 1/3: success shard 2/3: success shard 3/3: success merge: success '
	check "$forge: one run of it all" matches "$out" '^noxmk: 6 sessions: 6 passed; '
	mkdir "$scratch/$forge-lost"
	cp -R "$scratch/$forge/cache" "$scratch/$forge-lost"
	export LOSE='shard 2/3'
	carried_out "$forge-lost"
	unset LOSE
	check "$forge: a machine that is lost fails the merge" same "$status $(jobs | grep -o 'merge: .*')" \
		'1 merge: failure '
	check "$forge: by name" matches "$err" '^noxmk: (shard 2/3 is missing|missing: .* \(shard 2/3\))$'
done

finish
