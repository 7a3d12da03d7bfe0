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
NOXMK_PROJECT ?= $(or $(if $(wildcard $(NOXMK_NOXFILE)),.),$(_noxmk.beside_makefile),.)
# names that the including makefile keeps for itself: a session `clean` becomes nox-clean
NOXMK_RESERVED ?=
# the state folder, where what must last between makes is kept: absolute, or seen from the project
# [.nox/.noxmk]
NOXMK_STATE ?=
# how many runs to keep in the state folder
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
# durations for sessions that have not run here yet: a history.json from elsewhere
NOXMK_HISTORY ?=
export NOXMK_HISTORY
# the helper
NOXMK ?= noxmk
# ARGS, words for the sessions (nox's posargs), FAIL_FAST=1 (or wait: for those that run) and
# MAX_FAIL=N count from the command line or a makefile, not from the environment, where something
# else may be called so.

## What this make is about

_noxmk.nothing :=
# Versions differ in what a # inside a function means.
_noxmk.hash := \#
_noxmk.blank := $(_noxmk.nothing) $(_noxmk.nothing)
_noxmk.noxfile_there = $(wildcard $(dir $(firstword $(MAKEFILE_LIST)))$(NOXMK_NOXFILE))
_noxmk.beside_makefile = $(patsubst %/$(NOXMK_NOXFILE),%,$(_noxmk.noxfile_there))
_noxmk.project := $(patsubst ./%,%,$(NOXMK_PROJECT))
ifneq (1,$(words $(_noxmk.project)))
$(error noxmk: the path in NOXMK_PROJECT has a blank, which make cannot handle: \
  "$(NOXMK_PROJECT)". Run make inside that folder instead)
