# nox.mk: each session of a noxfile as a make target.
#
#     include nox.mk
#
# gives `make ci` (the sessions that plain nox would run), a target for every session and for every
# group of them (all pythons of one, all parameters, a tag), and `make nox-list`, which names them.
# Put it below your own rules, or set .DEFAULT_GOAL above it: else plain `make` means `make ci`.
#
# All names of ours start with NOXMK_ or _noxmk, all helper targets with .noxmk/. Recipes stand
# behind a `;`, so .RECIPEPREFIX may be anything, and are one line each, so may .ONESHELL.

ifndef _noxmk_mk
_noxmk_mk := $(lastword $(MAKEFILE_LIST))

ifneq (,$(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)))
$(error noxmk needs GNU make 4.2 or newer, and this is $(MAKE_VERSION))
endif

## Knobs: in the including makefile, the environment or on make's command line

# nox's command, which may be several words: python3 -m nox, uvx nox
NOX ?= nox
# the noxfile, seen from the project's folder
NOXMK_NOXFILE ?= noxfile.py
# the project's folder: the current one, or that of the first makefile if only that has the noxfile
NOXMK_PROJECT ?= $(or $(if $(wildcard $(NOXMK_NOXFILE)),.),$(patsubst %/$(NOXMK_NOXFILE),%,$(wildcard \
  $(dir $(firstword $(MAKEFILE_LIST)))$(NOXMK_NOXFILE))),.)
# names that the including makefile keeps for itself: a session `clean` becomes nox-clean
NOXMK_RESERVED ?=
# how many runs to keep in .noxmk/runs
NOXMK_KEEP ?= 20
# live: show each session's output while it runs; failed: the logs of failed ones at the end;
# auto: live when one session runs alone
NOXMK_OUTPUT ?= auto
# how many sessions run at once under `make -j` without a number [the CPUs that we may use]
NOXMK_JOBS ?=
# how long a run may take: 20m; then its sessions end
NOXMK_DEADLINE ?=
# fail: a session that passes only when it is retried counts as failed
NOXMK_FLAKY ?=
# durations for sessions that have not run here yet: a .noxmk/history.json from elsewhere
NOXMK_HISTORY ?=
export NOXMK_HISTORY
# the helper
NOXMK ?= noxmk
# ARGS, words for the sessions (nox's posargs), FAIL_FAST=1 (or wait: for those that run) and
# MAX_FAIL=N count from the command line or a makefile, not from the environment, where something
# else may be called so.

## What this make is about

_noxmk_nothing :=
_noxmk_blank := $(_noxmk_nothing) $(_noxmk_nothing)
_noxmk_project := $(patsubst ./%,%,$(NOXMK_PROJECT))
ifneq (1,$(words $(_noxmk_project)))
$(error noxmk: the path in NOXMK_PROJECT has a blank, which make cannot handle: \
  "$(NOXMK_PROJECT)". Run make inside that folder instead)
endif
_noxmk_in := $(if $(filter-out .,$(_noxmk_project)),$(_noxmk_project)/)
_noxmk_plan := $(_noxmk_in).noxmk/sessions.mk
_noxmk_order_file := $(_noxmk_in).noxmk/order.mk
_noxmk_helper := '$(NOXMK)'$(if $(_noxmk_in), -C '$(_noxmk_project)')

# This make's name: its pid and start time, by which the helper knows whether it is alive, and a
# random word, since a machine that is booted anew may repeat both. $(file <) needs no process.
# A make that we start ourselves for notified sessions belongs to the same run.
_noxmk_stat := $(file </proc/self/stat)
NOXMK_RUN ?=
_noxmk_uuid := $(subst -, ,$(file </proc/sys/kernel/random/uuid))
_noxmk_key := $(or $(NOXMK_RUN),$(word 1,$(_noxmk_stat))-$(word 22,$(_noxmk_stat))-$(or $(firstword \
  $(_noxmk_uuid)),0))

# -n, -q and -t are in the first word of MAKEFLAGS. `+` makes make hand its jobserver on, and also
# makes it run a line under these three, so then there is none.
_noxmk_flags = $(firstword -$(MAKEFLAGS))
_noxmk_dry = $(findstring n,$(_noxmk_flags))
_noxmk_plus = $(if $(_noxmk_dry)$(findstring q,$(_noxmk_flags))$(findstring t,$(_noxmk_flags)),,+)@

.PHONY: ci nox-list rerun-failed
ci:
# The goals that may be ours: they wait for the summary first, and with it for all sessions in their
# best order, before make looks at what else they need.
_noxmk_asked := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
nox-list: ; @$(_noxmk_helper) list

## The plan: make remakes an included file that is out of date, and then starts afresh

