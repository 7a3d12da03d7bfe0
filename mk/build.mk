# Compiling the helper: build/bin/noxmk and, laid out as they are when installed, its Python files.

VERSION := 0.1.0

# The user's CFLAGS and LDFLAGS come last and are never changed.
CFLAGS ?= -O2 -g
BASIC_CFLAGS := -std=c11 -D_GNU_SOURCE -DLIBBSD_NETBSD_VIS -DNOXMK_VERSION='"$(VERSION)"' -Wall -Wextra -Wshadow \
  -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2
PKGS := libbsd jansson
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS))
PKG_LIBS = $(shell pkg-config --libs $(PKGS))

modules := $(filter-out main,$(basename $(notdir $(wildcard src/*.c))))
share := $(addprefix build/share/noxmk/,probe.py shim.py)

# Asked once, and only when something is compiled.
build/flags.mk: mk/build.mk | build/obj
	@pkg-config --exists $(PKGS) || { echo "missing: $(PKGS): run scripts/bootstrap" >&2; exit 1; }
	$(E) GEN $@
	$(Q)printf 'pkg_cflags := %s\npkg_libs := %s\n' '$(PKG_CFLAGS)' '$(PKG_LIBS)' >$@

ifneq (,$(compiling))
include build/flags.mk
endif

build/bin/noxmk: build/obj/main.o $(modules:%=build/obj/%.o) | build/bin $(share)
	$(E) LINK $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(pkg_libs)

build/obj/%.o: src/%.c build/flags | build/obj build/flags.mk
	$(E) CC $@
	$(Q)$(CC) $(BASIC_CFLAGS) $(pkg_cflags) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(share): build/share/noxmk/%: src/% | build/share/noxmk
	$(Q)cp $< $@

# Other flags, other objects: this file changes only when they do.
build/flags: FORCE | build/obj
	@echo '$(CC) $(BASIC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(BASIC_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)' >$@

build/obj build/bin build/share/noxmk:
	$(Q)mkdir -p $@

-include $(wildcard build/obj/*.d)

.PHONY: FORCE
FORCE:
