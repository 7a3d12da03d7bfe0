# nox.mk: each session of a noxfile as a make target.
#
#     include nox.mk
#
# gives `make ci` (the sessions that plain nox would run), a target for every session and for every
# group of them (all pythons of one, all parameters, a tag), and `make nox-list`, which names them.
# Put it below your own rules, or set .DEFAULT_GOAL above it: else plain `make` means `make ci`.
#
# All names of ours start with NOXMK_ or _noxmk., all helper targets with .noxmk/. (A dot in a name
# keeps it out of the environment where a makefile says `export` for everything.) Recipes stand
# behind a `;`, so .RECIPEPREFIX may be anything, and are one line each, so may .ONESHELL.

ifndef _noxmk.mk
_noxmk.mk := $(lastword $(MAKEFILE_LIST))

ifneq (,$(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)))
$(error noxmk needs GNU make 4.2 or newer, and this is $(MAKE_VERSION))
endif

## Knobs: in the including makefile, the environment or on make's command line

# nox's command, which may be several words: python3 -m nox, uvx nox
NOX ?= nox
# the noxfile, seen from the project's folder
NOXMK_NOXFILE ?= noxfile.py
# the project's folder: the current one, or that of the first makefile if only that has the noxfile
NOXMK_PROJECT ?= $(_noxmk.found)
# names that the including makefile keeps for itself: a session `clean` becomes nox-clean
NOXMK_RESERVED ?=
# the state folder, where what must last between makes is kept: absolute, or seen from the project
# [.nox/.noxmk]
NOXMK_STATE ?=
# how many runs to keep in the state folder
NOXMK_KEEP ?= 20
# stream: show the output while it comes; prefix: with the session's name in each line; final: the
# logs of failed ones at the end; failed: at once how they end; board: what runs, on a terminal;
# quiet: only the summary; auto: stream when one session runs alone, else board; see nox.mk(5)
NOXMK_OUTPUT ?= auto
# how many sessions run at once under `make -j` without a number [the CPUs that we may use]
NOXMK_JOBS ?=
# strict: no session's tools start more than its job slots at once; shared: they are told of all
# processors, and wait while others use them
NOXMK_BUDGET ?= shared
# how long a run may take: 20m; then its sessions end
NOXMK_DEADLINE ?=
# fail: a session that passes only when it is retried counts as failed
NOXMK_FLAKY ?=
# after how long a silence a CI is told what runs: 60, 5m; 0: never
NOXMK_HEARTBEAT ?=
# 0: no session becomes a status of the commit, as each does on Forgejo and Gitea
NOXMK_STATUS ?=
# 0: a session that runs alone on a terminal cannot ask, and writes into a pipe as all others do
NOXMK_TERMINAL ?=
# 1: sessions that failed while others ran are run once more, alone, and the summary says whether
# they fail so, too; 25%: for at most that share of the run's time; 0: none is [in a CI 25%, else 0]
NOXMK_RECHECK ?=
# reports to write at the end of each run into its folder, besides junit.xml: html json md svg
# trace
NOXMK_REPORT ?=
# 1: what sessions touch is watched, and the end of the run tells where they met
NOXMK_WATCH ?=
# 2/4: run only what is of the second of four machines; or what `noxmk matrix` has for a machine
NOXMK_SHARD ?=
# 1: where many sessions follow, nox reads the noxfile once, and they are forked from that process;
# always: also where it does not pay
NOXMK_FORK ?=
# durations for sessions that have not run here yet: a history.json from elsewhere
NOXMK_HISTORY ?=
export NOXMK_HISTORY
# conflicts that audits have seen elsewhere, for hazards = "learn": a hazards.json
NOXMK_HAZARDS ?=
export NOXMK_HAZARDS
# the helper [the one that was installed with this file, or what is on PATH]
NOXMK ?= $(or $(wildcard $(dir $(_noxmk.mk))../bin/noxmk),noxmk)
# ARGS, words for the sessions (nox's posargs), FAIL_FAST=1 (or wait: for those that run) and
# MAX_FAIL=N count from the command line or a makefile, not from the environment, where something
# else may be called so.

_noxmk.nothing :=
_noxmk.blank := $(_noxmk.nothing) $(_noxmk.nothing)
# What comes from make's command line or the environment is text. make would expand it where it is
# used, and when it hands it on to each recipe's environment: one that is := stays as it is.
_noxmk.knobs_all := NOX NOXMK NOXMK_NOXFILE NOXMK_PROJECT NOXMK_STATE NOXMK_RESERVED NOXMK_KEEP \
  NOXMK_OUTPUT NOXMK_JOBS NOXMK_BUDGET NOXMK_DEADLINE NOXMK_FLAKY NOXMK_HISTORY \
  NOXMK_HEARTBEAT NOXMK_STATUS NOXMK_TERMINAL NOXMK_RECHECK NOXMK_REPORT NOXMK_WATCH NOXMK_SHARD \
  NOXMK_HAZARDS NOXMK_FORK
_noxmk.freeze = $(eval $2$1 := $$(value $1))$(eval export $1)
_noxmk.from = $(filter $2,$(subst $(_noxmk.blank),-,$(origin $1)))
_noxmk.plain_names := ARGS FAIL_FAST MAX_FAIL
$(foreach k,$(_noxmk.knobs_all) $(_noxmk.plain_names),$(if $(call \
  _noxmk.from,$k,command-line),$(call _noxmk.freeze,$k,override )))
$(foreach k,$(_noxmk.knobs_all),$(if $(call \
  _noxmk.from,$k,environment environment-override),$(call _noxmk.freeze,$k,)))

