# What people install: a wheel for pip, pipx and uv, a Debian package, a tarball of the sources.
#
# All are made from what `make install` puts below PREFIX, and are equal byte for byte if they are
# made from the same commit by the same compiler: SOURCE_DATE_EPOCH is the commit's date.

export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1764288000)
packages := $B/packages
tarball := $(packages)/noxmk-$(VERSION).tar.gz
# The helper of a wheel runs wherever Linux does, so nothing of it is loaded from elsewhere.
for_wheel := LDFLAGS='-static -s' B='$B/static' PREFIX=/wheel
for_deb := LDFLAGS='-s -Wl,-z,relro,-z,now -pie' CFLAGS='-O2 -fPIE' B='$B/for-deb' PREFIX=/usr \
  ZSHDIR=/usr/share/zsh/vendor-completions

wheel: | $(packages) ## make a wheel in build/packages
	$(Q)rm -rf $B/wheel $(packages)/*.whl
	$(Q)$(MAKE) -s --no-print-directory $(for_wheel) DESTDIR='$(abspath $B)/wheel' install
	$(Q)scripts/wheel $(VERSION) $B/wheel $(packages)

deb: | $(packages) ## make a Debian package in build/packages
	$(Q)rm -rf $B/deb $(packages)/*.deb
	$(Q)$(MAKE) -s --no-print-directory $(for_deb) DESTDIR='$(abspath $B)/deb' install
	$(Q)scripts/deb $(VERSION) $B/deb $(packages)

dist: | $(packages) ## make a tarball of the sources in build/packages
	$(Q)git archive --prefix=noxmk-$(VERSION)/ HEAD | gzip -n >$(tarball)
	$(Q)echo $(tarball)

$(packages):
	$(Q)mkdir -p $@
