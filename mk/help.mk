# `make help` and `make vars`, made from the makefiles themselves so that they cannot go stale.

help: ## this text
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(filter-out %.d,$(MAKEFILE_LIST))
	@echo '  ci           the default sessions of NOXMK_PROJECT; nox-list names all the others'

vars: ## settings and where each comes from
	@$(foreach v,PREFIX DESTDIR BINDIR SHAREDIR INCLUDEDIR MANDIR CC CPPFLAGS CFLAGS LDFLAGS V \
	  NOX NOXMK_PROJECT,printf '%-14s %s (%s)\n' '$v' '$($v)' '$(origin $v)';)