# One that is set but empty is not set.
_noxmk.unless_empty = $(if $(strip $(value $1)),,$(eval override $1 := $2))
$(call _noxmk.unless_empty,NOX,nox)
$(call _noxmk.unless_empty,NOXMK_NOXFILE,noxfile.py)
$(call _noxmk.unless_empty,NOXMK,noxmk)

## What this make is about

define _noxmk.line


endef
# Versions differ in what a # inside a function means.
_noxmk.hash := \#
_noxmk.comma := ,
# Text as one word of a recipe's line.
_noxmk.quote = '$(subst ','\'',$1)'
_noxmk.beside = $(wildcard $(dir $(firstword $(MAKEFILE_LIST)))$(NOXMK_NOXFILE))
_noxmk.found = $(or $(if $(wildcard $(NOXMK_NOXFILE)),.),$(_noxmk.beside:%/$(NOXMK_NOXFILE)=%),.)
_noxmk.project_is = $(patsubst ./%,%,$(or $(strip $(NOXMK_PROJECT)),$(_noxmk.found)))
_noxmk.project := $(_noxmk.project_is)
_noxmk.noxfile := $(NOXMK_NOXFILE)
ifneq (1,$(words $(_noxmk.project)))
$(error noxmk: the path in NOXMK_PROJECT has a blank, which make cannot handle: \
  "$(NOXMK_PROJECT)". Run make inside that folder instead)
endif
_noxmk.in := $(if $(filter-out .,$(_noxmk.project)),$(_noxmk.project)/)
_noxmk.state := $(if $(filter /%,$(NOXMK_STATE)),,$(_noxmk.in))$(or $(NOXMK_STATE),.nox/.noxmk)
_noxmk.odd_characters := ' " ` $$ % : ; | & ~ \ * ? [ ( ) < > $(_noxmk.hash)
_noxmk.unfit := $(foreach c,$(_noxmk.odd_characters),$(findstring $c,$(NOXMK_STATE)))
ifneq (1,$(words $(_noxmk.state) $(_noxmk.unfit)))
$(error noxmk: the path in NOXMK_STATE has a blank, or a character that make or the shell would \
  take for its own: "$(NOXMK_STATE)")
endif
_noxmk.plan := $(_noxmk.state)/sessions.mk
_noxmk.own_file := $(_noxmk.state)/own.mk
_noxmk.order_file := $(_noxmk.state)/order.mk
_noxmk.quoted_project = $(call _noxmk.quote,$(_noxmk.project))
_noxmk.quoted_state = $(call _noxmk.quote,$(NOXMK_STATE))
_noxmk.helper := $(call _noxmk.quote,$(NOXMK))$(if $(_noxmk.in), -C $(_noxmk.quoted_project)) \
  $(if $(NOXMK_STATE),-S $(_noxmk.quoted_state))
# A folder that we may not enter, somebody else's: the plan's recipe says so, and once is enough.
_noxmk.shut := $(foreach d,$(_noxmk.state) $(patsubst %/,%,$(dir $(_noxmk.state))), \
  $(if $(wildcard $d),$(if $(wildcard $d/.),,$d)))
# Before make reads anything in there it has to be sure that these are plain files of ours: it
# would wait for ever for a FIFO. The helper removes what is not, or says that it cannot. This is no
# recipe, in which the shell would be ours: one that is none at all is not asked.
_noxmk.mend = $(if $(wildcard $(_noxmk.state)/.),$(if $(filter %sh,$(notdir $(SHELL))),$(shell \
  $(_noxmk.helper) mend)))
_noxmk.closed := $(or $(strip $(_noxmk.shut)),$(filter unsound,$(_noxmk.mend)))
# The text of a file.
_noxmk.read = $(if $(_noxmk.closed),,$(if $(wildcard $1),$(file <$1)))

# This make's name: its pid and start time, by which the helper knows whether it is alive, and a
# random word, since a machine that is booted anew may repeat both. $(file <) needs no process.
# A make that we start ourselves for notified sessions belongs to the same run.
NOXMK_RUN ?=
_noxmk.stat := $(file </proc/self/stat)
_noxmk.random := $(firstword $(subst -, ,$(file </proc/sys/kernel/random/uuid)) 0)
_noxmk.own_key := $(word 1,$(_noxmk.stat))-$(word 22,$(_noxmk.stat))-$(_noxmk.random)
_noxmk.key := $(or $(NOXMK_RUN),$(_noxmk.own_key))
# Of several machines this one; what sessions have notified, it runs whole.
_noxmk.shard := $(if $(NOXMK_RUN),,$(strip $(NOXMK_SHARD)))

# -n, -q and -t are in the first word of MAKEFLAGS. `+` makes make hand its jobserver on, and also
# makes it run a line under these three, so then there is none.
_noxmk.flags = $(firstword -$(MAKEFLAGS))
_noxmk.dry = $(findstring n,$(_noxmk.flags))
_noxmk.idle = $(_noxmk.dry)$(findstring q,$(_noxmk.flags))$(findstring t,$(_noxmk.flags))
_noxmk.plus = $(if $(_noxmk.idle),,+)@

# `noxmk graph` has make read the makefiles once more, for what they say themselves: then none of
# the rules below.
ifndef NOXMK_GRAPH

.PHONY: ci nox-list nox-plan nox-audit rerun-failed
ci:

## What the makefiles say of our targets: own.mk (makefile/own.h), remade when they change

