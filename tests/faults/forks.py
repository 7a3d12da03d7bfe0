"""Faults of the process that sessions are forked from, which is of no use from the start on."""

from __future__ import annotations

from typing import Callable

from case import NAP, PYTHON, Case, Fault, require

ENDED, SILENT = "the process to fork has ended", "the process to fork does not answer"


def zygote(what: str) -> Callable[[Case], None]:
    def before(case: Case) -> None:
        case.project.write("python", f"""#!/usr/bin/env python3
import os, time
if "NOXMK_SHIM_ZYGOTE" in os.environ:
    {what}
{PYTHON}""")
    return before


def because(*reasons: str) -> Callable[[Case], None]:
    """Why its sessions have started their own: for these reasons, one after the other."""
    def after(case: Case) -> None:
        told = [case.record(session).get("fork") for session in case.fault.scripts]
        require(told == list(reasons), f"why they were not forked: {told}")
    return after


def forks() -> list[Fault]:
    """Nobody waits for it longer than for a start of its own; then all know."""
    def fault(name: str, what: str, *reasons: str, **more: object) -> Fault:
        scripts = {f"s{i}": ":" for i in range(len(reasons))}
        return Fault(f"the process to fork {name}", scripts, asks=True, exits=(0,),
                     environment={"NOXMK_FORK": "always"}, words=("-j1",), before=zygote(what),
                     verdicts=dict.fromkeys(scripts, "passed"), after=because(*reasons),
                     **more)  # type: ignore[arg-type]

    return [
        fault("ends at once", "os._exit(1)", ENDED, SILENT),
        fault("is killed while it loads", "time.sleep(0.1); os.kill(os.getpid(), 9)", ENDED,
              SILENT),
        fault("cannot say that it is ready", "os.mkdir('.zygote.now', dir_fd=5)", ENDED, ENDED),
        fault("does nothing", "time.sleep(7654)", "the process to fork was not ready", SILENT),
        fault("is another program", f"os.execl('/bin/sh', 'sh', '-c', {NAP!r})",
              "the process to fork was not ready", SILENT),
    ]