# One that is cut off, by whatever, or is not as we write it, goes: then make makes it anew. What is in
# order.mk comes from names and times only, so there is no command that it could hold.
define _noxmk_line


endef
# Versions differ in what a # inside a function means.
_noxmk_hash := \#
_noxmk_drop = $(warning noxmk: $1 is damaged: it is made anew)$(shell rm -f '$1')
_noxmk_text := $(file <$(_noxmk_plan))
$(if $(filter-out end,$(lastword $(_noxmk_text))),$(call _noxmk_drop,$(_noxmk_plan)))
_noxmk_text := $(file <$(_noxmk_order_file))
_noxmk_odd := $(filter-out $(_noxmk_hash)% _noxmk_order_for^:=% _noxmk_order^:=% _noxmk_resources^:=% \
  _noxmk_resource/% _noxmk_cued^:=% _noxmk_cue/%,$(subst $(_noxmk_line), ,$(subst \
  $(_noxmk_blank),^,$(_noxmk_text))))
$(if $(_noxmk_odd)$(findstring $$,$(_noxmk_text))$(findstring ;,$(_noxmk_text))$(findstring \
  !,$(_noxmk_text))$(filter-out end,$(lastword $(_noxmk_text))),$(call \
  _noxmk_drop,$(_noxmk_order_file)))
_noxmk_text :=

-include $(_noxmk_plan) $(_noxmk_order_file)

# Makefiles that a session may not be called like, or make would remake them by running it.
_noxmk_makefiles := $(foreach m,$(MAKEFILE_LIST),$(if $(findstring /,$m),,$m))
# What decides the plan besides files. Compared as text with what the plan was made with.
_noxmk_watched := NOX NOXMK_NOXFILE NOXMK_RESERVED NOXPYTHON NOXEXTRAPYTHON NOXFORCEPYTHON \
  NOXSESSION NOX_DEFAULT_VENV_BACKEND NOX_SCRIPT_MODE PYTHONPATH
_noxmk_inputs := $(strip $(foreach v,$(_noxmk_watched),$v=$(if $(filter-out \
  undefined,$(origin $v)),$(value $v))) makefiles=$(_noxmk_makefiles))
_noxmk_planned ?=
_noxmk_depends ?=
# And the variables that the noxfile asked for while it was loaded.
_noxmk_environ ?=
_noxmk_environ_was ?=
_noxmk_environ_is := $(strip $(foreach v,$(_noxmk_environ),$v=$(if $(filter-out \
  undefined default automatic,$(origin $v)),$(value $v))))
# Once in a make: a difference that planning does not mend must not go on for ever.
_noxmk_stale := $(if $(filter-out undefined,$(origin MAKE_RESTARTS)),,$(subst \
  "$(_noxmk_planned)$(_noxmk_environ_was)",,"$(_noxmk_inputs)$(_noxmk_environ_is)"))
.PHONY: .noxmk/always
# Not in a make for notified sessions: it goes on by the plan that its run began with. And not when
# planning has not helped a few times already, lest make start afresh for ever.
_noxmk_given_up := $(filter-out undefined 1 2 3 4 5,$(if $(filter undefined,$(origin \
  MAKE_RESTARTS)),,$(MAKE_RESTARTS)))
ifeq (,$(NOXMK_RUN)$(_noxmk_given_up))
$(_noxmk_plan): $(wildcard $(addprefix $(_noxmk_in),$(NOXMK_NOXFILE) pyproject.toml)) \
  $(_noxmk_depends) $(wildcard $(NOXMK)) \
  $(if $(_noxmk_stale),.noxmk/always) ; +@$(_noxmk_helper) plan -f '$(NOXMK_NOXFILE)' -i '$(subst ','\'',$(_noxmk_inputs))' \
  -R '$(NOXMK_RESERVED) $(_noxmk_makefiles)' -- $(NOX)
# A file of the plan that is gone makes the plan stale; it is no error (as gcc -MP). The empty recipe
# keeps make from trying its built-in rules on each of them, which would double its start-up time.
$(_noxmk_depends) $(_noxmk_mk): ;
endif

## The sessions of this make

_noxmk_sessions ?=
_noxmk_groups ?=
_noxmk_late ?=
_noxmk_order ?=
_noxmk_order_for ?=
_noxmk_resources ?=
_noxmk_cued ?=
# An old plan may hold a name that a makefile has got since: make would run it to remake that.
_noxmk_sessions := $(filter-out $(_noxmk_makefiles),$(_noxmk_sessions))
_noxmk_groups := $(filter-out $(_noxmk_makefiles),$(_noxmk_groups))
# rerun-failed stands for what was not well when it was last to run.
_noxmk_failed := $(filter $(_noxmk_sessions),$(file <$(_noxmk_in).noxmk/failed))
# Without a plan nothing of ours runs; other goals of the including makefile still do.
ifeq (,$(_noxmk_groups))
ci rerun-failed: ; +@echo 'noxmk: there is no plan to run by: see the message above' >&2; exit 2
else ifeq (,$(filter rerun-failed,$(NOXMK_RESERVED)))
rerun-failed: | $(_noxmk_failed) ; $(if \
  $(_noxmk_failed),$(if $(_noxmk_dry),,@:),@echo 'noxmk: nothing to rerun: all was well')
