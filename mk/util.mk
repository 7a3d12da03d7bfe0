# One aligned line a step; V=1 shows the commands, -s nothing.
ifneq (,$(V))
E := @:
Q :=
else
E := @printf '  %-5s %s\n'
Q := @
endif
ifneq (,$(findstring s,$(firstword -$(MAKEFLAGS))))
E := @:
endif
