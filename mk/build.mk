# Compiling the helper: $B/bin/noxmk and, laid out as they are when installed, its Python files.

VERSION := 0.1.0

# Where everything built goes. Builds with other flags (coverage, sanitizers) have their own.
B ?= build

# The user's CFLAGS and LDFLAGS come last and are never changed.
CFLAGS ?= -O2 -g
BASIC_CFLAGS := -std=c11 -D_GNU_SOURCE -DLIBBSD_NETBSD_VIS -DNOXMK_VERSION='"$(VERSION)"' -Wall -Wextra -Wshadow \
  -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2
PKGS := libbsd jansson
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS)) -lm

modules := $(filter-out main,$(basename $(notdir $(wildcard src/*.c))))
share := $(addprefix $B/share/noxmk/,probe.py shim.py building.py)
# Sessions find these instead of make: see src/bridge.h.
tools := $(addprefix $B/share/noxmk/tools/,make gmake)

# Asked once, and only when something is compiled.
$B/flags.mk: mk/build.mk | $B/obj
	@pkg-config --exists $(PKGS) || { echo "missing: $(PKGS): run scripts/bootstrap" >&2; exit 1; }
	$(E) GEN $@
	$(Q)printf 'pkg_cflags := %s\npkg_libs := %s\n' '$(PKG_CFLAGS)' '$(PKG_LIBS)' >$@

ifneq (,$(compiling))
include $B/flags.mk
endif

$B/bin/noxmk: $B/obj/main.o $(modules:%=$B/obj/%.o) | $B/bin $(share) $(tools)
	$(E) LINK $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(pkg_libs)

$B/obj/%.o: src/%.c $B/flags | $B/obj $B/flags.mk
	$(E) CC $@
	$(Q)$(CC) $(BASIC_CFLAGS) $(pkg_cflags) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(share): $B/share/noxmk/%: src/% | $B/share/noxmk
	$(Q)cp $< $@

$(tools): | $B/share/noxmk/tools
	$(Q)ln -sf ../../../bin/noxmk $@

# Other flags, other objects: this file changes only when they do.
$B/flags: FORCE | $B/obj
	@echo '$(CC) $(BASIC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(BASIC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' >$@

$B/obj $B/bin $B/share/noxmk $B/share/noxmk/tools:
	$(Q)mkdir -p $@

-include $(wildcard $B/obj/*.d)

.PHONY: FORCE
FORCE:
