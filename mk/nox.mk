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
NOXMK_PROJECT ?= $(or $(if $(wildcard $(NOXMK_NOXFILE)),.),$(_noxmk_beside_makefile),.)
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
_noxmk_noxfile_there = $(wildcard $(dir $(firstword $(MAKEFILE_LIST)))$(NOXMK_NOXFILE))
_noxmk_beside_makefile = $(patsubst %/$(NOXMK_NOXFILE),%,$(_noxmk_noxfile_there))
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
NOXMK_RUN ?=
_noxmk_stat := $(file </proc/self/stat)
_noxmk_random := $(firstword $(subst -, ,$(file </proc/sys/kernel/random/uuid)) 0)
_noxmk_own_key := $(word 1,$(_noxmk_stat))-$(word 22,$(_noxmk_stat))-$(_noxmk_random)
_noxmk_key := $(or $(NOXMK_RUN),$(_noxmk_own_key))

# -n, -q and -t are in the first word of MAKEFLAGS. `+` makes make hand its jobserver on, and also
# makes it run a line under these three, so then there is none.
_noxmk_flags = $(firstword -$(MAKEFLAGS))
_noxmk_dry = $(findstring n,$(_noxmk_flags))
_noxmk_plus = $(if $(_noxmk_dry)$(findstring q,$(_noxmk_flags))$(findstring t,$(_noxmk_flags)),,+)@

.PHONY: ci nox-list rerun-failed
ci:
# What this make is to bring about, ours or not. The plan's rule for a group looks here: a group
# that is a goal waits for the summary, and so for all sessions in their best order, before make
# comes to the sessions of the group in the noxfile's order. A group that something else needs must
# not: the summary is about the goals.
_noxmk_asked := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
nox-list: ; @$(_noxmk_helper) list

## The plan: make remakes an included file that is out of date, and then starts afresh

# A file that is cut off, by whatever, has lost its last word, `end`. Such a file is removed: then
# make makes it anew.
_noxmk_drop = $(warning noxmk: $1 is damaged: it is made anew)$(shell rm -f '$1')
_noxmk_text := $(file <$(_noxmk_plan))
$(if $(filter-out end,$(lastword $(_noxmk_text))),$(call _noxmk_drop,$(_noxmk_plan)))

# make reads order.mk as a makefile, and whoever can write below .noxmk could put a command there.
# All that we write into it are names and times. So a line that begins otherwise than ours is odd,
# and a $, ; or ! that could make make or a shell run something is. Each line becomes one word, its
# blanks ^, so that filter-out can look at its beginning.
define _noxmk_line


endef
# Versions differ in what a # inside a function means.
_noxmk_hash := \#
_noxmk_text := $(file <$(_noxmk_order_file))
_noxmk_lines := $(subst $(_noxmk_line), ,$(subst $(_noxmk_blank),^,$(_noxmk_text)))
_noxmk_ours := $(_noxmk_hash)% _noxmk_order_for^:=% _noxmk_order^:=% _noxmk_resources^:=% \
  _noxmk_resource/% _noxmk_cued^:=% _noxmk_cue/%
_noxmk_odd := $(filter-out $(_noxmk_ours),$(_noxmk_lines)) \
  $(foreach c,$$ ; !,$(findstring $c,$(_noxmk_text))) \
  $(filter-out end,$(lastword $(_noxmk_text)))
$(if $(strip $(_noxmk_odd)),$(call _noxmk_drop,$(_noxmk_order_file)))
_noxmk_text :=
_noxmk_lines :=

-include $(_noxmk_plan) $(_noxmk_order_file)

# Makefiles that a session may not be called like, or make would remake them by running it.
_noxmk_makefiles := $(foreach m,$(MAKEFILE_LIST),$(if $(findstring /,$m),,$m))
# What decides the plan besides files. Compared as text with what the plan was made with.
_noxmk_watched := NOX NOXMK_NOXFILE NOXMK_RESERVED NOXPYTHON NOXEXTRAPYTHON NOXFORCEPYTHON \
  NOXSESSION NOX_DEFAULT_VENV_BACKEND NOX_SCRIPT_MODE PYTHONPATH
# The variable $1 as text, empty if its origin is one of $2.
_noxmk_value = $(if $(filter-out undefined $2,$(origin $1)),$(value $1))
_noxmk_inputs := $(strip $(foreach v,$(_noxmk_watched),$v=$(call _noxmk_value,$v,)) \
  makefiles=$(_noxmk_makefiles))
_noxmk_planned ?=
_noxmk_depends ?=
# And the variables that the noxfile asked for while it was loaded. What make sets by itself, as CC,
# the noxfile does not see.
_noxmk_environ ?=
_noxmk_environ_was ?=
_noxmk_environ_is := $(strip $(foreach v,$(_noxmk_environ), \
  $v=$(call _noxmk_value,$v,default automatic)))
