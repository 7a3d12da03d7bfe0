#!/bin/sh
# README.md and noxmk(1) are true: their examples run, and they name exactly the knobs, subcommands,
# fields and exit codes that there are.

# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2317 # check calls them
. "$(dirname "$0")/lib.sh"

readme=$TOP/README.md
page=$TOP/src/noxmk.1

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

# blocks LANGUAGE: the fenced blocks of README.md in it.
blocks() {
	awk -v start="\`\`\`$1" '
		/^```/ { if (inside) print ""; inside = $0 == start; next }
		inside' "$readme"
}

# The commands of the fenced blocks, without their remarks, and those in the first column of tables.
readme_commands() {
	blocks sh | sed -e 's/  *# .*//' -e '/^$/d'
	# shellcheck disable=SC2016 # not for the shell
	sed -n 's/^| `\(make [^`]*\|noxmk [^`]*\)` |.*/\1/p' "$readme"
}

page_commands() {
	sed -n -e '/^\.Sh EXAMPLES/,/^\.Sh ASSUMPTIONS/ { s/\\(dq/"/g; s/^\.Dl //p; }' "$page"
}

# tree: into a copy of this tree, with what is built.
tree() {
	fresh tree
	(cd "$TOP" && tar --exclude=.git --exclude=./build --exclude=.nox --exclude=.noxmk \
		--exclude='.coverage*' --exclude=node_modules -cf - .) | tar -xf -
	mkdir build
	for part in obj bin share tests flags flags.mk; do
		[ ! -e "$B/$part" ] || cp -a "$B/$part" build/
	done
}

# example COMMAND: where it belongs, and without what costs minutes or needs the network.
example() {
	case $1 in
	*'make check'* | *check-* | *analyze | *coverage)
		cd "$scratch/tree" || exit 1
		MAKEFLAGS=n run sh -c "$1"
		;;
	'make install '* | 'make install')
		cd "$scratch/tree" || exit 1
		DESTDIR=$scratch/root run sh -c "$1"
		[ -x "$scratch/root/usr/local/bin/noxmk" ] &&
			[ -f "$scratch/root/usr/local/include/nox.mk" ] &&
			[ -f "$scratch/root/usr/local/share/man/man1/noxmk.1" ] || status=1
		;;
	scripts/peers | *scripts/bench* | tests/run*)
		cd "$scratch/tree" || exit 1
		for word in $1; do
			case $word in
			*/*) [ -x "$word" ] && run sh -n "$word" || status=1 ;;
			esac
		done
		;;
	scripts/* | *' all' | *NOXMK_PROJECT=* | 'time '*)
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
readme_commands >"$scratch/readme"
page_commands >"$scratch/page"
check 'README has commands' [ "$(wc -l <"$scratch/readme")" -gt 15 ]
check 'the page has examples' [ "$(wc -l <"$scratch/page")" -gt 5 ]
while read -r command; do
	check "README: $command" example "$command"
done <"$scratch/readme"
grep -vxF -f "$scratch/readme" "$scratch/page" >"$scratch/more"
while read -r command; do
	check "noxmk(1): $command" example "$command"
done <"$scratch/more"

# What some of them promise.
cd "$scratch/sample" || exit 1
check 'the makefile of a project is one line' same "$(cat GNUmakefile)" 'include nox.mk'
run make -n ci
check 'make -n shows the plan' has "$out" 'would run 8 sessions'
run make unit_tests ARGS='-k "a b"'
check 'ARGS are split and unquoted as by the shell' \
	has .noxmk/latest/unit_tests-json.log "-- -k 'a b'"
ARGS=nonsense run make unit_tests
check 'ARGS in the environment are not ours' lacks .noxmk/latest/unit_tests-json.log nonsense

project sample
blocks make >GNUmakefile
run make -n
check 'README: the makefile: plain make is make ci' has "$out" 'would run 9 sessions'
mkdir -p build/junk
run make clean
check 'README: the makefile: its own rule works' absent build
run make nox-list
check 'README: the makefile: the targets are listed' has "$out" install_check

# Subcommands and their options

if command -v mandoc >/dev/null; then
	run mandoc -Tlint -W warning "$page"
	check 'the page is sound' exits 0
	# `NAME OPTION...`, a line a subcommand; help wraps nothing, the page does at blanks.
	options() {
		sed -n 's/^ *\(noxmk *\[-C [a-zA-Z]*\]\)\{0,1\} *\([a-z][a-z]*\) *\(.*\)/\2 \3/p' | while read -r name rest; do
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
	skip 'the page is sound' 'no mandoc here'
fi
noxmk help | sed -n 's/^  \([a-z][a-z]*\).*/\1/p' | sort >"$scratch/commands"
sed -n '/^\.Ss Subcommands/,/^\.Ss Verdicts/p' "$page" |
	sed -n -e 's/^\.It Cm \([a-z]*\).*/\1/p' -e '/^\.It Xo/{n;s/^\.Cm //p;}' | sort >"$scratch/documented"
check 'every subcommand is explained, and no other' same "$(cat "$scratch/documented")" \
	"$(cat "$scratch/commands")"

# Knobs

sed -n 's/^\(NOX[A-Z_]*\) ?=.*/\1/p' "$TOP/mk/nox.mk" | grep -vx NOXMK_RUN | sort >"$scratch/knobs"
# shellcheck disable=SC2016 # not for the shell
sed -n '/^## Knobs/,/^## Where/ s/^| `\([A-Z_]*\)` |.*/\1/p' "$readme" | sort >"$scratch/in-readme"
check 'README has every knob of nox.mk, and no other' same "$(cat "$scratch/in-readme")" \
	"$( (cat "$scratch/knobs"; printf '%s\n' ARGS FAIL_FAST MAX_FAIL) | sort)"
for knob in NOX NOXMK_NOXFILE NOXMK_OUTPUT NOXMK_KEEP NOXMK; do
	check "README: the default of $knob" has "$readme" \
		"| \`$knob\` | \`$(sed -n "s/^$knob ?= //p" "$TOP/mk/nox.mk")\` |"
done

# The words behind .Ev and .Va in the page.
sed -n 's/^\(\.It \)\{0,1\}\.\{0,1\}\(Ev\|Va\) \(.*\)/\3/p' "$page" | tr -s ' ,' '\n' |
	grep -E '^[A-Z_]+$' | sort -u >"$scratch/in-page"
{
	cat "$scratch/knobs"
	printf '%s\n' ARGS FAIL_FAST MAX_FAIL
	cat "$TOP"/src/*.c "$TOP"/src/*/*.c | grep -o 'getenv("[A-Z_]*")' | cut -d '"' -f 2
	# What nox.mk watches, what env.c takes out, what toolenv.c sets, and what filter.c knows a CI by.
	sed -n '/^filter_is_ci/,/^}/p' "$TOP/src/output/filter.c" | grep -oE '"[A-Z_]+"' | tr -d '"'
	sed -n '/^static const struct/,/^};/p' "$TOP/src/slots/toolenv.c" | grep -oE '"[A-Z_]+"' | tr -d '"'
	sed -n '/^_noxmk_watched :=/,/[^\\]$/p' "$TOP/mk/nox.mk" | grep -oE '\<(NOX|PYTHON)[A-Z_]*'
	sed -n '/^static const char \*const of_/,/};/p' "$TOP/src/nox/env.c" | grep -oE '"[A-Z_]+"' | tr -d '"'
} | sort -u >"$scratch/variables"
check 'the page has every variable that is read or taken out' same \
	"$(comm -13 "$scratch/in-page" "$scratch/variables")" ''
for name in $(comm -23 "$scratch/in-page" "$scratch/variables"); do
	case $name in
	PATH) ;;
	*) check "the page has no variable that nobody knows: $name" false ;;
	esac
done

# Records

# fields FILE: the keys of a record or a run, sorted, on one line.
fields() {
	"$python3" -c 'import json, sys; print(*sorted(json.load(open(sys.argv[1]))))' "$1"
}

# items FROM TO: the names in a list of the page.
items() {
	sed -n "/^\.It Pa .*$1/,/^\.It Pa .*$2/p" "$page" | sed -n 's/^\.\(It \)\{0,1\}Li \([a-z ,]*\).*/\2/p' |
		tr -d ',' | tr ' ' '\n' | sed '/^$/d' | sort -u
}

project sample
run make lint
check 'the page has the fields of a record' same \
	"$(items 'TARGET\.json' 'run\.json' | grep -vx -e posargs | tr '\n' ' ')" \
	"$(fields .noxmk/latest/lint.json) "
check 'the page has the fields of a run' same "$(items 'run\.json' 'TARGET\.report' | tr '\n' ' ')" \
	"$(fields .noxmk/latest/.run.json) "
for path in .noxmk/.gitignore .noxmk/sessions.mk .noxmk/plan.jsonl .noxmk/latest; do
	check "there is $path" [ -e "$path" ]
	check "the page has $path" has "$page" ".It Pa $path"
done

# Exit codes and verdicts

# code N OF: README has a line for it, and so ended the last command.
code() {
	exits "$1" && has "$readme" "| $1 | $2 |"
}

project verdicts
run make pass
check 'exit code: make, all well' code 0 make
run make -q pass
check 'exit code: make -q' code 1 make
for target in fail error; do
	run make "$target"
	check "exit code: make, a session that is $(verdict "$target")" code 2 make
done
run make skip
check 'exit code: make, a session that is skipped' code 0 make
run noxmk verdict skip
check 'exit code: noxmk' code 0 noxmk
run make fail
run noxmk verdict fail
check 'exit code: noxmk verdict' code 1 noxmk
run noxmk log nonsense
check 'exit code: noxmk log' code 1 noxmk
run noxmk show nonsense
check 'exit code: noxmk show' code 1 noxmk
run noxmk nonsense
check 'exit code: noxmk, usage' code 2 noxmk
rm -rf .noxmk
run noxmk list
check 'exit code: noxmk without a plan' code 125 noxmk

project broken
run make ci
check 'exit code: make, a noxfile that does not load' code 2 make
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
check 'exit code: make, interrupted' code 130 make
check 'a session that is interrupted is cancelled' same "$(verdict wait)" cancelled
run noxmk end
check 'the summary comes by noxmk end' has "$out" '1 cancelled'

for word in $(sed -n '/verdict_names\[VERDICTS\]/,/};/p' "$TOP/src/state/record.c" | grep -o '"[a-z ]*"' |
	tr ' ' '_' | tr -d '"'); do
	word=$(echo "$word" | tr _ ' ')
	check "README explains the verdict: $word" has "$readme" "| $word |"
	check "the page explains the verdict: $word" has "$page" ".It $word Ta"
done

finish