endif
_noxmk.in := $(if $(filter-out .,$(_noxmk.project)),$(_noxmk.project)/)
_noxmk.state := $(if $(filter /%,$(NOXMK_STATE)),,$(_noxmk.in))$(or $(NOXMK_STATE),.nox/.noxmk)
_noxmk.unfit := $(foreach c,' " ` $$ % : ; | & ~ \ * ? [ < > $(_noxmk.hash),\
  $(findstring $c,$(NOXMK_STATE)))
ifneq (1,$(words $(_noxmk.state) $(_noxmk.unfit)))
$(error noxmk: the path in NOXMK_STATE has a blank, or a character that make or the shell would \
  take for its own: "$(NOXMK_STATE)")
endif
_noxmk.plan := $(_noxmk.state)/sessions.mk
_noxmk.order_file := $(_noxmk.state)/order.mk
_noxmk.helper := '$(NOXMK)'$(if $(_noxmk.in), -C '$(_noxmk.project)')$(if $(NOXMK_STATE), \
  -S '$(NOXMK_STATE)')
# The text of a file. make stops at one that it may not read, as in a folder that root has made.
_noxmk.read = $(if $(wildcard $1),$(file <$1))

# This make's name: its pid and start time, by which the helper knows whether it is alive, and a
# random word, since a machine that is booted anew may repeat both. $(file <) needs no process.
# A make that we start ourselves for notified sessions belongs to the same run.
NOXMK_RUN ?=
_noxmk.stat := $(file </proc/self/stat)
_noxmk.random := $(firstword $(subst -, ,$(file </proc/sys/kernel/random/uuid)) 0)
_noxmk.own_key := $(word 1,$(_noxmk.stat))-$(word 22,$(_noxmk.stat))-$(_noxmk.random)
_noxmk.key := $(or $(NOXMK_RUN),$(_noxmk.own_key))

# -n, -q and -t are in the first word of MAKEFLAGS. `+` makes make hand its jobserver on, and also
# makes it run a line under these three, so then there is none.
_noxmk.flags = $(firstword -$(MAKEFLAGS))
_noxmk.dry = $(findstring n,$(_noxmk.flags))
_noxmk.plus = $(if $(_noxmk.dry)$(findstring q,$(_noxmk.flags))$(findstring t,$(_noxmk.flags)),,+)@

.PHONY: ci nox-list rerun-failed
ci:
# What this make is to bring about, ours or not. The plan's rule for a group looks here: a group
# that is a goal waits for the summary, and so for all sessions in their best order, before make
# comes to the sessions of the group in the noxfile's order. A group that something else needs must
# not: the summary is about the goals.
_noxmk.asked := $(or $(MAKECMDGOALS),$(.DEFAULT_GOAL))
nox-list: ; @$(_noxmk.helper) list

## The plan: make remakes an included file that is out of date, and then starts afresh

# A file that is cut off, by whatever, has lost its last word, `end`. Such a file is removed: then
# make makes it anew.
_noxmk.drop = $(warning noxmk: $1 is damaged: it is made anew)$(shell rm -f '$1')
_noxmk.text := $(call _noxmk.read,$(_noxmk.plan))
$(if $(filter-out end,$(lastword $(_noxmk.text))),$(call _noxmk.drop,$(_noxmk.plan)))

# make reads order.mk as a makefile, and whoever can write to the state folder could put a command there.
# All that we write into it are names and times. So a line that begins otherwise than ours is odd,
# and a $, ; or ! that could make make or a shell run something is. Each line becomes one word, its
# blanks ^, so that filter-out can look at its beginning.
define _noxmk.line


endef
_noxmk.text := $(call _noxmk.read,$(_noxmk.order_file))
_noxmk.lines := $(subst $(_noxmk.line), ,$(subst $(_noxmk.blank),^,$(_noxmk.text)))
_noxmk.ours := $(_noxmk.hash)% _noxmk.order_for^:=% _noxmk.order^:=% _noxmk.resources^:=% \
  _noxmk.resource/% _noxmk.cued^:=% _noxmk.cue/%
_noxmk.odd := $(filter-out $(_noxmk.ours),$(_noxmk.lines)) \
  $(foreach c,$$ ; !,$(findstring $c,$(_noxmk.text))) \
  $(filter-out end,$(lastword $(_noxmk.text)))
$(if $(strip $(_noxmk.odd)),$(call _noxmk.drop,$(_noxmk.order_file)))
_noxmk.text :=
_noxmk.lines :=

# Of a folder that we may not enter, somebody else's, the plan's recipe says so; once is enough.
_noxmk.shut := $(foreach d,$(_noxmk.state) $(patsubst %/,%,$(dir $(_noxmk.state))), \
  $(if $(wildcard $d),$(if $(wildcard $d/.),,$d)))
-include $(_noxmk.plan) $(if $(strip $(_noxmk.shut)),,$(_noxmk.order_file))

# Makefiles that a session may not be called like, or make would remake them by running it.
_noxmk.makefiles := $(foreach m,$(MAKEFILE_LIST),$(if $(findstring /,$m),,$m))
# What decides the plan besides files. Compared as text with what the plan was made with.
_noxmk.watched := NOX NOXMK_NOXFILE NOXMK_RESERVED NOXPYTHON NOXEXTRAPYTHON NOXFORCEPYTHON \
  NOXSESSION NOX_DEFAULT_VENV_BACKEND NOX_SCRIPT_MODE PYTHONPATH
# The variable $1 as text, empty if its origin is one of $2.
_noxmk.value = $(if $(filter-out undefined $2,$(origin $1)),$(value $1))
_noxmk.inputs := $(strip $(foreach v,$(_noxmk.watched),$v=$(call _noxmk.value,$v,)) \
  makefiles=$(_noxmk.makefiles) $(if $(NOXMK_STATE),project=$(abspath $(_noxmk.project))))
_noxmk.planned ?=
_noxmk.depends ?=
# And the variables that the noxfile asked for while it was loaded. What make sets by itself, as CC,
# the noxfile does not see.
_noxmk.environ ?=
_noxmk.environ_was ?=
_noxmk.environ_is := $(strip $(foreach v,$(_noxmk.environ), \
  $v=$(call _noxmk.value,$v,default automatic)))
_noxmk.then := $(_noxmk.planned)$(_noxmk.environ_was)
_noxmk.now := $(_noxmk.inputs)$(_noxmk.environ_is)
# Once in a make: a difference that planning does not mend must not go on for ever.
_noxmk.restarted := $(filter-out undefined,$(origin MAKE_RESTARTS))
_noxmk.stale := $(if $(_noxmk.restarted),,$(subst "$(_noxmk.then)",,"$(_noxmk.now)"))
.PHONY: .noxmk/always
# make starts afresh whenever the plan or the order has been remade. One whose date stays in the
# past, or which something else writes at the same time, would be remade for ever; so after the
# fifth time this make goes on with what there is.
_noxmk.given_up := $(if $(_noxmk.restarted),$(filter-out 1 2 3 4 5,$(MAKE_RESTARTS)))
# A make for notified sessions does not plan: it goes on by the plan that its run began with.
ifeq (,$(NOXMK_RUN)$(_noxmk.given_up))
_noxmk.sources := $(wildcard $(addprefix $(_noxmk.in),$(NOXMK_NOXFILE) pyproject.toml)) \
  $(_noxmk.depends) $(wildcard $(NOXMK))
_noxmk.make_plan = $(_noxmk.helper) plan -f '$(NOXMK_NOXFILE)' \
  -i '$(subst ','\'',$(_noxmk.inputs))' -R '$(NOXMK_RESERVED) $(_noxmk.makefiles)' -- $(NOX)
