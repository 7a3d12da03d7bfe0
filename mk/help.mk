# `make help` and `make vars`, made from the makefiles themselves so that they cannot go stale.

help_files = $(filter-out %.d,$(MAKEFILE_LIST))
# What a user may set: what the makefiles set by ?=, and what they leave empty or to make.
settings = DESTDIR V CC CPPFLAGS LDFLAGS $(shell sed -n 's/^\([A-Z_]*\) ?= .*/\1/p' $(help_files))

help: ## this text
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(help_files)
	@printf '  %-17s %s\n' \
	  ci 'the default sessions of NOXMK_PROJECT; nox-list names all the others'

vars: ## settings and where each comes from
	@$(foreach v,$(sort $(settings)), \
	  printf '%-14s %s (%s)\n' '$v' '$(subst ','\'',$($v))' '$(origin $v)';)