_noxmk_then := $(_noxmk_planned)$(_noxmk_environ_was)
_noxmk_now := $(_noxmk_inputs)$(_noxmk_environ_is)
# Once in a make: a difference that planning does not mend must not go on for ever.
_noxmk_restarted := $(filter-out undefined,$(origin MAKE_RESTARTS))
_noxmk_stale := $(if $(_noxmk_restarted),,$(subst "$(_noxmk_then)",,"$(_noxmk_now)"))
.PHONY: .noxmk/always
# make starts afresh whenever the plan or the order has been remade. One whose date stays in the
# past, or which something else writes at the same time, would be remade for ever; so after the
# fifth time this make goes on with what there is.
_noxmk_given_up := $(if $(_noxmk_restarted),$(filter-out 1 2 3 4 5,$(MAKE_RESTARTS)))
# A make for notified sessions does not plan: it goes on by the plan that its run began with.
ifeq (,$(NOXMK_RUN)$(_noxmk_given_up))
_noxmk_sources := $(wildcard $(addprefix $(_noxmk_in),$(NOXMK_NOXFILE) pyproject.toml)) \
  $(_noxmk_depends) $(wildcard $(NOXMK))
_noxmk_make_plan = $(_noxmk_helper) plan -f '$(NOXMK_NOXFILE)' \
  -i '$(subst ','\'',$(_noxmk_inputs))' -R '$(NOXMK_RESERVED) $(_noxmk_makefiles)' -- $(NOX)
$(_noxmk_plan): $(_noxmk_sources) $(if $(_noxmk_stale),.noxmk/always) ; +@$(_noxmk_make_plan)
# A file of the plan that is gone makes the plan stale; it is no error (as gcc -MP). The empty
# recipe keeps make from trying its built-in rules on each of them, which would double its start-up
# time.
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
_noxmk_none_failed = @echo 'noxmk: nothing to rerun: all was well'
_noxmk_rerun = $(if $(_noxmk_failed),$(if $(_noxmk_dry),,@:),$(_noxmk_none_failed))
rerun-failed: | $(_noxmk_failed) ; $(_noxmk_rerun)
endif

# The goals that are ours, and the sessions behind them. A goal of the including makefile's own may
# bring in more: each of these then sums up for itself.
_noxmk_wanted := $(patsubst rerun-failed,$(_noxmk_failed),$(_noxmk_asked))
_noxmk_goals := $(filter $(_noxmk_sessions) $(_noxmk_groups),$(_noxmk_wanted))
_noxmk_default := $(.DEFAULT_GOAL)
# In the order that order.mk thinks best, by what they took before; then those that it does not
# know.
_noxmk_ranked := $(filter $(_noxmk_sessions),$(_noxmk_order)) \
  $(filter-out $(_noxmk_order),$(_noxmk_sessions))
_noxmk_active := $(filter $(foreach g,$(_noxmk_goals),$(_noxmk/$g)),$(_noxmk_ranked))

# order.mk is for some sessions and for one -j, which make tells in recipes only. So its recipe
# looks, and is empty if it fits; else make begins anew with what it has written. (The plan is no
# prerequisite: make would not begin anew for a makefile that it has remade for another one's sake.)
# A blank with a backslash is within a word of MAKEFLAGS: ARGS=-k\ -j9.
_noxmk_ordered := $(if $(subst "$(sort $(_noxmk_order))",,"$(sort $(_noxmk_active))"),,yes)
_noxmk_jobs_option = $(lastword $(filter -j%,$(subst \ ,,$(subst \\,,$(MAKEFLAGS)))))
_noxmk_order_fits = $(and $(_noxmk_ordered),$(filter $(_noxmk_order_for),$(_noxmk_jobs_option)))
_noxmk_parallel = $(and $(word 2,$(_noxmk_active)),$(filter-out -j1,$(_noxmk_jobs_option)))
_noxmk_order_stale = $(and $(_noxmk_parallel),$(if $(_noxmk_order_fits),,yes))
_noxmk_make_order = +@$(_noxmk_helper) order$(_noxmk_jobs) $(_noxmk_goals)
ifeq (,$(_noxmk_given_up))
$(_noxmk_order_file): .noxmk/always ; $(if $(_noxmk_order_stale),$(_noxmk_make_order))
endif

_noxmk_alone := $(filter 1,$(words $(_noxmk_active)))
_noxmk_live := $(if $(filter live $(if $(_noxmk_alone),auto),$(NOXMK_OUTPUT)), -l)
_noxmk_jobs = $(if $(NOXMK_JOBS), -j $(NOXMK_JOBS))
# A word for each knob that may end the run early; like ARGS, two of them have plain names.
_noxmk_plain = $(if $(filter-out undefined environment,$(origin $1)),$($1))
_noxmk_option = $(if $2,-o $1=$(firstword $2))
_noxmk_policy := $(call _noxmk_option,fail-fast,$(call _noxmk_plain,FAIL_FAST)) \
  $(call _noxmk_option,max-fail,$(call _noxmk_plain,MAX_FAIL)) \
  $(call _noxmk_option,deadline,$(NOXMK_DEADLINE)) \
  $(call _noxmk_option,flaky,$(NOXMK_FLAKY))
_noxmk_args = $(if $(filter-out undefined environment,$(origin ARGS)), -- $(ARGS))

