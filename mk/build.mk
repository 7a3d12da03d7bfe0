# Compiling the helper: $B/bin/noxmk and, laid out as they are when installed, its Python files.

VERSION := 0.1.0

# Where everything built goes. Builds with other flags (coverage, sanitizers) have their own.
B ?= build

# The user's CFLAGS and LDFLAGS come last and are never changed.
CFLAGS ?= -O2 -g
BASIC_CFLAGS := -std=c11 -D_GNU_SOURCE -DLIBBSD_NETBSD_VIS -DNOXMK_VERSION='"$(VERSION)"' \
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
  -Wformat=2 -Werror=implicit-function-declaration
PKGS := libbsd libmd jansson libseccomp
# The recipes ask pkg-config themselves: make reads makefiles that it has to remake (the plan, which
# needs the helper) before it remakes them, so a variable from a file would still be empty in the
# first link.
pkg_cflags := $$(pkg-config --cflags $(PKGS))
pkg_libs := $$(pkg-config --libs $(PKGS)) -lm

# Half of a helper's start is the loading of libraries, and each make starts five helpers. So those
# but libc are part of it; `make STATIC=` loads them as usual, where there is no libjansson.a.
STATIC ?= -Wl,-Bstatic
# LDFLAGS=-static makes libc a part of it, too, as the wheel's helper has it.
helper_libs := $(STATIC) $$(pkg-config --static --libs $(PKGS)) \
  $(if $(filter -static,$(LDFLAGS)),,-Wl,-Bdynamic)

# Names as in src/README.md: plan/config, state/record …
sources := $(wildcard src/*.c src/*/*.c)
modules := $(filter-out main,$(sources:src/%.c=%))
folders := $(filter-out .,$(patsubst %/,%,$(sort $(dir $(modules)))))
python := probe.py inputs.py coupling.py shim.py noxmk_shim.py building.py gate.py handover.py \
  statuses.py configure.py zygote.py onlooker.py ending.py
share := $(addprefix $B/share/noxmk/,$(python))
# What `noxmk completion` prints.
shells := bash zsh fish
completions := $(addprefix $B/share/noxmk/completion/,$(shells))
# What `noxmk report --json` is like.
schema := $B/share/noxmk/report.schema.json
# Sessions find these instead of make: see src/slots/submake.h.
tools := $(addprefix $B/share/noxmk/tools/,make gmake)

$B/bin/noxmk: $(sources:src/%.c=$B/obj/%.o) | $B/bin $(share) $(completions) \
    $(schema) $(tools)
	$(E) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(helper_libs)

$B/obj/%.o: src/%.c $B/flags | $(folders:%=$B/obj/%)
	$(E) CC $@
	$(Q)$(CC) $(BASIC_CFLAGS) -iquote src $(pkg_cflags) $(CPPFLAGS) $(CFLAGS) -MMD -MP \
	  -c -o $@ $<

# It has these in it, of which the compiler does not know.
$B/obj/report/assets.o: $(wildcard src/report/html/*)

$(share): $B/share/noxmk/%: src/nox/% | $B/share/noxmk
	$(Q)cp $< $@

$(completions): $B/share/noxmk/completion/%: src/front/completion/% | $B/share/noxmk/completion
	$(Q)cp $< $@

$(schema): src/report/report.schema.json | $B/share/noxmk
	$(Q)cp $< $@

$(tools): | $B/share/noxmk/tools
	$(Q)ln -sf ../../../bin/noxmk $@

# Other flags, other objects: this file changes only when they do.
$B/flags: FORCE | $B/obj
	@pkg-config --exists $(PKGS) || \
	  { echo "missing: $(PKGS): run scripts/bootstrap" >&2; exit 1; }
	@echo '$(CC) $(BASIC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(STATIC)' | cmp -s - $@ || \
	  echo '$(CC) $(BASIC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(STATIC)' >$@

$B/obj $(folders:%=$B/obj/%) $B/bin $B/share/noxmk $B/share/noxmk/tools \
  $B/share/noxmk/completion:
	$(Q)mkdir -p $@

-include $(wildcard $B/obj/*.d $B/obj/*/*.d)

.PHONY: FORCE
FORCE:
