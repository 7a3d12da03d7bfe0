#!/bin/sh
# README.md, those of the tests, noxmk(1) and nox.mk(5) are true: their examples run, and they name
# exactly the knobs, keys, subcommands, fields, verdicts and exit codes that there are.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317 # check calls them
. "$(dirname "$0")/lib.sh"

readme=$TOP/README.md
page=$TOP/src/noxmk.1
fragment_page=$TOP/mk/nox.mk.5

# A user's machine: noxmk is installed, make finds nox.mk, and the sample's tools are quick. (They are
# real in main.sh.)

mkdir "$scratch/bin"
PATH=$scratch/bin:$STAGE/bin:$PATH
export PATH

# program NAME: from stdin.
program() {
	{
		echo '#!/bin/sh'
		cat
	} >"$scratch/bin/$1"
	chmod +x "$scratch/bin/$1"
}

echo "exec '$(command -v "$MAKE")' -I '$STAGE/include' \"\$@\"" | program make
echo "exec '$python3' \"\$@\"" | program python3
echo 'echo installed' | program dpkg-query
for tool in flake8 mypy bandit pytest-3; do
	echo : | program $tool
done
# shellcheck disable=SC2016 # for the program
echo '[ "$1" != run ] || : >"$COVERAGE_FILE"' | program python3-coverage

# The examples