endif

# The goals that are ours, and the sessions behind them. A goal of the including makefile's own may
# bring in more: each of these then sums up for itself.
_noxmk_goals := $(filter $(_noxmk_sessions) $(_noxmk_groups),$(patsubst \
  rerun-failed,$(_noxmk_failed),$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))))
_noxmk_default := $(.DEFAULT_GOAL)
# In the order that order.mk thinks best, by what they took before.
_noxmk_active := $(foreach g,$(_noxmk_goals),$(_noxmk/$g))
_noxmk_active := $(filter $(_noxmk_active),$(filter $(_noxmk_sessions),$(_noxmk_order)) \
  $(filter-out $(_noxmk_order),$(_noxmk_sessions)))

# order.mk is for some sessions and for one -j, which make tells in recipes only. So its recipe
# looks, and is empty if it fits; else make begins anew with what it has written. (The plan is no
# prerequisite: make would not begin anew for a makefile that it has remade for another one's sake.)
# A blank with a backslash is within a word of MAKEFLAGS: ARGS=-k\ -j9.
_noxmk_ordered := $(if $(subst "$(sort $(_noxmk_order))",,"$(sort $(_noxmk_active))"),,yes)
_noxmk_jobs_option = $(lastword $(filter -j%,$(subst \ ,,$(subst \\,,$(MAKEFLAGS)))))
_noxmk_order_fits = $(and $(_noxmk_ordered),$(filter $(_noxmk_order_for),$(_noxmk_jobs_option)))
_noxmk_order_stale = $(and $(word 2,$(_noxmk_active)),$(filter-out \
  -j1,$(_noxmk_jobs_option)),$(if $(_noxmk_order_fits),,yes))
ifeq (,$(_noxmk_given_up))
$(_noxmk_order_file): .noxmk/always ; $(if \
  $(_noxmk_order_stale),+@$(_noxmk_helper) order$(_noxmk_jobs) $(_noxmk_goals))
endif

_noxmk_live := $(if $(filter live,$(NOXMK_OUTPUT))$(and $(filter auto,$(NOXMK_OUTPUT)),$(filter \
  1,$(words $(_noxmk_active)))), -l)
_noxmk_jobs = $(if $(NOXMK_JOBS), -j $(NOXMK_JOBS))
# A word for each knob that may end the run early; like ARGS, two of them have plain names.
_noxmk_plain = $(if $(filter-out undefined environment,$(origin $1)),$($1))
_noxmk_option = $(if $2, -o $1=$(firstword $2))
_noxmk_policy := $(call _noxmk_option,fail-fast,$(call _noxmk_plain,FAIL_FAST))$(call \
  _noxmk_option,max-fail,$(call _noxmk_plain,MAX_FAIL))$(call \
  _noxmk_option,deadline,$(NOXMK_DEADLINE))$(call _noxmk_option,flaky,$(NOXMK_FLAKY))
_noxmk_args = $(if $(filter-out undefined environment,$(origin ARGS)), -- $(ARGS))

.PHONY: .noxmk/begin .noxmk/end $(_noxmk_groups) $(_noxmk_sessions) \
  $(addprefix .noxmk/run/,$(_noxmk_sessions))

# Whatever shell the including makefile likes, these lines are for sh.
ifneq (/bin/sh -c,$(SHELL) $(.SHELLFLAGS))
.noxmk/% $(_noxmk_plan) nox-list $(_noxmk_groups) $(_noxmk_sessions): private SHELL := /bin/sh
.noxmk/% $(_noxmk_plan) nox-list $(_noxmk_groups) $(_noxmk_sessions): private .SHELLFLAGS := -c
endif

# -n shows the plan here. The goals were worked out above, so a default goal that is set below comes
# too late.
.noxmk/begin: ; $(if $(MAKECMDGOALS)$(filter $(_noxmk_default),$(.DEFAULT_GOAL)),,$(error noxmk: \
  set .DEFAULT_GOAL above `include nox.mk`, not below))$(if \
  $(and $(_noxmk_dry),$(_noxmk_goals)),+@$(_noxmk_helper) show $(_noxmk_goals))

