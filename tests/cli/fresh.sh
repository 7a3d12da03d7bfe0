#!/bin/sh
# The two commands of README.md in a fresh checkout: all that they print, and nothing else.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if ! git -C "$TOP" rev-parse 2>/dev/null; then
	skip 'a fresh checkout' 'this tree is no git checkout'
	finish
fi
missing=$(cd "$TOP" && scripts/bootstrap test --print)
if [ -n "$missing" ]; then
	skip 'a fresh checkout' 'packages are missing; to install them: scripts/bootstrap test'
	finish
fi

# checkout: the files of this tree as git would check them out now, in a folder of their own.
checkout() {
	fresh tree
	(cd "$TOP" && git ls-files -z --cached --others --exclude-standard |
		tar --null --ignore-failed-read -T - -cf - 2>/dev/null) | tar -xf -
	mkdir build
	# Fetching them again would take minutes; behind a link they are only looked at.
	ln -s "$TOP/build/peers" build/peers
}

# tells COMMAND TEXT: the command prints this and no more. Times are TIME here, and the lines of
# parallel jobs are in alphabetical order. What depends on how busy the processors were is left out.
tells() {
	last=$1
	env -u TOP -u B -u STAGE -u V sh -c "$1" >"$out" 2>&1 </dev/null
	status=$?
	sed -E 's/ +[0-9][0-9.hm]*s\b/ TIME/g; s/ *waited TIME for processors$//; /% of the wall time: /d
		s/, about TIME with plain nox(: speed-up [0-9.]+)?$//' "$out" | awk '
		function kind(line) { return line ~ /^  CC / ? "CC" : line ~ /^passed / ? "passed" : "" }
		kind($0) != before { close("sort") }
		{ before = kind($0) }
		before { print | "sort" }
		!before { print; fflush() }' >"$scratch/told"
	printf '%s\n' "$2" | diff - "$scratch/told" | sed 's/^/#   /' | head -n 40
	printf '%s\n' "$2" | cmp -s - "$scratch/told" && exits 0
}

# compiled FOLDER FILE...: the lines for these objects, in alphabetical order.
compiled() {
	folder=$1
	shift
	printf '%s\n' "$@" | sed "s|^[^/]*/\(.*\)\.c$|  CC    build/$folder\1.o|" | sort
}

checkout
ci_tells="$(compiled obj/ src/*.c src/*/*.c)
  LINK  build/bin/noxmk
passed TIME  coverage_report
passed TIME  docs
passed TIME  install_check
passed TIME  lint
passed TIME  security_scan
passed TIME  typecheck
passed TIME  unit_tests-json
passed TIME  unit_tests-memory
passed TIME  unit_tests-sqlite

session            verdict       time  reason
lint               passed TIME
typecheck          passed TIME
security_scan      passed TIME
unit_tests-memory  passed TIME
unit_tests-json    passed TIME
unit_tests-sqlite  passed TIME
docs               passed TIME
install_check      passed TIME
coverage_report    passed TIME

noxmk: 9 sessions: 9 passed; TIME wall time"

# It takes half the time so, and says the same.
export CFLAGS=-O0

check 'the first command' tells "scripts/bootstrap && $MAKE -j ci" "nothing to install
$ci_tells"
check 'the first command again: nothing is built' tells "$MAKE -j ci" "${ci_tells#*bin/noxmk
}"

# All tests take minutes. One that is like them stands for all: a check, and one that wants a peer.
cat >tests/cli/example.sh <<'END'
#!/bin/sh
. "$(dirname "$0")/lib.sh"
check 'one thing' true
peer make-0 make
finish
END
chmod +x tests/cli/example.sh
# helper.c is a program of its own.
check_tells="$({
	compiled tests/ tests/[!h]*.c
	echo '  CC    build/tests/helper'
} | sort)
  LINK  build/tests/check
tests/cli/example.sh            1 passed, 1 skipped TIME

1 passed, 0 failed, 1 skipped
left out: make-0 (not there; to fetch it: scripts/peers)"
peer make-4.4.1 make
if [ -n "$peer" ]; then
	check 'the second command' \
		tells "scripts/bootstrap test && $MAKE -j check TESTS=tests/cli/example.sh" "nothing to install
$check_tells"

	checkout
	check 'the first command, make 4.4.1' tells "scripts/bootstrap && $peer -j ci" "nothing to install
$ci_tells"
else
	check 'the second command, without peers' \
		tells "$MAKE -j check TESTS=tests/cli/example.sh" "$check_tells"
fi
finish