# Like order.mk below it is refused when it has lost its end, or has what is none of ours.
_noxmk.own_text := $(call _noxmk.read,$(_noxmk.own_file))
_noxmk.own_lines := $(subst $(_noxmk.line), ,$(subst $(_noxmk.blank),^,$(_noxmk.own_text)))
_noxmk.own_odd := $(filter-out $(_noxmk.hash)% _noxmk.own%,$(_noxmk.own_lines)) \
  $(foreach c,$$ ; !,$(findstring $c,$(_noxmk.own_text))) \
  $(filter-out end,$(lastword $(_noxmk.own_text)))
_noxmk.drop = $(warning noxmk: $1 is damaged: it is made anew)$(shell rm -f $(call _noxmk.quote,$1))
$(if $(strip $(_noxmk.own_odd)),$(call _noxmk.drop,$(_noxmk.own_file)))
_noxmk.own_text :=
_noxmk.own_lines :=
-include $(if $(_noxmk.closed),,$(_noxmk.own_file))
_noxmk.own_of ?=
_noxmk.own_plan ?=
_noxmk.own_files ?=
_noxmk.own_goals ?=
_noxmk.own_targets ?=
_noxmk.own_inners ?=
_noxmk.own_recipes ?=

# What this make is to bring about, ours or not, and what the makefiles' goals lead to. The plan's
# rule for a group looks here: a group that is a goal waits for the summary, and so for all sessions
# in their best order, before make comes to the sessions of the group in the noxfile's order. A
# group that something else needs must not: the summary is about the goals.
_noxmk.asked := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
_noxmk.led_to := $(foreach g,$(filter $(_noxmk.own_goals),$(_noxmk.asked)),$(_noxmk.own_goal/$g))
_noxmk.all_asked := $(_noxmk.asked) $(filter-out $(_noxmk.asked),$(sort $(_noxmk.led_to)))
_noxmk.asked := $(filter-out $(_noxmk.own_inners),$(_noxmk.all_asked))

# Which makefiles there are is known in recipes only. One that has no colon has no rule, and so the
# usual one, which only includes us, costs nothing. Other names are long: then their number does.
_noxmk.files := $(_noxmk.mk) $(_noxmk.plan) $(_noxmk.own_file) $(_noxmk.order_file)
_noxmk.others = $(filter-out $(_noxmk.files),$(MAKEFILE_LIST))
_noxmk.texts = $(foreach f,$(_noxmk.others),$(file <$f))
_noxmk.rules = $(findstring :,$(subst :=,,$(_noxmk.texts)))
_noxmk.named = $(if $(word 1000,$(_noxmk.others)),$(words $(_noxmk.others)),$(_noxmk.others))
# Without what would be odd in own.mk.
_noxmk.of = $(if $(_noxmk.rules),$(foreach f,$(_noxmk.named),$(subst $$,^,$(subst \
  ;,^,$(subst !,^,$(subst $(_noxmk.hash),^,$f))))))
_noxmk.own_is := $(_noxmk.own_of)
_noxmk.own_then := $(_noxmk.own_plan)
_noxmk.own_now = $(strip $(_noxmk.sessions_planned) $(_noxmk.groups_planned))
_noxmk.own_changed = $(subst "$(_noxmk.own_is)",,"$(_noxmk.of)")$(if $(_noxmk.own_is),$(subst \
  "$(_noxmk.own_then)",,"$(_noxmk.own_now)")$(filter-out .noxmk/always,$?))
# make itself reads those of MAKEFILES first.
_noxmk.read_by = -d $(call _noxmk.quote,$(CURDIR)) \
  -f $(call _noxmk.quote,$(firstword $(filter-out $(MAKEFILES),$(MAKEFILE_LIST))))
_noxmk.graph = @-$(_noxmk.helper) graph $(_noxmk.read_by) -i $(call \
  _noxmk.quote,$(_noxmk.of)) -- $(MAKE)

# The plan made anew, whether or not anything has changed that noxmk knows of.
nox-plan: ; $(if $(_noxmk.dry),,$(_noxmk.plus)$(_noxmk.helper) plan)

# Which sessions must not run at the same time: it runs them in a make of its own.
nox-audit: ; $(if $(_noxmk.dry),,$(_noxmk.plus)$(_noxmk.helper) audit)

## The plan: make remakes an included file that is out of date, and then starts afresh

# A file that is cut off, by whatever, has lost its last word, `end`. Such a file is removed: then
# make makes it anew.
_noxmk.content := $(call _noxmk.read,$(_noxmk.plan))
$(if $(filter-out end,$(lastword $(_noxmk.content))),$(call _noxmk.drop,$(_noxmk.plan)))

# make reads order.mk as a makefile, and whoever can write to the state folder could put a command
# there. All that we write into it are names and times. So a line that begins otherwise than ours is
# odd, and a $, ; or ! that could make make or a shell run something is. Each line becomes one word,
# its blanks ^, so that filter-out can look at its beginning.
_noxmk.content := $(call _noxmk.read,$(_noxmk.order_file))
_noxmk.lines := $(subst $(_noxmk.line), ,$(subst $(_noxmk.blank),^,$(_noxmk.content)))
_noxmk.ours := $(_noxmk.hash)% _noxmk.order_for^:=% _noxmk.order^:=% _noxmk.resources^:=% \
  _noxmk.resource/% _noxmk.cued^:=% _noxmk.cue/%
_noxmk.odd := $(filter-out $(_noxmk.ours),$(_noxmk.lines)) \
  $(foreach c,$$ ; !,$(findstring $c,$(_noxmk.content))) \
  $(filter-out end,$(lastword $(_noxmk.content)))
$(if $(strip $(_noxmk.odd)),$(call _noxmk.drop,$(_noxmk.order_file)))
_noxmk.content :=
_noxmk.lines :=

-include $(if $(filter unsound,$(_noxmk.closed)),,$(_noxmk.plan)) \
  $(if $(_noxmk.closed),,$(_noxmk.order_file))