# One helper a session; the first one makes the run's folder. It records the verdict and succeeds, so
# that no failure hides another; and if it is killed, the others run all the same (`-`): without a
# record of that session its goals fail.
$(addprefix .noxmk/run/,$(_noxmk_sessions)): .noxmk/run/%: | .noxmk/begin ; $(if \
  $(_noxmk_dry),,$(_noxmk_plus)-$(_noxmk_helper) run$(_noxmk_live)$(_noxmk_jobs)$(_noxmk_policy) \
  -g '$(_noxmk_goals)' -k $(NOXMK_KEEP) -r $(_noxmk_key)$(addprefix \
  $(_noxmk_blank)-c ,$(_noxmk_cue_of)) $*$(_noxmk_args))

# What comes after others only if these run, too.
$(foreach s,$(filter $(_noxmk_late),$(_noxmk_active)),$(eval .noxmk/run/$s: | $(addprefix \
  .noxmk/run/,$(filter $(_noxmk_active),$(_noxmk_after/$s)))))

# Sessions that share a resource wait for each other along one order, so there is no cycle: a reader
# (NAME) for the last writer (NAME+) before it, a writer for the readers since then or, if there are
# none, for that writer. That makes as many edges as there are users, not their square.
define _noxmk_write
.noxmk/run/$(1:+=): | $(or $(_noxmk_readers),$(_noxmk_writer))
_noxmk_readers :=
_noxmk_writer := .noxmk/run/$(1:+=)
endef
define _noxmk_read
.noxmk/run/$1: | $(_noxmk_writer)
_noxmk_readers += .noxmk/run/$1
endef
_noxmk_edges = $(eval _noxmk_readers :=)$(eval _noxmk_writer :=)$(foreach s,$1,$(eval $(if $(filter \
  %+,$s),$(call _noxmk_write,$s),$(call _noxmk_read,$s))))
_noxmk_users = $(filter $(_noxmk_active) $(_noxmk_active:=+),$(_noxmk_resource/$1))
$(foreach r,$(_noxmk_resources),$(if $(filter %+,$(call _noxmk_users,$r)),$(call \
  _noxmk_edges,$(call _noxmk_users,$r))))

# make takes what it finds ready as it walks through its targets. What would come too early so, in
# the place of something more urgent, waits for its cue: the end of another one.
_noxmk_cued := $(if $(_noxmk_ordered),$(filter $(_noxmk_active),$(_noxmk_cued)))
_noxmk_cue_of = $(if $(filter $*,$(_noxmk_cued)),$(_noxmk_cue/$*))
$(foreach s,$(_noxmk_cued),$(eval .noxmk/run/$s: | $(addprefix .noxmk/run/,$(_noxmk_cue/$s))))

# The summary. Before it, sessions that were notified and are not among the goals run in a make of
# their own, under the same jobserver, that reads this file only, in the project's folder. (Its
# command is given through a variable: make runs a line that says MAKE in so many letters even
# under -n.)
_noxmk_make = $(MAKE) -s --no-print-directory -f '$(abspath $(_noxmk_mk))' NOXMK_PROJECT=. \
  NOXMK='$(if $(findstring /,$(NOXMK)),$(abspath $(NOXMK)),$(NOXMK))' NOXMK_JOBS='$(NOXMK_JOBS)'
_noxmk_finish = $(_noxmk_helper) end$(_noxmk_jobs) -k $(NOXMK_KEEP) -r $(_noxmk_key)

.noxmk/end: | .noxmk/begin $(addprefix .noxmk/run/,$(_noxmk_active)) ; $(if \
  $(_noxmk_dry),,$(_noxmk_plus)$(_noxmk_finish) $(_noxmk_goals) -- $(_noxmk_make))

# The target itself fails if its session did. It waits for the summary, so that make's own word
# (`*** [ci] Error 1`) comes last. The summary lists the goals that are well, which spares them the
# verdict's process. A target that is no goal of this make sums up for itself.
_noxmk_well = $(filter $@,$(file <$(_noxmk_in).noxmk/runs/.make-$(_noxmk_key)/.well))
_noxmk_verdict = $(_noxmk_helper) verdict -r $(_noxmk_key) $@
$(_noxmk_goals): | .noxmk/end
$(_noxmk_sessions): %: | .noxmk/run/%
# `@:` starts no process, and keeps make from saying that nothing is to be done. Under -n every goal
# after the first needs a word for that.
_noxmk_more = $(if $(filter-out $(firstword $(_noxmk_goals)),$@),# $@: see above)
$(_noxmk_sessions) $(_noxmk_groups): ; $(if $(filter $@,$(_noxmk_goals)),$(if \
  $(_noxmk_dry),$(_noxmk_more),$(if $(_noxmk_well),@:,$(_noxmk_plus)$(_noxmk_verdict))),$(if \
  $(_noxmk_dry),+@$(_noxmk_helper) show $@,$(_noxmk_plus)$(_noxmk_finish) $@ -- \
  $(_noxmk_make) && $(_noxmk_verdict)))

endif
