# Fuzzing: tests/fuzz/fuzz_NAME.c, each with a corpus of inputs that once taught something.
#
# `make fuzz` looks for new ones with clang's libFuzzer; `make check-fuzz` only replays the corpora,
# with any compiler. What a fuzzer calls broken it leaves as crash-… in $B/fuzz.

# seconds for each fuzzer
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_CFLAGS := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
  -fno-sanitize-recover=all

fuzzers := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_common := fuzz rulecheck
fuzz_cflags = $(BASIC_CFLAGS) -iquote src $(pkg_cflags) -MMD -MP

fuzz: $(fuzzers:%=.fuzz-%) ## look for inputs that break a promise, FUZZ_SECONDS each

$(fuzzers:%=.fuzz-%): .fuzz-%: $B/fuzz/fuzz_%
	$(E) FUZZ $*
	$(Q)mkdir -p $B/fuzz/found/$* tests/fuzz/corpus/$*
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=4096 -artifact_prefix=$B/fuzz/ \
	  -print_final_stats=1 $(wildcard tests/fuzz/$*.dict:%=-dict=%) $B/fuzz/found/$* \
	  tests/fuzz/corpus/$* 2>$B/fuzz/$*.log || { tail -n 40 $B/fuzz/$*.log >&2; exit 1; }
	$(Q)grep -E 'cov:|number_of_executed' $B/fuzz/$*.log | tail -n 2

# Takes only inputs that reach code which the corpus does not.
fuzz-merge: $(fuzzers:%=$B/fuzz/fuzz_%) ## add to the corpora what `make fuzz` has found
	$(Q)for name in $(fuzzers); do \
	  $B/fuzz/fuzz_$$name -use_counters=0 -set_cover_merge=1 tests/fuzz/corpus/$$name \
	    $B/fuzz/found/$$name 2>$B/fuzz/$$name.merge.log || exit 1; done

check-fuzz: $(fuzzers:%=$B/fuzz/replay_%) ## replay the fuzzers' corpora
	$(Q)tests/run $^

$(fuzzers:%=$B/fuzz/fuzz_%): $B/fuzz/%: $B/fuzz/obj/%.o $(fuzz_common:%=$B/fuzz/obj/%.o) \
  $(modules:%=$B/fuzz/obj/%.o)
	$(E) LINK $@
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(pkg_libs)

$(fuzzers:%=$B/fuzz/replay_%): $B/fuzz/replay_%: $B/fuzz/plain/fuzz_%.o \
  $(fuzz_common:%=$B/fuzz/plain/%.o) $B/fuzz/plain/replay.o $(modules:%=$B/obj/%.o)
	$(E) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(pkg_libs)

$B/fuzz/obj/%.o: src/%.c | $(folders:%=$B/fuzz/obj/%)
	$(E) CC $@
	$(Q)$(FUZZ_CC) $(fuzz_cflags) $(FUZZ_CFLAGS) -c -o $@ $<

$B/fuzz/obj/%.o: tests/fuzz/%.c | $(folders:%=$B/fuzz/obj/%)
	$(E) CC $@
	$(Q)$(FUZZ_CC) $(fuzz_cflags) $(FUZZ_CFLAGS) -c -o $@ $<

$B/fuzz/plain/%.o: tests/fuzz/%.c $B/flags | $B/fuzz/plain
	$(E) CC $@
	$(Q)$(CC) $(fuzz_cflags) $(CFLAGS) -c -o $@ $<

$B/fuzz/obj $(folders:%=$B/fuzz/obj/%) $B/fuzz/plain:
	$(Q)mkdir -p $@

-include $(wildcard $B/fuzz/obj/*.d $B/fuzz/obj/*/*.d $B/fuzz/plain/*.d)

.PHONY: fuzz fuzz-merge check-fuzz $(fuzzers:%=.fuzz-%)