_noxmk_runs := $(addprefix .noxmk/run/,$(_noxmk_sessions))
.PHONY: .noxmk/begin .noxmk/end $(_noxmk_groups) $(_noxmk_sessions) $(_noxmk_runs)

# Whatever shell the including makefile likes, these lines are for sh.
ifneq (/bin/sh -c,$(SHELL) $(.SHELLFLAGS))
.noxmk/% $(_noxmk_plan) nox-list $(_noxmk_groups) $(_noxmk_sessions): private SHELL := /bin/sh
.noxmk/% $(_noxmk_plan) nox-list $(_noxmk_groups) $(_noxmk_sessions): private .SHELLFLAGS := -c
endif

# -n shows the plan here. The goals were worked out above, so a default goal that is set below comes
# too late.
_noxmk_default_holds = $(MAKECMDGOALS)$(filter $(_noxmk_default),$(.DEFAULT_GOAL))
_noxmk_too_late := noxmk: set .DEFAULT_GOAL above `include nox.mk`, not below
_noxmk_show = $(if $(and $(_noxmk_dry),$(_noxmk_goals)),+@$(_noxmk_helper) show $(_noxmk_goals))
.noxmk/begin: ; $(if $(_noxmk_default_holds),,$(error $(_noxmk_too_late)))$(_noxmk_show)

# One helper a session; the first one makes the run's folder. It records the verdict and succeeds,
# so that no failure hides another; and if it is killed, the others run all the same (`-`): without
# a record of that session its goals fail.
_noxmk_run = $(_noxmk_helper) run$(_noxmk_live)$(_noxmk_jobs) $(_noxmk_policy) \
  -g '$(_noxmk_goals)' -k $(NOXMK_KEEP) -r $(_noxmk_key) \
  $(addprefix -c ,$(_noxmk_cue_of)) $*$(_noxmk_args)
$(_noxmk_runs): .noxmk/run/%: | .noxmk/begin ; $(if $(_noxmk_dry),,$(_noxmk_plus)-$(_noxmk_run))

# What comes after others only if these run, too.
_noxmk_first = $(addprefix .noxmk/run/,$(filter $(_noxmk_active),$(_noxmk_after/$1)))
$(foreach s,$(filter $(_noxmk_late),$(_noxmk_active)), \
  $(eval .noxmk/run/$s: | $(call _noxmk_first,$s)))

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
_noxmk_edge = $(if $(filter %+,$1),$(call _noxmk_write,$1),$(call _noxmk_read,$1))
_noxmk_edges = $(eval _noxmk_readers :=)$(eval _noxmk_writer :=) \
  $(foreach s,$1,$(eval $(call _noxmk_edge,$s)))
_noxmk_users = $(filter $(_noxmk_active) $(_noxmk_active:=+),$(_noxmk_resource/$1))
# Readers alone do not wait for each other.
_noxmk_keep_apart = $(if $(filter %+,$1),$(call _noxmk_edges,$1))
$(foreach r,$(_noxmk_resources),$(call _noxmk_keep_apart,$(call _noxmk_users,$r)))

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

.noxmk/end: | .noxmk/begin $(addprefix .noxmk/run/,$(_noxmk_active))
.noxmk/end: ; $(if $(_noxmk_dry),,$(_noxmk_plus)$(_noxmk_finish) $(_noxmk_goals) -- $(_noxmk_make))

# The targets that people name. A target fails if its session did. It waits for the summary, so that
# make's own word (`*** [ci] Error 1`) comes last. There are four recipes: for a goal of this make,
# and for one that only a rule of the including makefile needs, each also under -n.
$(_noxmk_goals): | .noxmk/end
$(_noxmk_sessions): %: | .noxmk/run/%
$(_noxmk_sessions) $(_noxmk_groups): ; $(_noxmk_target/$(_noxmk_part)$(if $(_noxmk_dry),-n))
_noxmk_part = $(if $(filter $@,$(_noxmk_goals)),goal,needed)

# The summary lists the goals that are well, which spares them the verdict's process. `@:` starts
# none either, and keeps make from saying that nothing is to be done.
_noxmk_well = $(filter $@,$(file <$(_noxmk_in).noxmk/runs/.make-$(_noxmk_key)/.well))
_noxmk_verdict = $(_noxmk_helper) verdict -r $(_noxmk_key) $@
_noxmk_target/goal = $(if $(_noxmk_well),@:,$(_noxmk_plus)$(_noxmk_verdict))

# .noxmk/begin has shown the plan for all goals. make takes it for what the first goal does, and
# would call each further one up to date, which is wrong; so these print a comment.
_noxmk_more = $(if $(filter-out $(firstword $(_noxmk_goals)),$@),$(_noxmk_hash) $@: see above)
_noxmk_target/goal-n = $(_noxmk_more)

# .noxmk/end does not know of this one: it sums up, and shows its plan, for itself.
_noxmk_target/needed = $(_noxmk_plus)$(_noxmk_finish) $@ -- $(_noxmk_make) && $(_noxmk_verdict)
_noxmk_target/needed-n = +@$(_noxmk_helper) show $@

endif