$(_noxmk.plan): $(_noxmk.sources) $(if $(_noxmk.stale),.noxmk/always) ; +@$(_noxmk.make_plan)
# A file of the plan that is gone makes the plan stale; it is no error (as gcc -MP). The empty
# recipe keeps make from trying its built-in rules on each of them, which would double its start-up
# time.
$(_noxmk.depends) $(_noxmk.mk): ;
endif

## The sessions of this make

_noxmk.sessions ?=
_noxmk.groups ?=
_noxmk.late ?=
_noxmk.order ?=
_noxmk.order_for ?=
_noxmk.resources ?=
_noxmk.cued ?=
# An old plan may hold a name that a makefile has got since: make would run it to remake that.
_noxmk.sessions := $(filter-out $(_noxmk.makefiles),$(_noxmk.sessions))
_noxmk.groups := $(filter-out $(_noxmk.makefiles),$(_noxmk.groups))
# rerun-failed stands for what was not well when it was last to run.
_noxmk.failed := $(filter $(_noxmk.sessions),$(call _noxmk.read,$(_noxmk.state)/failed))
# Without a plan nothing of ours runs; other goals of the including makefile still do.
ifeq (,$(_noxmk.groups))
ci rerun-failed: ; +@echo 'noxmk: there is no plan to run by: see the message above' >&2; exit 2
else ifeq (,$(filter rerun-failed,$(NOXMK_RESERVED)))
_noxmk.none_failed = @echo 'noxmk: nothing to rerun: all was well'
_noxmk.rerun = $(if $(_noxmk.failed),$(if $(_noxmk.dry),,@:),$(_noxmk.none_failed))
rerun-failed: | $(_noxmk.failed) ; $(_noxmk.rerun)
endif

# The goals that are ours, and the sessions behind them. A goal of the including makefile's own may
# bring in more: each of these then sums up for itself.
_noxmk.wanted := $(patsubst rerun-failed,$(_noxmk.failed),$(_noxmk.asked))
_noxmk.goals := $(filter $(_noxmk.sessions) $(_noxmk.groups),$(_noxmk.wanted))
_noxmk.default := $(.DEFAULT_GOAL)
# In the order that order.mk thinks best, by what they took before; then those that it does not
# know.
_noxmk.ranked := $(filter $(_noxmk.sessions),$(_noxmk.order)) \
  $(filter-out $(_noxmk.order),$(_noxmk.sessions))
_noxmk.active := $(filter $(foreach g,$(_noxmk.goals),$(_noxmk/$g)),$(_noxmk.ranked))

# order.mk is for some sessions and for one -j, which make tells in recipes only. So its recipe
# looks, and is empty if it fits; else make begins anew with what it has written. (The plan is no
# prerequisite: make would not begin anew for a makefile that it has remade for another one's sake.)
# A blank with a backslash is within a word of MAKEFLAGS: ARGS=-k\ -j9.
_noxmk.ordered := $(if $(subst "$(sort $(_noxmk.order))",,"$(sort $(_noxmk.active))"),,yes)
_noxmk.jobs_option = $(lastword $(filter -j%,$(subst \ ,,$(subst \\,,$(MAKEFLAGS)))))
_noxmk.order_fits = $(and $(_noxmk.ordered),$(filter $(_noxmk.order_for),$(_noxmk.jobs_option)))
_noxmk.parallel = $(and $(word 2,$(_noxmk.active)),$(filter-out -j1,$(_noxmk.jobs_option)))
_noxmk.order_stale = $(and $(_noxmk.parallel),$(if $(_noxmk.order_fits),,yes))
_noxmk.make_order = +@$(_noxmk.helper) order$(_noxmk.jobs) $(_noxmk.goals)
ifeq (,$(_noxmk.given_up))
$(_noxmk.order_file): .noxmk/always ; $(if $(_noxmk.order_stale),$(_noxmk.make_order))
endif

_noxmk.alone := $(filter 1,$(words $(_noxmk.active)))
_noxmk.live := $(if $(filter live $(if $(_noxmk.alone),auto),$(NOXMK_OUTPUT)), -l) \
  $(_noxmk.alone:1=-a)
_noxmk.jobs = $(if $(NOXMK_JOBS), -j $(NOXMK_JOBS))
# A word for each knob that may end the run early; like ARGS, two of them have plain names.
_noxmk.plain = $(if $(filter-out undefined environment,$(origin $1)),$($1))
_noxmk.option = $(if $2,-o $1=$(firstword $2))
_noxmk.policy := $(call _noxmk.option,fail-fast,$(call _noxmk.plain,FAIL_FAST)) \
  $(call _noxmk.option,max-fail,$(call _noxmk.plain,MAX_FAIL)) \
  $(call _noxmk.option,deadline,$(NOXMK_DEADLINE)) \
  $(call _noxmk.option,flaky,$(NOXMK_FLAKY))