# In the place of a plan the goals that nothing is behind, as of this make.
_noxmk.restarted := $(filter-out undefined,$(origin MAKE_RESTARTS))
_noxmk.refused ?=
_noxmk.refused := $(filter $(or $(MAKECMDGOALS),%),$(_noxmk.refused))
ifneq (,$(and $(_noxmk.restarted),$(_noxmk.refused)))
$(shell rm -f $(call _noxmk.quote,$(_noxmk.plan)))
$(error noxmk: $(_noxmk.refused): no recipe makes that, and there is no plan to run by: see the \
  message above)
endif

# Makefiles that a session may not be called like, or make would remake them by running it.
_noxmk.makefiles := $(foreach m,$(MAKEFILE_LIST),$(if $(findstring /,$m),,$m))
# User text is data: the helper gets it by the environment, and no shell reads it. $(call
# _noxmk.text,NAME) is that of a variable: as it stands in the environment and on make's command
# line, expanded only if a makefile has set it.
_noxmk.text = $(if $(filter command environment,$(firstword $(origin $1))),$(value $1),$($1))
# make would expand what its command line sets for each recipe's environment.
ifeq (command line,$(origin NOX))
unexport NOX
endif
$(_noxmk.plan) nox-plan: private export NOXMK_TOLD_NOX = $(call _noxmk.text,NOX)
$(_noxmk.plan) nox-plan: private export NOXMK_TOLD_NOXFILE = $(call _noxmk.text,NOXMK_NOXFILE)
$(_noxmk.plan) nox-plan: private export NOXMK_TOLD_RESERVED = \
  $(strip $(call _noxmk.text,NOXMK_RESERVED) $(_noxmk.makefiles))

.PHONY: .noxmk/always
# make starts afresh whenever the plan or the order has been remade. One whose date stays in the
# past, or which something else writes at the same time, would be remade for ever; so after the
# fifth time this make goes on with what there is.
_noxmk.given_up := $(if $(_noxmk.restarted),$(filter-out 1 2 3 4 5,$(MAKE_RESTARTS)))
# A make for notified sessions does not plan: it goes on by the plan that its run began with.
ifeq (,$(NOXMK_RUN)$(_noxmk.given_up))
# In every make the helper compares all that the plan rests on with what is there, and writes the
# file only if the plan has become another one. Where there can be none, it looks for goals that
# make would call done though nothing has run: a folder may have the name of the session.
_noxmk.unmade = $(_noxmk.helper) unmade -i $(call _noxmk.quote,$(_noxmk.noxfile)) \
  $(_noxmk.read_by) -R $(call _noxmk.quote,$(_noxmk.others)) \
  $(foreach g,$1,$(call _noxmk.quote,$g)) -- $(MAKE)
_noxmk.try_unmade = $(and $1,$(_noxmk.has_rules), || { [ $$? -lt 126 ] && $(_noxmk.unmade); })
_noxmk.goals_but_ours = $(call _noxmk.others_of,$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL)))
_noxmk.or_unmade = $(call _noxmk.try_unmade,$(filter-out -%,$(_noxmk.goals_but_ours)))
$(_noxmk.plan): .noxmk/always ; +@$(_noxmk.helper) plan -s$(_noxmk.or_unmade)
# The empty recipe keeps make from trying its built-in rules on it.
$(_noxmk.mk): ;
endif

## The sessions of this make

_noxmk.sessions ?=
_noxmk.groups ?=
_noxmk.late ?=
_noxmk.order ?=
_noxmk.order_for ?=
_noxmk.resources ?=
_noxmk.cued ?=
# `noxmk audit` traces sessions in the noxfile's order, which shows what one takes from another, or
# in one that it wants to try.
_noxmk.traced := $(if $(value NOXMK_TRACE),yes)
ifneq (,$(_noxmk.traced))
_noxmk.order := $(value NOXMK_ORDER)
_noxmk.resources :=
endif
_noxmk.sessions_planned := $(_noxmk.sessions)
_noxmk.groups_planned := $(_noxmk.groups)
# An old plan may hold a name that a makefile has got since: make would run it to remake that.
_noxmk.sessions := $(filter-out $(_noxmk.makefiles),$(_noxmk.sessions))
_noxmk.groups := $(filter-out $(_noxmk.makefiles),$(_noxmk.groups))
# rerun-failed stands for what was not well when it was last to run.
_noxmk.failed := $(filter $(_noxmk.sessions),$(call _noxmk.read,$(_noxmk.state)/failed))
# Without a plan nothing of ours runs; other goals of the including makefile still do.
ifneq (,$(_noxmk.groups))
nox-list: ; @$(_noxmk.helper) list
endif
ifeq (,$(_noxmk.groups))
_noxmk.no_plan := noxmk: there is no plan to run by: see the message above
_noxmk.tell = @echo '$(_noxmk.no_plan)' >&2; exit 2
_noxmk.refuse = $(if $(_noxmk.idle),$(error $(_noxmk.no_plan)),$(_noxmk.tell))
ci rerun-failed nox-list: ; $(_noxmk.refuse)
else ifeq (,$(filter rerun-failed,$(NOXMK_RESERVED)))
# make does not come to the end of a run if what a makefile has made first fails.
_noxmk.has_end = $(wildcard $(_noxmk.state)/latest/.ended)
_noxmk.endless = $(if $(wildcard $(_noxmk.state)/latest/.run.json),$(if $(_noxmk.has_end),,yes))
_noxmk.no_end = noxmk: the last run has not come to its end: `noxmk end` sums it up
_noxmk.tell_endless = @echo '$(_noxmk.no_end)' >&2; exit 2
_noxmk.none_failed = $(if $(_noxmk.endless),$(_noxmk.tell_endless),@echo \
  'noxmk: nothing to rerun: all was well')
