# Static analysis: what reads src/ without running it. Each file is read again only when it changed.
#
# gcc's analyzer sees more once functions are inlined, so it reads what -O2 makes of them. What is
# held against the code wrongly is silenced where it is said, with the reason; whole checks that are
# noise here are left out in .clang-tidy. cppcheck reads all files in a second.

TIDY ?= clang-tidy
CPPCHECK ?= cppcheck
ANALYZE_CC ?= gcc
analyze_cflags = $(BASIC_CFLAGS) -iquote src $(pkg_cflags)
analyzed := $(sources:src/%.c=%)

analyze: $B/analyze/cppcheck ## analyze src/ with gcc, cppcheck and clang-tidy
analyze: $(analyzed:%=$B/analyze/%.o) $(analyzed:%=$B/analyze/%.tidy)

# cppcheck knows that jansson's foreach macros are loops only if it sees them.
$B/analyze/cppcheck: $(wildcard src/*.[ch] src/*/*.[ch]) mk/analyze.mk | $B/analyze
	$(E) CHECK src
	$(Q)$(CPPCHECK) --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --error-exitcode=1 $(filter -D%,$(BASIC_CFLAGS)) \
	  --include="$$(pkg-config --variable=includedir jansson)/jansson.h" -Isrc $(sources)
	$(Q)touch $@

$B/analyze/%.o: src/%.c mk/analyze.mk | $(folders:%=$B/analyze/%)
	$(E) GCC $<
	$(Q)$(ANALYZE_CC) $(analyze_cflags) -O2 -fanalyzer -Werror -MMD -MP -c -o $@ $<

# The object knows which headers it came from.
$B/analyze/%.tidy: src/%.c $B/analyze/%.o .clang-tidy
	$(E) TIDY $<
	$(Q)$(TIDY) --quiet $< -- $(analyze_cflags) 2>$@.err || { cat $@.err >&2; exit 1; }
	$(Q)touch $@

$B/analyze $(folders:%=$B/analyze/%):
	$(Q)mkdir -p $@

-include $(wildcard $B/analyze/*.d $B/analyze/*/*.d)

.PHONY: analyze
