#!/bin/sh
# Completion in real shells: what `noxmk <TAB>` offers in bash, zsh and fish, and what `make <TAB>` of
# theirs makes of our targets.

# shellcheck disable=SC2016,SC2317 # for other shells; checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$STAGE/bin:$PATH
export PATH HOME="$scratch"

# candidates WORD...: the words that the last one may become, on one line.
candidates() {
	run noxmk complete "$@"
	cut -f 1 "$out" | tr '\n' ' '
}

# Without a shell

noxfile <<'END'
@nox.session(python=False)
def lint(session):
    "Look at $(touch made) `touch made` it."

@nox.session(python=False, tags=["quick"])
@nox.parametrize("mode", [nox.param("a", id="fast"), nox.param("b", id="slow")])
def unit(session, mode): ...
END
check 'without a plan there are no targets, and nothing is said' same "$(candidates log '') $(cat "$err")" ' '
mk nox-plan
targets='lint unit-fast unit-slow ci unit quick nox-audit nox-list nox-plan rerun-failed '
check 'targets of log' same "$(candidates log '')" "$targets"
check 'a second target' same "$(candidates log lint '')" "$targets"
check 'targets of make, behind its own options' same "$(candidates make -j 2 '')" "$targets"
check 'targets of another folder' same "$(cd / && candidates -C "$scratch/project" why '')" "$targets"
check 'a target with what it is' has "$out" "$(printf 'quick\ttag quick')"
check 'commands are those for people' same \
	"$(candidates '')" "$(noxmk help | sed '/^For/,$d' | sed -n 's/^  \([a-z][a-z]*\).*/\1/p' | tr '\n' ' ')"
check 'commands behind help' same "$(candidates help '')" "$(candidates '')"
check 'global options' same "$(candidates -)" '-C -S --version --help '
check 'options of a command' same "$(candidates bench -)" '-f -j -n --help '
check 'a long one' same "$(candidates list -)" '--json --help '
check 'an argument that is a number has none' same "$(candidates bench -j '')" ''
check 'a run, where there is none' same "$(candidates log -r '')" 'latest '
mkdir -p "$state/runs/20200101-000000-1" "$state/runs/20200101-000000-2"
check 'runs, the newest first' same "$(candidates why -r '')" 'latest 20200101-000000-2 20200101-000000-1 '
check 'runs of report' same "$(candidates report --json '')" 'latest 20200101-000000-2 20200101-000000-1 '
check 'a second run to compare' same "$(candidates compare latest '')" "$(candidates report '')"
check 'forms of report' same "$(candidates report -)" '--html --json --junit --md --svg --trace --schema --out --help '
check 'an option behind a word' same "$(candidates history lint -)" '--json --help '
check 'its argument' same "$(candidates why lint -r '')" 'latest 20200101-000000-2 20200101-000000-1 '
check 'a word behind an option behind a word' same "$(candidates report --json --out f '')" \
	'latest 20200101-000000-2 20200101-000000-1 '
check 'shells' same "$(candidates completion '')" 'bash zsh fish '
for words in '-C' 'bench -f' '-S' 'report --out'; do
	# shellcheck disable=SC2086 # words
	run noxmk complete $words ''
	check "a path behind $words: exit 1 and nothing" same "$status $(cat "$out")" "1 "
done
for command in $(noxmk help | sed -n 's/^  \([a-z][a-z]*\).*/\1/p'); do
	run noxmk complete "$command" --
	check "options of $command" has "$out" -
done
run noxmk completion tcsh
check 'a shell that there is none for' same "$status $(cat "$err")" \
	'2 noxmk: no completion for a shell tcsh is installed here: there are bash|zsh|fish'
run noxmk completion ../probe.py
check 'a path is no shell' exits 2
for shell in bash zsh fish; do
	run noxmk completion "$shell"
	check "completion $shell" has "$out" complete
done

# With shells

# shell_there SHELL: is it, and what types for us?
shell_there() {
	command -v "$1" >/dev/null && command -v expect >/dev/null && return
	skip "completion in $1" "no $1 or no expect here: scripts/bootstrap test"
	return 1
}

# type_in SHELL SETUP LINE WANTED: in a shell of its own, made ready by SETUP, LINE and a tab become
# WANTED. The prompt is told from its echo by the sum.
type_in() {
	case $1 in
	bash) start='bash --norc --noprofile -i' prompt="PS1='>>'" ;;
	zsh) start='zsh -f -i' prompt="PS1='>>'; unset zle_bracketed_paste" ;;
	esac
	printf '%s; %s; echo ready-$((40+2))\n' "$prompt" "$2" >"$scratch/setup"
	cat >"$scratch/typed" <<'END'