_noxmk.rerun = $(if $(_noxmk.failed),$(if $(_noxmk.dry),,@:),$(_noxmk.none_failed))
rerun-failed: | $(_noxmk.failed) ; $(_noxmk.rerun)
endif

# A goal that is nobody's is told before anything runs, with the target that may be meant. That it
# is nobody's is certain where the makefiles have no rules, and there is no file (but a folder) of
# that name, or one that a rule of make's own could start from. Without a plan a file is no excuse.
_noxmk.others_of = $(filter-out $(_noxmk.sessions) $(_noxmk.groups) $(_noxmk.files) ci nox-list \
  nox-plan nox-audit rerun-failed .noxmk/%,$1)
_noxmk.not_ours = $(call _noxmk.others_of,$(filter-out $(MAKEFILE_LIST),$(MAKECMDGOALS)))
_noxmk.includes = $(words $(filter %include,$(_noxmk.texts)))
_noxmk.has_rules = $(_noxmk.rules)$(filter --eval%,$(MAKEFLAGS))$(filter-out 0 1,$(_noxmk.includes))
_noxmk.odd_in = $(foreach c,$(_noxmk.odd_characters),$(findstring $c,$1))
_noxmk.fits = $(if $(wildcard $1/.),,$(if $(_noxmk.groups),$(wildcard $1)) \
  $(wildcard $1.* $(basename $1).*))
_noxmk.is_slip = $(if $(strip $(call _noxmk.odd_in,$1)$(call _noxmk.fits,$1)),,$1)
_noxmk.slips := $(if $(_noxmk.not_ours),$(if $(_noxmk.has_rules),,$(foreach \
  g,$(_noxmk.not_ours),$(call _noxmk.is_slip,$g))))
.PHONY: $(_noxmk.slips)
.noxmk/begin: | $(_noxmk.slips)
$(_noxmk.slips): ; $(if $(_noxmk.groups),+@$(_noxmk.helper) show '$@',$(_noxmk.refuse))

# The goals that are ours, and the sessions behind them. What own.mk does not know may bring in
# more: each of these then sums up for itself.
_noxmk.wanted := $(patsubst rerun-failed,$(_noxmk.failed),$(_noxmk.all_asked))
_noxmk.goals := $(filter $(_noxmk.sessions) $(_noxmk.groups),$(_noxmk.wanted))
_noxmk.default := $(.DEFAULT_GOAL)
_noxmk.behind_goals := $(foreach g,$(_noxmk.goals),$(_noxmk/$g))
# Of these, what is of this machine: the helper divides them, as it does on all machines. It is
# asked once more before anything runs, by a plan that is certainly the newest, and then says what
# is wrong. make 4.3 hands no variable on to $(shell).
_noxmk.divide = env NOXMK_HISTORY=$(call _noxmk.quote,$(NOXMK_HISTORY)) $(_noxmk.helper) shard \
  $(call _noxmk.quote,$(_noxmk.shard)) $(_noxmk.goals)
_noxmk.divides := $(and $(_noxmk.shard),$(_noxmk.goals))
_noxmk.divided := $(and $(_noxmk.divides),$(filter %sh,$(notdir $(SHELL))),$(shell \
  $(_noxmk.divide) 2>/dev/null))
_noxmk.of_all := $(if $(_noxmk.divides),$(sort $(_noxmk.behind_goals)))
ifneq (,$(_noxmk.divides))
_noxmk.behind_goals := $(wordlist 2,$(words $(_noxmk.divided)),$(_noxmk.divided))
endif
_noxmk.of_others := $(filter-out $(_noxmk.behind_goals),$(_noxmk.of_all))
# What the makefiles' own prerequisites bring in, besides.
_noxmk.owning = $(filter $(_noxmk.own_targets),$(_noxmk.goals) $1)
_noxmk.each_own = $(foreach t,$(call _noxmk.owning,$2),$(_noxmk.own_$1/$t))
_noxmk.brought := $(filter-out $(_noxmk.of_others),$(sort $(call \
  _noxmk.each_own,brings,$(_noxmk.behind_goals))))
# In the order that order.mk thinks best, by what they took before; then those that it does not
# know.
_noxmk.ranked := $(filter $(_noxmk.sessions),$(_noxmk.order)) \
  $(filter-out $(_noxmk.order),$(_noxmk.sessions))
_noxmk.active := $(filter $(_noxmk.behind_goals) $(_noxmk.brought),$(_noxmk.ranked))
# Those that end before the summary, since a prerequisite of a session waits for them.
_noxmk.inner := $(patsubst rerun-failed,$(_noxmk.failed),$(call \
  _noxmk.each_own,inner,$(_noxmk.active)))

# What the helper is to know, in the form of src/state/request.h.
_noxmk.knob = $1=$(strip $(_noxmk.text))$(_noxmk.line)
# Plain names count only if they are meant for us.
_noxmk.meant = $(filter-out undefined environment,$(origin $1))
_noxmk.plain = $(if $(_noxmk.meant),$(_noxmk.text))
_noxmk.plain_knob = $1=$(strip $(_noxmk.plain))$(_noxmk.line)
_noxmk.knobs = $(call _noxmk.knob,NOXMK_OUTPUT)$(call _noxmk.knob,NOXMK_JOBS)$(call \
  _noxmk.knob,NOXMK_BUDGET)$(call _noxmk.knob,NOXMK_KEEP)$(call _noxmk.knob,NOXMK_DEADLINE)$(call \
  _noxmk.knob,NOXMK_FLAKY)$(call _noxmk.knob,NOXMK_HEARTBEAT)$(call \
  _noxmk.knob,NOXMK_STATUS)$(call _noxmk.knob,NOXMK_TERMINAL)$(call \
  _noxmk.knob,NOXMK_RECHECK)$(call _noxmk.knob,NOXMK_REPORT)$(call \
  _noxmk.knob,NOXMK_WATCH)$(call _noxmk.knob,NOXMK_SHARD)$(call \
  _noxmk.knob,NOXMK_FORK)$(call \
  _noxmk.plain_knob,FAIL_FAST)$(call _noxmk.plain_knob,MAX_FAIL)
