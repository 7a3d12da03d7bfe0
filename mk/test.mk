# Tests: libcheck suites (tests/check_*.c), end-to-end scripts (tests/cli/*.sh) and properties of
# random plans (tests/properties).
#
# tests/run runs scripts and programs that print TAP, several at once, and sums up. The scripts use
# the helper as it is installed: below $B/stage.

# Those that take longest go first, so that none of them runs on alone.
TESTS ?= tests/properties/kills.py tests/properties/swarm.py $(call parts_of,$B/tests/check) \
  $(call long_first,$(sort $(wildcard tests/cli/*.sh))) \
  tests/properties/edges.py tests/properties/anything.py tests/model/protocol.py
long_first = $(filter $(long),$1) $(filter-out $(long),$1)
long := $(patsubst %,tests/cli/%.sh,docs fresh main modes nested resources versions)
# The libcheck suites, shared out to several processes: in one they would take longest of all. With
# the sanitizers that takes a quarter less in all, too: a fork of fewer suites costs less.
parts_of = $(foreach n,$(parts),"$1 --part $n/$(lastword $(parts))")
parts := 1 2 3 4 5 6 7
check_cflags := -DTESTS='"$(CURDIR)/tests"' $(pkg_cflags) $$(pkg-config --cflags check)
check_libs := $$(pkg-config --libs $(PKGS) check) -lm

check: $B/tests/check stage ## run every test
	$(Q)B='$B' tests/run $(TESTS)

check-unit: $B/tests/check ## run the libcheck suites only
	$(Q)tests/run $(call parts_of,$<)

check-e2e: stage ## run the end-to-end scripts only
	$(Q)B='$B' tests/run $(sort $(wildcard tests/cli/*.sh))

# `make check` does the same on a few hundred plans, and kills 200 helpers and some 50 others.
check-properties: stage ## check the edges of 10,000 random plans; kill 2,600 processes
	$(Q)STAGE='$(abspath $B)/stage' tests/properties/edges.py --plans 10000 --runs 500
	$(Q)STAGE='$(abspath $B)/stage' tests/properties/kills.py --kills 1000
	$(Q)STAGE='$(abspath $B)/stage' tests/properties/swarm.py --sessions 300 \
	  --kills 40 --seeds 20

# tests/faults/faults.py --help says more. Six at once: they wait a lot, and a fault takes half a
# second of a processor. A recipe that says $(MAKE) itself would run under -n, too.
make_program = $(firstword $(MAKE))
check-faults: stage ## do hundreds of faults to real makes, and kill 200 processes at random
	$(Q)STAGE='$(abspath $B)/stage' MAKE='$(make_program)' \
	  tests/faults/faults.py --jobs 6 --kills 200
	$(Q)STAGE='$(abspath $B)/stage' MAKE='$(make_program)' \
	  tests/properties/anything.py --jobs 6 --all

# A Debian of its own needs root, a network, and a minute.
check-packages: deb ## install the Debian package in a fresh Debian, use it, and purge it
	$(Q)tests/run tests/packages/deb.sh

# Only ratios within one run count. scripts/bench has the long forms.
check-bench: stage ## measure in short forms, and fail where make is not as fast as it should be
	$(Q)STAGE='$(abspath $B)/stage'; export STAGE; \
	scripts/bench sample --rounds 2 --short --check && \
	scripts/bench overhead --rounds 2 --sessions 20 --check && \
	scripts/bench scale --rounds 2 --sizes 40,400 --check && \
	scripts/bench logs --rounds 3 --mib 200 --check 8 && \
	scripts/bench sampler --rounds 2 --seconds 4 --kinds sleep,compute,start --check 0.5

# The same tests over another build of the helper, in a folder of its own. These scripts are left
# out: they are about nox's releases, make's options, installing, documents, a browser and timings
# on a terminal, or build a helper of their own; cost.sh and speedup.sh measure another helper than
# this slow one. Each test is a process that lives for a moment: a smaller quarantine takes two
# fifths off their time. They get twice as many seconds as others before they count as hung.
# Libraries that state.sh preloads come before the sanitizer's. The build also counts the lines that
# are reached, so that `coverage` runs no test a second time; counts of other objects do not fit.
sanitized = $(filter-out $(unsanitized),$(call long_first,$(sort $(wildcard tests/cli/*.sh))))
unsanitized := $(patsubst %,tests/cli/%.sh,as_nox board bootstrap cost deb docs fresh gate install \
  main makefiles modes nested report_page reports request source_build speedup versions wheel \
  workflow)
check-sanitize: ## run the tests with the address and undefined-behaviour sanitizers
	$(Q)! [ -d build/sanitize/obj ] || find build/sanitize/obj -name '*.gcda' -delete
	$(Q)ASAN_OPTIONS=quarantine_size_mb=16:verify_asan_link_order=0 TESTS_TIMEOUT=1200 \
	  $(MAKE) B=build/sanitize \
	  TESTS='$(call parts_of,build/sanitize/tests/check) $(sanitized)' \
	  CPPFLAGS='--coverage -include tests/coverage.h' LDFLAGS=--coverage \
	  CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	  -fno-sanitize-recover' check

coverage: check-sanitize ## the same, and fail when it reaches less than 97 % of the lines of src/
	$(Q)gcovr --root . --filter src/ --object-directory build/sanitize/obj \
	  --fail-under-line 97 --print-summary build/sanitize/obj

# The suites run in one process, so the few tests that need one of their own are left out.
check-valgrind: $B/tests/check stage ## run the libcheck suites, and one project, under valgrind
	$(Q)MAKE='$(MAKE)' tests/memcheck $B

stage: $B/bin/noxmk ## install below build/stage, for the tests
	$(Q)$(MAKE) -s --no-print-directory B='$B' PREFIX='$(abspath $B)/stage' DESTDIR= install
.PHONY: stage

# All of tests/*.c but the program that they start.
check_sources := $(filter-out tests/helper.c,$(wildcard tests/*.c))
check_objects := $(check_sources:tests/%.c=$B/tests/%.o)

$B/tests/check: $(check_objects) $(modules:%=$B/obj/%.o) $B/tests/helper
	$(E) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(check_libs)

$B/tests/helper: tests/helper.c $B/flags | $B/tests
	$(E) CC $@
	$(Q)$(CC) $(BASIC_CFLAGS) $(CFLAGS) -o $@ $<

$B/tests/%.o: tests/%.c $B/flags $B/tests/suites.h | $B/tests
	$(E) CC $@
	$(Q)$(CC) $(BASIC_CFLAGS) -iquote src -I $B/tests $(check_cflags) $(CFLAGS) -MMD -MP \
	  -c -o $@ $<

# check_NAME.c has the suite NAME. The file changes only when there is another one, or one less.
suites := $(filter-out main,$(sort $(patsubst tests/check_%.c,%,$(wildcard tests/check_*.c))))
suites_text = \#define SUITES(X) $(foreach s,$(suites),X($s))
$B/tests/suites.h: FORCE | $B/tests
	@echo '$(suites_text)' | cmp -s - $@ || echo '$(suites_text)' >$@

$B/tests:
	$(Q)mkdir -p $@

-include $(wildcard $B/tests/*.d)