set timeout 120
lassign $argv start setup line wanted
spawn -noecho {*}$start
send ". $setup\r"
expect "ready-42" {} timeout { exit 3 } eof { exit 4 }
send "$line\t"
expect -ex $wanted {} timeout { exit 5 } eof { exit 6 }
send "\x15exit\r"
expect eof {} timeout { exit 7 }
END
	run env TERM=dumb COLUMNS=200 expect "$scratch/typed" "$start" "$scratch/setup" "$3" "$4"
	exits 0
}

if shell_there bash; then
	setup='. "$STAGE/share/bash-completion/completions/noxmk"; bind "set show-all-if-ambiguous on"'
	export STAGE
	check 'bash: a command' type_in bash "$setup" 'noxmk doc' 'noxmk doctor '
	check 'bash: a target' type_in bash "$setup" 'noxmk log unit-s' 'unit-slow '
	check 'bash: targets' type_in bash "$setup" 'noxmk log unit-' 'unit-fast  unit-slow'
	check 'bash: an option' type_in bash "$setup" 'noxmk list --j' '--json '
	check 'bash: a path' type_in bash "$setup" 'noxmk bench -f noxf' 'noxfile.py'
	check 'bash: as printed' type_in bash '. <(noxmk completion bash)' 'noxmk make -j li' 'lint '
fi
if shell_there zsh; then
	setup='fpath=($STAGE/share/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D'
	check 'zsh: a command' type_in zsh "$setup" 'noxmk doc' 'doctor '
	check 'zsh: a target' type_in zsh "$setup" 'noxmk log unit-s' 'unit-slow '
	check 'zsh: targets, and what they are' type_in zsh "$setup" 'noxmk log qu' 'quick '
	check 'zsh: an option' type_in zsh "$setup" 'noxmk list --j' '--json '
	check 'zsh: a path' type_in zsh "$setup" 'noxmk bench -f noxf' 'noxfile.py'
	check 'zsh: as printed' type_in zsh \
		'autoload -Uz compinit; compinit -u -D; . <(noxmk completion zsh)' 'noxmk make -j li' 'lint '
fi
if command -v fish >/dev/null; then
	# fish_offers LINE: what it would offer there, on one line.
	fish_offers() {
		run fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
			"$STAGE/share/fish/vendor_completions.d/noxmk.fish" "$1"
		cut -f 1 "$out" | tr '\n' ' '
	}
	check 'fish: a command' same "$(fish_offers 'noxmk doc')" 'doctor '
	check 'fish: targets' same "$(fish_offers 'noxmk log unit-')" 'unit-fast unit-slow '
	check 'fish: an option' same "$(fish_offers 'noxmk list --j')" '--json '
	check 'fish: a path' same "$(fish_offers 'noxmk bench -f noxf')" 'noxfile.py '
else
	skip 'completion in fish' 'no fish here: scripts/bootstrap test'
fi
check 'no text of the noxfile has been run' absent made

# make <TAB>, by what these shells know of make themselves

our_makes='ci lint nox-audit nox-list nox-plan quick rerun-failed unit unit-fast unit-slow'
echo "include $STAGE/include/nox.mk" >GNUmakefile
sorted() {
	tr ' ' '\n' | sed '/^$/d' | sort -u | tr '\n' ' ' | sed 's/ $//'
}
bash_makes=/usr/share/bash-completion/completions/make
if [ -r "$bash_makes" ]; then
	# The shell itself, but for the key: `make WORD` at its end.
	bash_offers() {
		run bash -c '. /usr/share/bash-completion/bash_completion; . "$1"
			COMP_WORDS=(make "$2") COMP_CWORD=1 COMP_LINE="make $2" COMP_TYPE=9
			COMP_POINT=${#COMP_LINE}
			_make make "$2" make 2>/dev/null; echo "${COMPREPLY[*]}"' - "$bash_makes" "$1"
		sorted <"$out"
	}
	check 'make in bash: our targets, and nothing of .noxmk' same "$(bash_offers '')" "$our_makes"
	check 'make in bash: some of them' same "$(bash_offers unit-)" 'unit-fast unit-slow'
	rm -rf "$state"
	check 'make in bash: before there is a plan' same "$(bash_offers '')" "$our_makes"
else
	skip 'make in bash' 'no bash-completion here: scripts/bootstrap test'
fi
if command -v fish >/dev/null; then
	run fish -c 'complete -C "make "'
	check 'make in fish: our targets, and nothing of .noxmk' same \
		"$(cut -f 1 "$out" | grep -v / | sorted)" "$our_makes"
	check 'make in fish: no helper target' lacks "$out" .noxmk/
fi
if shell_there zsh; then
	setup='autoload -Uz compinit; compinit -u -D; zstyle ":completion:*:make:*:targets" call-command true'
	check 'make in zsh' type_in zsh "$setup" 'make unit-s' 'unit-slow '
	# What it reads as targets has none that we print.
	run "$MAKE" -nsp --no-print-directory -f GNUmakefile --always-make
	check 'make in zsh: the database has no lines of ours that look like targets' \
		not matches "$out" '^noxmk:'
fi

finish