_noxmk.request_goals = $(if $(_noxmk.divides),$(_noxmk.active),$(_noxmk.goals) $(filter-out \
  $(_noxmk.goals),$(_noxmk.brought)))
_noxmk.left = $(if $(_noxmk.divides),left=$(_noxmk.of_others)$(_noxmk.line))
# How these went, no helper of ours comes to know.
_noxmk.not_ours = $(filter-out $(_noxmk.sessions) $(_noxmk.groups) rerun-failed nox-audit nox-list \
  nox-plan,$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL)))
_noxmk.besides = $(if $(_noxmk.not_ours),own=$(_noxmk.not_ours)$(_noxmk.line))
_noxmk.alone = $(if $(word 2,$(_noxmk.active)),,$(_noxmk.active))
# Names like ours that we do not know, with those that we do: somebody may have meant one of these.
# A makefile may have variables of its own.
_noxmk.like_ours = $(filter-out $(_noxmk.knobs_all),$(filter NOXMK_%,$(.VARIABLES)))
_noxmk.unknown = $(foreach k,$(_noxmk.like_ours),$(if $(call \
  _noxmk.from,$k,command-line environment environment-override),$k))
_noxmk.known = known=$(_noxmk.knobs_all) FAIL_FAST MAX_FAIL$(_noxmk.line)
# Of what this make's command line sets (blanks left out; a make below has that of the one above;
# make 4.3 warns of it where there is nothing) what neither we nor a makefile read, nor the noxfile.
_noxmk.overrides = $(if $(filter undefined,$(origin MAKEOVERRIDES)),,$(MAKEOVERRIDES))
_noxmk.set = $(if $(filter 0,$(MAKELEVEL)),$(filter-out NOXMK_% $(addsuffix \
  =%,NOX $(_noxmk.plain_names)),$(subst $(_noxmk.line), ,$(subst \ ,,$(_noxmk.overrides)))))