_noxmk.args = $(if $(filter-out undefined environment,$(origin ARGS)), -- $(ARGS))

_noxmk.runs := $(addprefix .noxmk/run/,$(_noxmk.sessions))
.PHONY: .noxmk/begin .noxmk/end $(_noxmk.groups) $(_noxmk.sessions) $(_noxmk.runs)

# Whatever shell the including makefile likes, these lines are for sh.
ifneq (/bin/sh -c,$(SHELL) $(.SHELLFLAGS))
.noxmk/% $(_noxmk.plan) nox-list $(_noxmk.groups) $(_noxmk.sessions): private SHELL := /bin/sh
.noxmk/% $(_noxmk.plan) nox-list $(_noxmk.groups) $(_noxmk.sessions): private .SHELLFLAGS := -c
endif

# -n shows the plan here. The goals were worked out above, so a default goal that is set below comes
# too late.
_noxmk.default_holds = $(MAKECMDGOALS)$(filter $(_noxmk.default),$(.DEFAULT_GOAL))
_noxmk.too_late := noxmk: set .DEFAULT_GOAL above `include nox.mk`, not below
_noxmk.show = $(if $(and $(_noxmk.dry),$(_noxmk.goals)),+@$(_noxmk.helper) show $(_noxmk.goals))
.noxmk/begin: ; $(if $(_noxmk.default_holds),,$(error $(_noxmk.too_late)))$(_noxmk.show)

# One helper a session; the first one makes the run's folder. It records the verdict and succeeds,
# so that no failure hides another; and if it is killed, the others run all the same (`-`): without
# a record of that session its goals fail.
_noxmk.run = $(_noxmk.helper) run$(_noxmk.live)$(_noxmk.jobs) $(_noxmk.policy) \
  -g '$(_noxmk.goals)' -k $(NOXMK_KEEP) -r $(_noxmk.key) \
  $(addprefix -c ,$(_noxmk.cue_of)) $*$(_noxmk.args)
$(_noxmk.runs): .noxmk/run/%: | .noxmk/begin ; $(if $(_noxmk.dry),,$(_noxmk.plus)-$(_noxmk.run))

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
_noxmk.make = $(MAKE) -s --no-print-directory -f '$(abspath $(_noxmk.mk))' NOXMK_PROJECT=. \
  NOXMK='$(if $(findstring /,$(NOXMK)),$(abspath $(NOXMK)),$(NOXMK))' NOXMK_JOBS='$(NOXMK_JOBS)' \
  NOXMK_STATE='$(NOXMK_STATE)'
_noxmk.finish = $(_noxmk.helper) end$(_noxmk.jobs) -k $(NOXMK_KEEP) -r $(_noxmk.key)

.noxmk/end: | .noxmk/begin $(addprefix .noxmk/run/,$(_noxmk.active))
.noxmk/end: ; $(if $(_noxmk.dry),,$(_noxmk.plus)$(_noxmk.finish) $(_noxmk.goals) -- $(_noxmk.make))

# The targets that people name. A target fails if its session did. It waits for the summary, so that
# make's own word (`*** [ci] Error 1`) comes last. There are four recipes: for a goal of this make,
# and for one that only a rule of the including makefile needs, each also under -n.
$(_noxmk.goals): | .noxmk/end
$(_noxmk.sessions): %: | .noxmk/run/%
$(_noxmk.sessions) $(_noxmk.groups): ; $(_noxmk.target/$(_noxmk.part)$(if $(_noxmk.dry),-n))
_noxmk.part = $(if $(filter $@,$(_noxmk.goals)),goal,needed)

# The summary lists the goals that are well, which spares them the verdict's process. `@:` starts
# none either, and keeps make from saying that nothing is to be done.
_noxmk.run_name = $(file <$(_noxmk.state)/runs/.make-$(_noxmk.key))
_noxmk.well = $(filter $@,$(file <$(_noxmk.state)/runs/$(_noxmk.run_name)/.well))
_noxmk.verdict = $(_noxmk.helper) verdict -r $(_noxmk.key) $@
_noxmk.target/goal = $(if $(_noxmk.well),@:,$(_noxmk.plus)$(_noxmk.verdict))

# .noxmk/begin has shown the plan for all goals. make takes it for what the first goal does, and
# would call each further one up to date, which is wrong; so these print a comment.
_noxmk.more = $(if $(filter-out $(firstword $(_noxmk.goals)),$@),$(_noxmk.hash) $@: see above)
_noxmk.target/goal-n = $(_noxmk.more)

# .noxmk/end does not know of this one: it sums up, and shows its plan, for itself.
_noxmk.target/needed = $(_noxmk.plus)$(_noxmk.finish) $@ -- $(_noxmk.make) && $(_noxmk.verdict)
_noxmk.target/needed-n = +@$(_noxmk.helper) show $@

endif
