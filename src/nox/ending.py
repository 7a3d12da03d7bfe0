"""The end of a session's process: what the noxfile and its modules hold comes to its end as in nox.

Python frees all modules last, and files that are open in them are written out then. nox's own are
kept from that by gc.freeze(), as looking through them takes a while (noxmk_shim.py); they are not
to keep the noxfile. In a fork they would all be copied, so there only the modules are freed that
came after them.
"""

from __future__ import annotations

import _io
import atexit
import contextlib
import gc
import os
import stat
import sys
import threading
import types
import weakref


def run(main, shim, fork) -> None:
    """Call nox's main() and end; fork: the zygote's, or None where the session has its own nox."""
    try:
        code = main()
    except SystemExit as end:
        code = end.code
        if not fork or not isinstance(code, (int, type(None))) or (code or 0).bit_length() > 31:
            raise  # Python knows what that is as a status
    finally:
        let_go(shim)
    if fork:  # and out of the above, which leads to all frames
        leave(fork, code or 0)
    sys.exit(code)


def leave(fork, code: int) -> None:
    """End as Python does, but for what nox has made."""
    threading._shutdown()
    atexit._run_exitfuncs()
    fork.let_go()
    flush_files()
    if len(sys._current_frames()) == 1:  # other threads would go on without their modules
        free_modules(fork.early)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF)


def let_go(shim) -> None:
    """What nox itself has of the noxfile."""
    shim.manifest = None
    registry = sys.modules.get("nox.registry")
    with contextlib.suppress(AttributeError):
        registry._REGISTRY.clear()


def free_modules(early: set[str]) -> None:
    """Those that nobody uses first, then what is in the others."""
    modules = [sys.modules.pop(name) for name in [*sys.modules] if name not in early]
    references = [weakref.ref(one) for one in modules if isinstance(one, types.ModuleType)]
    modules.clear()
    gc.collect()
    for module in filter(None, (reference() for reference in reversed(references))):
        clear(vars(module))
    gc.collect()


def clear(names: dict[str, object]) -> None:
    """The private ones first: people rely on that order."""
    for private in (True, False):
        for name in [*names]:
            if (name[:1] == "_" and name[1:2] != "_") is private and name != "__builtins__":
                names[name] = None


def flush_files() -> None:
    """What gc.collect() frees may be closed before it is written: it knows no order.

    Pipes and the like are left out: they may never take what is written.
    """
    for one in gc.get_objects():
        if _io._IOBase in type(one).__mro__:
            with contextlib.suppress(Exception):
                if stat.S_ISREG(os.fstat(one.fileno()).st_mode):
                    one.flush()