_noxmk.is_read = $(findstring $1,$(_noxmk.texts))$(foreach q,' ",$(findstring \
  $q$1$q,$(file <$(_noxmk.in)$(_noxmk.noxfile))))
_noxmk.is_typed = $(and $(call _noxmk.from,$1,command-line),$(if $(strip $(_noxmk.is_read)),,yes))
_noxmk.typed = $(foreach w,$(_noxmk.set),$(if $(call \
  _noxmk.is_typed,$(firstword $(subst =, ,$w))),$w))
_noxmk.names = $(if $(_noxmk.unknown),unknown=$(_noxmk.unknown)$(_noxmk.line)$(_noxmk.known))$(if \
  $(_noxmk.set),typed=$(_noxmk.typed)$(_noxmk.line)plain=$(_noxmk.plain_names)$(_noxmk.line))
_noxmk.many = sessions=$(words $(_noxmk.active))$(_noxmk.line)alone=$(_noxmk.alone)$(_noxmk.line)
_noxmk.targets = goals=$(_noxmk.request_goals)$(_noxmk.line)$(_noxmk.left)$(_noxmk.besides)
_noxmk.request = $(_noxmk.knobs)$(_noxmk.names)$(_noxmk.targets)$(_noxmk.many)args=$(call \
  _noxmk.plain,ARGS)
# Writes it for that subcommand, and calls this.
_noxmk.ask = $(file >$(_noxmk.state)/.request-$1-$(_noxmk.key),$(_noxmk.request))$(if \
  $(_noxmk.dry),+)@$(_noxmk.helper) $1 -r $(_noxmk.key)

# order.mk is for some sessions and for one -j, which make tells in recipes only. So its recipe
# looks, and is empty if it fits; else make begins anew with what it has written. (The plan is no
# prerequisite: make would not begin anew for a makefile that it has remade for another one's sake.)
# A blank with a backslash is within a word of MAKEFLAGS: ARGS=-k\ -j9.
_noxmk.ordered := $(if $(subst "$(sort $(_noxmk.order))",,"$(sort $(_noxmk.active))"),,yes)
_noxmk.jobs_option = $(lastword $(filter -j%,$(subst \ ,,$(subst \\,,$(MAKEFLAGS)))))
# Under bare -j the number is ours.
_noxmk.slots_option = $(patsubst -j,-j$(strip $(NOXMK_JOBS)),$(_noxmk.jobs_option))
_noxmk.order_fits = $(and $(_noxmk.ordered),$(filter $(_noxmk.order_for),$(_noxmk.slots_option)))
_noxmk.parallel = $(and $(word 2,$(_noxmk.active)),$(filter-out -j1,$(_noxmk.jobs_option)))
_noxmk.order_stale = $(and $(_noxmk.parallel),$(if $(_noxmk.traced)$(_noxmk.order_fits),,yes))
ifeq (,$(_noxmk.given_up))
$(_noxmk.order_file): .noxmk/always ; $(if $(_noxmk.order_stale),+$(call _noxmk.ask,order))
endif
ifeq (,$(NOXMK_RUN)$(_noxmk.given_up))
_noxmk.own_inputs := $(wildcard $(sort $(_noxmk.own_files) $(_noxmk.others)))
_noxmk.own_stale = $(if $(_noxmk.sessions_planned),$(_noxmk.own_changed))
$(_noxmk.own_file): $(_noxmk.own_inputs) .noxmk/always ; $(if $(_noxmk.own_stale),$(_noxmk.graph))
endif

_noxmk.runs := $(addprefix .noxmk/run/,$(_noxmk.sessions))
.PHONY: .noxmk/begin .noxmk/end $(_noxmk.groups) $(_noxmk.sessions) $(_noxmk.runs)

# Whatever shell the including makefile, or make's command line, likes: these lines are for sh.
_noxmk.all := .noxmk/% $(_noxmk.files) nox-audit nox-list nox-plan $(_noxmk.groups) \
  $(_noxmk.sessions) $(filter-out $(NOXMK_RESERVED),ci rerun-failed) $(_noxmk.slips)
$(_noxmk.all): private override SHELL := /bin/sh
$(_noxmk.all): private override .SHELLFLAGS := -c

# -n shows the plan here, but not into make's database (-p), which zsh reads for its completion. The
# goals were worked out above, so a default goal that is set below comes
# too late.
_noxmk.default_holds = $(MAKECMDGOALS)$(filter $(_noxmk.default),$(.DEFAULT_GOAL))
_noxmk.too_late := noxmk: set .DEFAULT_GOAL above `include nox.mk`, not below
_noxmk.shown = $(if $(findstring p,$(_noxmk.flags)),,$(strip $(_noxmk.request_goals)))
_noxmk.begin = $(if $(_noxmk.dry),$(if $(_noxmk.shown),$(call _noxmk.ask,show)),$(if \
  $(_noxmk.idle)$(NOXMK_RUN),,$(call _noxmk.ask,begin)))
# A rule of the makefiles' own for a target of ours: one of the two recipes is ignored.
_noxmk.clash = $(warning noxmk: $(subst @,: ,$1) has a recipe for it$(_noxmk.comma) \
  and so has the session: with NOXMK_RESERVED += $(firstword $(subst @, ,$1)) above `include \
  nox.mk` the name is the makefile's$(_noxmk.comma) and the session is \
  nox-$(firstword $(subst @, ,$1)))
# What the helper says of this machine now is what this make is about.
_noxmk.no_shard = noxmk: NOXMK_SHARD=$(_noxmk.shard): what is of this machine cannot be told: \
  $(if $(filter %sh,$(notdir $(SHELL))),see the message above,SHELL is none: $(SHELL))
_noxmk.divided_anew = $(if $(subst "$(_noxmk.divided)",,"$(shell $(_noxmk.divide))"),no)
_noxmk.wrong_shard = $(or $(_noxmk.divided_anew),$(if $(_noxmk.divided),,no))
_noxmk.complain = $(if $(_noxmk.default_holds),,$(error $(_noxmk.too_late)))$(if \
  $(_noxmk.divides),$(if $(_noxmk.wrong_shard),$(error $(_noxmk.no_shard))))$(foreach \
  r,$(_noxmk.own_recipes),$(call _noxmk.clash,$r))
.noxmk/begin: ; $(_noxmk.complain)$(_noxmk.begin)

# One helper a session. It records the verdict and succeeds, so that no failure hides another; and
# if it is killed, the others run all the same (`-`): without a record of that session its goals
# fail.
_noxmk.run = $(_noxmk.helper) run -r $(_noxmk.key) $(addprefix -c ,$(_noxmk.cue_of)) \
  $(if $(_noxmk.needs_of),-p '$(strip $(_noxmk.needs_of))') $*
$(_noxmk.runs): .noxmk/run/%: | .noxmk/begin ; $(if $(_noxmk.dry),,$(_noxmk.plus)-$(_noxmk.run))

# What the makefiles make for a session of ours, or for a group, is made before these start, unless
# it waits for one of them itself.
_noxmk.needs_of = $(if $(filter $*,$(_noxmk.own_targets)),$(_noxmk.own_needs/$*))
_noxmk.own_active := $(filter $(_noxmk.own_targets),$(_noxmk.active))
_noxmk.own_asked := $(filter $(_noxmk.own_targets),$(filter $(_noxmk.groups),$(_noxmk.goals)))
$(foreach s,$(_noxmk.own_active),$(eval .noxmk/run/$s: | $(_noxmk.own/$s)))
_noxmk.wait_for = $(if $1,$(eval $(addprefix .noxmk/run/,$1): | $2))
$(foreach g,$(_noxmk.own_asked),$(foreach p,$(_noxmk.own/$g), \
  $(call _noxmk.wait_for,$(filter-out $(_noxmk.own_behind/$p),$(_noxmk/$g)),$p)))

# What comes after others only if these run, too.
_noxmk.first = $(addprefix .noxmk/run/,$(filter $(_noxmk.active),$(_noxmk.after/$1)))
$(foreach s,$(filter $(_noxmk.late),$(_noxmk.active)), \
  $(eval .noxmk/run/$s: | $(call _noxmk.first,$s)))

# Sessions that share a resource wait for each other along one order, so there is no cycle: a reader
# (NAME) for the last writer (NAME+) before it, a writer for the readers since then or, if there are
# none, for that writer. That makes as many edges as there are users, not their square.
define _noxmk.write
.noxmk/run/$(1:+=): | $(or $(_noxmk.readers),$(_noxmk.writer))
_noxmk.readers :=
_noxmk.writer := .noxmk/run/$(1:+=)
endef
define _noxmk.read
.noxmk/run/$1: | $(_noxmk.writer)
_noxmk.readers += .noxmk/run/$1
endef
_noxmk.edge = $(if $(filter %+,$1),$(call _noxmk.write,$1),$(call _noxmk.read,$1))
_noxmk.edges = $(eval _noxmk.readers :=)$(eval _noxmk.writer :=) \
  $(foreach s,$1,$(eval $(call _noxmk.edge,$s)))
_noxmk.users = $(filter $(_noxmk.active) $(_noxmk.active:=+),$(_noxmk.resource/$1))
# Readers alone do not wait for each other.
_noxmk.keep_apart = $(if $(filter %+,$1),$(call _noxmk.edges,$1))
$(foreach r,$(_noxmk.resources),$(call _noxmk.keep_apart,$(call _noxmk.users,$r)))

# make takes what it finds ready as it walks through its targets. What would come too early so, in
# the place of something more urgent, waits for its cue: the end of another one.
_noxmk.cued := $(if $(_noxmk.ordered),$(filter $(_noxmk.active),$(_noxmk.cued)))
_noxmk.cue_of = $(if $(filter $*,$(_noxmk.cued)),$(_noxmk.cue/$*))
$(foreach s,$(_noxmk.cued),$(eval .noxmk/run/$s: | $(addprefix .noxmk/run/,$(_noxmk.cue/$s))))

# The summary. Before it, sessions that were notified and are not among the goals run in a make of
# their own, under the same jobserver, that reads this file only, in the project's folder. (Its
# command is given through a variable: make runs a line that says MAKE in so many letters even
# under -n.)
_noxmk.helper_path = $(if $(findstring /,$(NOXMK)),$(abspath $(NOXMK)),$(NOXMK))
_noxmk.make = $(MAKE) -s --no-print-directory -f $(call _noxmk.quote,$(abspath $(_noxmk.mk))) \
  NOXMK_PROJECT=. NOXMK=$(call _noxmk.quote,$(_noxmk.helper_path)) NOXMK_STATE='$(NOXMK_STATE)'
_noxmk.finish = $(_noxmk.helper) end -r $(_noxmk.key)

.noxmk/end: | .noxmk/begin $(addprefix .noxmk/run/,$(_noxmk.active))
.noxmk/end: ; $(if $(_noxmk.dry),,$(_noxmk.plus)$(_noxmk.finish) -- $(_noxmk.make))

# The targets that people name. A target fails if its session did. It waits for the summary, so that
# make's own word (`*** [ci] Error 1`) comes last. There are three recipes, each also under -n: for
# a goal of this make; for one that a session's prerequisite waits for, so that it cannot wait for
# the summary; and for one that only a rule of the including makefile needs that we do not know.
$(filter-out $(_noxmk.inner),$(_noxmk.goals)): | .noxmk/end
$(filter-out $(_noxmk.of_others),$(_noxmk.sessions)): %: | .noxmk/run/%
$(_noxmk.groups): | .noxmk/begin
$(_noxmk.sessions) $(_noxmk.groups): ; $(_noxmk.target/$(_noxmk.part)$(if $(_noxmk.dry),-n))
_noxmk.part = $(if $(filter $@,$(_noxmk.inner)),inner,$(if $(filter \
  $@,$(_noxmk.goals)),goal,needed))

# The summary leaves a file for each goal that is well, which spares it the verdict's process. `@:`
# starts none either, and keeps make from saying that nothing is to be done. Nothing is opened here:
# what sessions have left may be anything.
_noxmk.means = $(if $(_noxmk.divides),$(filter $(_noxmk.behind_goals),$(_noxmk/$@)),$@)
_noxmk.marks = $(addprefix $(_noxmk.state)/runs/.well-$(_noxmk.key)-,$(_noxmk.means))
_noxmk.well = $(if $(filter-out $(wildcard $(_noxmk.marks)),$(_noxmk.marks)),,yes)
_noxmk.verdict = $(_noxmk.helper) verdict -r $(_noxmk.key) $(_noxmk.means)
_noxmk.target/goal = $(if $(_noxmk.well),@:,$(_noxmk.plus)$(_noxmk.verdict))

# .noxmk/begin has shown the plan for all goals. make takes it for what the first goal does, and
# would call each further one up to date, which is wrong; so these print a comment.
_noxmk.more = $(if $(filter-out $(firstword $(_noxmk.goals)),$@),$(_noxmk.hash) $@: see above)
_noxmk.target/goal-n = $(_noxmk.more)

# Where this one has failed there will be no other summary.
_noxmk.target/inner = $(_noxmk.plus)$(_noxmk.verdict) || { $(_noxmk.finish) $@; exit 1; }
_noxmk.target/inner-n = $(_noxmk.more)

# .noxmk/end does not know of this one: it sums up, and shows its plan, for itself.
_noxmk.target/needed = $(_noxmk.plus)$(_noxmk.finish) $@ -- $(_noxmk.make) && $(_noxmk.verdict)
_noxmk.target/needed-n = +@$(_noxmk.helper) show $@

# A make that does not remake these keeps a match-anything rule from them.
ifneq (,$(NOXMK_RUN)$(_noxmk.given_up))
$(if $(_noxmk.given_up),$(_noxmk.files),$(filter-out $(_noxmk.order_file),$(_noxmk.files))): ;
endif

endif

else ifneq "$(_noxmk.project) $(_noxmk.noxfile)" "$(_noxmk.project_is) $(NOXMK_NOXFILE)"
$(error noxmk: nox.mk is included for $(_noxmk.project)/$(_noxmk.noxfile) and now for \
  $(_noxmk.project_is)/$(NOXMK_NOXFILE): one makefile has one project; let it run make in the \
  other ones)
endif