# blocks LANGUAGE FILE: the fenced blocks in it of such a file.
blocks() {
	awk -v start="\`\`\`$1" '
		/^```/ { if (inside) print ""; inside = $0 == start; next }
		inside' "$2"
}

# readme_commands FILE: the commands of the fenced blocks, without their remarks.
readme_commands() {
	blocks sh "$1" | sed -e 's/  *# .*//' -e '/^$/d'
}

# section NAME FILE: that section of a page.
section() {
	awk -v name="$1" '/^\.Sh / { inside = $0 == ".Sh " name } inside' "$2"
}

# page_commands FILE: the commands under EXAMPLES.
page_commands() {
	section EXAMPLES "$1" | sed -n -e 's/\\(dq/"/g' -e 's/^\.Dl //p'
}

# tree: into a copy of this tree, with what is built.
tree() {
	fresh tree
	(cd "$TOP" && tar --exclude=.git --exclude=./build --exclude=.nox --exclude=.noxmk \
		--exclude='.coverage*' --exclude=node_modules -cf - .) | tar -xf -
	mkdir build
	for part in obj bin share stage tests flags flags.mk; do
		[ ! -e "$B/$part" ] || cp -a "$B/$part" build/
	done
	ln -s "$TOP/build/peers" build/peers
}

# example COMMAND: where it belongs, and without what costs minutes or needs the network.
example() {
	case $1 in
	*'make check'* | *check-* | *analyze | *coverage)
		cd "$scratch/tree" || exit 1
		MAKEFLAGS=n run sh -c "$(echo "$1" | sed 's|^scripts/bootstrap|& --print|')"
		;;
	'make wheel' | 'pipx install '*) # see wheel.sh
		cd "$scratch/tree" || exit 1
		run sh -n -c "$1"
		[ -x tests/cli/wheel.sh ] || status=1
		;;
	'make install '* | 'make install')
		cd "$scratch/tree" || exit 1
		DESTDIR=$scratch/root run sh -c "$1"
		[ -x "$scratch/root/usr/local/bin/noxmk" ] &&
			[ -f "$scratch/root/usr/local/include/nox.mk" ] &&
			[ -f "$scratch/root/usr/local/share/man/man1/noxmk.1" ] &&
			[ -f "$scratch/root/usr/local/share/man/man5/nox.mk.5" ] || status=1
		;;
	*scripts/bench* | tests/run*)
		cd "$scratch/tree" || exit 1
		for word in $1; do
			case $word in
			*/*) [ -x "$word" ] && run sh -n "$word" || status=1 ;;
			esac
		done
		;;
	tests/faults/faults.py* | tests/properties/anything.py*)
		cd "$scratch/tree" || exit 1
		run "${1%% *}" --help
		for word in $1; do
			case $word in
			-*) has "$out" " $word" || status=1 ;;
			esac
		done
		: >"$out" # it says INTERNAL
		;;
	build/tests/check*)
		cd "$scratch/tree" || exit 1
		if [ -x build/tests/check ]; then
			run sh -c "$1"
		else
			status=0
		fi
		;;
	scripts/* | *' all' | 'make help' | *NOXMK_PROJECT=* | 'time '*)
		cd "$scratch/tree" || exit 1
		run sh -c "${1#time }"
		;;
	'noxmk bench')
		cd "$scratch/sample" || exit 1
		run noxmk bench -n 1 lint docs
		;;
	*)
		cd "$scratch/sample" || exit 1
		[ "$1" != 'noxmk log lint' ] || make -s lint >/dev/null 2>&1
		run sh -c "$1"
		;;
	esac
	exits 0 && calm
}

tree
project sample
rm GNUmakefile
# It takes as long as all the others.
sed -i '/^    "install_check",$/d' noxfile.py
# take DOCUMENT: its commands, from stdin, for the list below.
take() {
	cat >"$scratch/of-document"
	check "$1 has examples" [ "$(wc -l <"$scratch/of-document")" -gt 2 ]
	sed "s|^|$1: |" "$scratch/of-document" >>"$scratch/examples"
}

# Each command once, for the document that has it first. In README a table has commands, too.
for document in README.md tests/README.md tests/bench/README.md tests/faults/README.md; do
	readme_commands "$TOP/$document" >"$scratch/commands"
	take "$document" <"$scratch/commands"
done
# shellcheck disable=SC2016 # not for the shell
sed -n 's/^| `\(make [^`]*\|noxmk [^`]*\)` |.*/\1/p' "$readme" >"$scratch/commands"
check 'README has five commands' [ "$(wc -l <"$scratch/commands")" -eq 5 ]
take README.md <"$scratch/commands"
for document in "$page" "$fragment_page"; do
	page_commands "$document" >"$scratch/commands"
	take "${document##*/}" <"$scratch/commands"
done
awk '{ command = substr($0, index($0, ": ") + 2) } !seen[command]++' "$scratch/examples" >"$scratch/once"
while read -r line; do
	check "$line" example "${line#*: }"
done <"$scratch/once"

# What some of them promise.
cd "$scratch/sample" || exit 1
check 'noxmk init has written the makefile' has GNUmakefile 'noxmk include'
run make -n ci
check 'make -n shows the plan' has "$out" 'would run 8 sessions'
run make unit_tests ARGS='-k "a b"'
check 'ARGS are split and unquoted as by the shell' \
	has "$state"/latest/unit_tests-json.log "-- -k 'a b'"
ARGS=nonsense run make unit_tests
check 'ARGS in the environment are not ours' lacks "$state"/latest/unit_tests-json.log nonsense

project sample
section EXAMPLES "$fragment_page" |
	sed -n '/^\.Bd/,/^\.Ed/ { /^\.[BE]d/d; s/^\\&//; p; }' >GNUmakefile
run make -n
check 'nox.mk(5): the makefile: plain make is make ci' has "$out" 'would run 9 sessions'
mkdir -p build/junk
run make clean
check 'nox.mk(5): the makefile: its own rule works' absent build
run make nox-list
check 'nox.mk(5): the makefile: the targets are listed' has "$out" install_check

# README itself

check 'README has at most 170 lines' [ "$(wc -l <"$readme")" -le 170 ]
for document in README.md tests/README.md tests/bench/README.md tests/faults/README.md; do
	for link in $(grep -oE '\]\([^)]*\)' "$TOP/$document" | tr -d '])(' | grep -v '^http'); do
		check "$document: there is $link" [ -e "$TOP/$(dirname "$document")/$link" ]
	done
done
if command -v mandoc >/dev/null; then
	run "$TOP/tests/promises.py"
	check 'what README and manual promise is held by tests' exits 0
else
	skip 'what README and manual promise is held by tests' 'no mandoc here'
fi
# shellcheck disable=SC2016 # not for the shell
numbers=$(sed -n '/^On two processors/ s/.* takes \([0-9.]* s\) with `make -j2 ci`, and \([0-9.]* s\) with `nox`.*/\2 \1/p
	' "$readme")
# shellcheck disable=SC2016 # not for the shell
check "README's numbers are those of the table" same "$numbers" "$(sed -n -e '/^## The sample/,/^## The order/ {
	s/^| `\(nox\|make -j2 ci\)` | \([0-9.]* s\) .*/\2/p
	}' "$TOP/tests/bench/README.md" | tr '\n' ' ' | sed 's/ $//')"
# The screen in README, and a real one, but for times and for the session that is left out here.
cd "$scratch/sample" || exit 1
sed -i '/^    "install_check",$/d' noxfile.py
echo 'include nox.mk' >GNUmakefile
run make -j2 ci
without_times() {
	sed -e 's/ *waited [0-9.]*s for processors$//' -e 's/[0-9][0-9.]*s/Ns/g' \
		-e 's/, about .* with plain nox.*$//' "$@"
}
without_times "$out" | sed 's/ 8 / 9 /; s/ 8 passed/ 9 passed/' >"$scratch/real"
blocks text "$readme" | without_times | grep -vxE '\$ .*|…|.* install_check|install_check .*' | sort -u |
	grep -vxF -f "$scratch/real" >"$scratch/made-up"
check 'README has a screen' [ "$(blocks text "$readme" | wc -l)" -gt 5 ]
check "README's screen is what a run prints" same "$(cat "$scratch/made-up")" ''

# Subcommands and their options

if command -v mandoc >/dev/null; then
	run mandoc -Tlint -W warning "$page" "$fragment_page"
	check 'the pages are sound' exits 0
	# `NAME OPTION...`, a line a subcommand; help wraps nothing, the page does at blanks.
	options() {
		sed -n 's/^ *\(noxmk *\[-C [a-zA-Z]*\] *\[-S [a-zA-Z]*\]\)\{0,1\} *\([a-z][a-z]*\) *\(.*\)/\2 \3/p' | while read -r name rest; do
			echo "$name" "$(echo "$rest" | grep -o '\[-[a-zA-Z]\|^-[a-zA-Z]\| -[a-zA-Z] ' |
				tr -d ' []' | sort | tr '\n' ' ')"
		done | sort
	}
	noxmk help | sed -n 's/^  \([a-z]\)/\1/p' | options >"$scratch/of-help"
	mandoc -Tascii -Owidth=200 "$page" | sed 's/.\x08//g' | awk '
		/^[A-Z]/ { inside = $1 == "SYNOPSIS"; next }
		inside && /\[-C folder\]|noxmk help/' | sed 's/noxmk help/help/' | options >"$scratch/of-page"
	check 'the synopsis is what noxmk help says' same "$(cat "$scratch/of-page")" \
		"$(cat "$scratch/of-help")"
else
	skip 'the pages are sound' 'no mandoc here'
fi
noxmk help | sed -n 's/^  \([a-z][a-z]*\).*/\1/p' | sort >"$scratch/commands"
sed -n '/^\.Ss Subcommands/,/^\.Sh ENVIRONMENT/p' "$page" |
	sed -n -e 's/^\.It Cm \([a-z]*\).*/\1/p' -e '/^\.It Xo/{n;s/^\.Cm //p;}' | sort >"$scratch/documented"
check 'every subcommand is explained, and no other' same "$(cat "$scratch/documented")" \
	"$(cat "$scratch/commands")"

# Knobs

sed -n 's/^\(NOX[A-Z_]*\) ?=.*/\1/p' "$TOP/mk/nox.mk" | grep -vx NOXMK_RUN | sort >"$scratch/knobs"
section KNOBS "$fragment_page" | sed -n 's/^\.It Va \([A-Z_]*\)$/\1/p' | sort >"$scratch/documented"
check 'nox.mk(5) has every knob of nox.mk, and no other' same "$(cat "$scratch/documented")" \
	"$( (cat "$scratch/knobs"; printf '%s\n' ARGS FAIL_FAST MAX_FAIL) | sort)"
while read -r knob; do
	value=$(sed -n "s/^$knob ?= *//p" "$TOP/mk/nox.mk")
	entry=$(section KNOBS "$fragment_page" | awk -v start=".It Va $knob" '
		/^\.It / { inside = $0 == start } inside' | tr '\n' ' ')
	case $value in
	'' | *'('*) value= ;;
	*) value=" .Ql $value ." ;;
	esac
	echo "$entry" >"$scratch/entry"
	check "nox.mk(5): the default of $knob" has "$scratch/entry" "Default:$value"
done <"$scratch/knobs"

# The words behind .Ev and .Va in the pages.
cat "$page" "$fragment_page" | sed -n 's/^\(\.It \)\{0,1\}\.\{0,1\}\(Ev\|Va\) \(.*\)/\3/p' |
	tr -s ' ,' '\n' | grep -E '^[A-Z_]+$' | sort -u >"$scratch/in-pages"
# What nox.mk has and watches; in the C code all words in capitals within quotes are variables, but
# for those of tools.
{
	cat "$scratch/knobs"
	printf '%s\n' ARGS FAIL_FAST MAX_FAIL
	sed -n '/^_noxmk.watched :=/,/[^\\]$/p' "$TOP/mk/nox.mk" | grep -oE '\<(NOX|PYTHON)[A-Z_]*'
	find "$TOP/src" -name '*.c' ! -path '*/report/grammar.c' ! -path '*/report/pytest.c' -exec cat {} + |
		sed 's|^ *\*.*||; s|/\*.*||' | grep -oE '"[A-Z][A-Z_]*[A-Z]"' | tr -d '"'
	sed -n 's/^VARIABLE = "\(.*\)"$/\1/p' "$TOP/src/nox/building.py"
	# Each has a twin.
	grep -oE "told\(.[A-Z_]+" "$TOP/src/nox/statuses.py" | sed 's/told(./GITHUB_/'
} | sort -u >"$scratch/variables"
check 'the pages have every variable that is read, set or taken out' same \
	"$(comm -13 "$scratch/in-pages" "$scratch/variables")" ''
for name in $(comm -23 "$scratch/in-pages" "$scratch/variables"); do
	case $name in
	KNOB) ;;
	*) check "the pages have no variable that nobody knows: $name" false ;;
	esac
done

# Keys of the configuration. noxmk names them all when it does not know one.

# keys TABLE: those that it has in the code, sorted, on one line.
keys() {
	printf '[%s]\nno-such-key = 1\n' "$1" >pyproject.toml
	run noxmk plan
	sed -n 's/.*unknown key; there are //p' "$err" | tr -d ',' | tr ' ' '\n' | sort | tr '\n' ' '
}

noxfile <<'END'
@nox.session(python=False)
def lint(session): ...
END
check 'nox.mk(5) has every key of [tool.noxmk], and no other' same "$(keys tool.noxmk)" \
	"$(section CONFIGURATION "$fragment_page" |
		sed -n -e 's/^\.It Li \([a-z-]*\) = .*/\1/p' -e 's/^\.It Li \[tool\.noxmk\.\([a-z]*\).*/\1/p' |
		sort | tr '\n' ' ')"
check 'nox.mk(5) has every key of a session, and no other' same "$(keys tool.noxmk.session.lint)" \
	"$(section CONFIGURATION "$fragment_page" | sed -n 's/^\.It Ic //p' | sort | tr '\n' ' ')"

# Records

# fields FILE: the keys of a record or a run, sorted, on one line.
fields() {
	"$python3" -c 'import json, sys; print(*sorted(json.load(open(sys.argv[1]))))' "$1"
}

# items FROM TO: the names in a list of the page.
items() {
	sed -n "/^\.It Pa .*$1/,/^\.It Pa .*$2/p" "$page" | sed -n 's/^\.\(It \)\{0,1\}Li \([a-z_ ,]*\).*/\2/p' |
		tr -d ',' | tr ' ' '\n' | sed '/^$/d' | sort -u
}

project sample
run make lint
check 'the page has the fields of a record' same \
	"$(items 'TARGET\.json' 'run\.json' | grep -vx -e posargs | tr '\n' ' ')" \
	"$(fields "$state"/latest/lint.json) "
check 'the page has the fields of a run' same "$(items 'run\.json' 'TARGET\.report' | tr '\n' ' ')" \
	"$(fields "$state"/latest/.run.json) "
for path in "$state"/.gitignore "$state"/sessions.mk "$state"/plan.jsonl "$state"/latest; do
	check "there is $path" [ -e "$path" ]
	check "the page has $path" has "$page" ".It Pa $path"
done

# Exit codes and verdicts

# code N PAGE: the page explains it, and so ended the last command.
code() {
	section 'EXIT STATUS' "$2" >"$scratch/codes"
	exits "$1" && has "$scratch/codes" ".It $1"
}

project verdicts
run make pass
check 'exit code: make, all well' code 0 "$fragment_page"
run make -q pass
check 'exit code: make -q' code 1 "$fragment_page"
for target in fail error; do
	run make "$target"
	check "exit code: make, a session that is $(verdict "$target")" code 2 "$fragment_page"
done
run make skip
check 'exit code: make, a session that is skipped' code 0 "$fragment_page"
run noxmk verdict skip
check 'exit code: noxmk' code 0 "$page"
run make fail
run noxmk verdict fail
check 'exit code: noxmk verdict' code 1 "$page"
run noxmk log nonsense
check 'exit code: noxmk log' code 1 "$page"
run noxmk show nonsense
check 'exit code: noxmk show' code 1 "$page"
run noxmk nonsense
check 'exit code: noxmk, usage' code 2 "$page"
mkdir "$scratch/empty"
run noxmk -C "$scratch/empty" list
check 'exit code: noxmk without a plan' code 125 "$page"

project broken
run make ci
# The message is: cut it: parts = N in [tool.noxmk.session.SESSION], see nox.mk(5).
check 'a session that is too long: as matrix says' same \
	"$(sed -n '/says so: cut it/{n;p;}' "$page")" '.Ic parts'
check 'exit code: make, a noxfile that does not load' code 2 "$fragment_page"
run noxmk plan
check 'exit code: noxmk plan hands on that of nox' exits 1

noxfile <<'END'
@nox.session(python=False)
def wait(session):
    session.run("sh", "-c", "touch waits; exec sleep 60")
END
env --default-signal=INT setsid make wait >"$out" 2>"$err" </dev/null &
make=$!
last='make wait, and ^C'
wait_for [ -e waits ]
kill -INT "-$make"
wait "$make"
status=$?
check 'exit code: make, interrupted' code 130 "$fragment_page"
check 'a session that is interrupted is cancelled' same "$(verdict wait)" cancelled
run noxmk end
check 'the summary comes by noxmk end' has "$out" '1 cancelled'

cat "$TOP"/src/*/*.c | sed -n '/verdict_names\[VERDICTS\]/,/};/p' | grep -o '"[a-z ]*"' | tr -d '"' |
	sort >"$scratch/verdict-names"
check 'nox.mk(5) explains every verdict, and no other' same "$(cat "$scratch/verdict-names")" \
	"$(sed -n '/^\.Ss Verdicts/,/^\.El/ s/^\.It \([a-z ]*\) Ta.*/\1/p' "$fragment_page" | sort)"
check 'noxmk(1) has every verdict of a record, and no other' same "$(cat "$scratch/verdict-names")" \
	"$(sed -n '/^\.It Li verdict/,/^\.It Li reason/ s/^\.Ql \(.*[a-z"]\)\( [,.]\)\{0,1\}$/\1/p' "$page" |
		tr -d '"' | sort)"

# src/README.md, the map of the code

map=$TOP/src/README.md
# shellcheck disable=SC2016 # Markdown's backquotes
{
	sed -n '/^## Folders/,/^## The way/ s/^| `\([a-z]*\)`.*/\1/p' "$map" | sort >"$scratch/folders"
	grep -oE '`[a-z]+/[a-z_]+(\.[ch])?`' "$map" | tr -d '`' | sort -u >"$scratch/modules"
}
check 'src/README.md has every folder of src, and no other' same \
	"$(cd "$TOP/src" && echo */ | tr -d / | tr ' ' '\n')" "$(cat "$scratch/folders")"
while read -r module; do
	grep -qx "${module%%/*}" "$scratch/folders" || continue
	case $module in
	*.[ch]) check "src/README.md: $module is there" [ -e "$TOP/src/$module" ] ;;
	*) check "src/README.md: $module is there" [ -e "$TOP/src/$module.h" ] ;;
	esac
done <"$scratch/modules"

# The unit tests

if [ -x "$B/tests/check" ]; then
	check 'every tests/check_*.c has its suites in the list' same \
		"$("$B/tests/check" --list | sort)" \
		"$(cd "$TOP/tests" && echo check_*.c | tr ' ' '\n' |
			sed -e 's/^check_//' -e 's/\.c$//' | grep -vx main | sort)"
	check 'each suite is in one part of them' same "$("$B/tests/check" --list | sort)" \
		"$(for part in 1/3 2/3 3/3; do "$B/tests/check" --list --part $part; done | sort)"
	run "$B/tests/check" --part 4/3
	check 'a part that is none: exit 2' exits 2
else
	skip 'every tests/check_*.c has its suites in the list' 'make check-unit builds them'
fi

finish
