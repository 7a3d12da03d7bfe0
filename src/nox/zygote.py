"""Reads nox and the noxfile once, and forks a process for each session that asks for one.

The helpers of a make start this with the first session that has enough others behind it, and they
speak to it by a socket (session/zygote.h). shim.py runs it: until the noxfile is loaded the zygote
is what a session's own nox would be, and from then on a fork does what noxmk_shim.py does.

A session has to go as if it had a nox of its own. So the zygote looks on while the noxfile is
loaded (onlooker.py). Where another process would or could have loaded it otherwise, it tells the
reason and ends, and helpers start nox themselves. A fork gets an environment, command line,
streams and folder of its own, and what the noxfile has printed each session prints.

Not its own is what Python has drawn at its start: sets of texts have one order in all forks.

The zygote has no descriptors of make's and none of a session's, and ends with its make. The fork's
child is the session; the fork itself becomes its keeper (keeper_lend), so nothing of the session
survives that. When a keeper is killed its processes come to the zygote, which ends them.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import gc
import importlib.util
import itertools
import logging
import os
import random
import re
import select
import shutil
import signal
import socket
import struct
import sys
import threading
import time

from noxmk_shim import import_nox, load, read_words

TEXT_MOST = 120  # of a refusal: see KEEPER_WHY in base/keeper.h
IMPATIENCE = 0.2  # seconds in which whoever has connected has to ask
KILL_AGAIN, ROUNDS = 5, 400  # milliseconds between two rounds of killing, and the last round
PEER = struct.Struct("3i")  # the process of who has connected, user, group
SIGNALS = signal.valid_signals()  # takes a while to make
KEEPER_SOCKET, KEEPER_START = 3, 4  # descriptors: see keeper_lend in base/keeper.h
PR_SET_MM, PR_SET_MM_MAP = 35, 14
STOPPED_MOST, SIGN_OF_LIFE = 60, 20  # seconds: see Lifeline

# What Python, its libraries and nox look at before the noxfile does.
EARLY = re.compile(
    r"PYTHON|LC_|LANG|LD_|MALLOC_|NOX(?!MK)|(TZ|HOME|PATH|UV|GLIBC_TUNABLES|CI|(NO|FORCE)_COLOR)$"
)


class Refusal(Exception):
    """Why a session has to have a nox of its own, in words for people."""


def short(text: str) -> bytes:
    """What of a refusal fits, in whole characters: it becomes part of a record."""
    whole = text.encode("utf-8", "backslashreplace")
    return whole[:TEXT_MOST].decode("utf-8", "ignore").encode()


class Ready(BaseException):
    """The noxfile is loaded: nox goes no further. No `except Exception` is to stop this."""


def descriptors() -> set[int]:
    found = {int(name) for name in os.listdir("/proc/self/fd")}
    return {fd for fd in found if is_open(fd)}


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def arrange(wanted: dict[int, int]) -> None:
    """Give the descriptors these numbers, and close all others but the standard ones."""
    free = max(wanted) + 1  # the noxfile may have set a low limit
    moved = {to: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, free) for to, fd in wanted.items()}
    for to, fd in moved.items():
        os.dup2(fd, to)
    for fd in descriptors() - {0, 1, 2, *wanted}:
        os.close(fd)


def children() -> set[int]:
    """Of this process, the dead among them."""
    with open("/proc/thread-self/children", encoding="ascii") as file:
        return {int(pid) for pid in file.read().split()}


class CommandLine:
    """What ps(1) shows of this process: argv and environment, as if it had been started so."""

    NUMBERS = "start_code end_code start_data end_data start_brk brk start_stack".split()
    PLACES = (26, 27, 45, 46, 47, 0, 28)  # of these in /proc/self/stat: proc(5)

    def __init__(self) -> None:
        class Map(ctypes.Structure):
            _fields_ = [(name, ctypes.c_uint64) for name in self.NUMBERS]
            _fields_ += [(name, ctypes.c_uint64) for name in ("argv", "end", "env", "env_end")]
            _fields_ += [("auxv", ctypes.c_uint64)]
            _fields_ += [("auxv_size", ctypes.c_uint32), ("exe_fd", ctypes.c_uint32)]

        self.libc = ctypes.CDLL(None, use_errno=True)
        self.libc.sbrk.restype = ctypes.c_void_p
        self.libc.sbrk.argtypes = [ctypes.c_ssize_t]
        self.map, self.text = Map(), None
        self.map.exe_fd = 0xFFFFFFFF

    def set(self, argv: list[bytes], environment: list[bytes]) -> bool:
        with open("/proc/self/stat", "rb") as file:
            fields = [b""] * 3 + file.read().rpartition(b")")[2].split()
        for name, place in zip(self.NUMBERS, self.PLACES):
            setattr(self.map, name, int(fields[place]) if place else 0)
        words = [b"".join(word + b"\0" for word in words) for words in (argv, environment)]
        self.text = ctypes.create_string_buffer(b"".join(words))
        start = ctypes.addressof(self.text)
        self.map.argv, self.map.end = start, start + len(words[0])
        self.map.env, self.map.env_end = self.map.end, self.map.end + len(words[1])
        reference, size = ctypes.byref(self.map), ctypes.sizeof(self.map)
        self.map.brk = self.libc.sbrk(0)  # the last thing: memory that is taken moves it
        return self.libc.prctl(PR_SET_MM, PR_SET_MM_MAP, reference, size, 0) == 0

    def hand_to_libc(self, environment: list[bytes]) -> None:
        """Let environ(7) be what has been set, in its order, as at the start of a process."""
        starts = itertools.accumulate((len(entry) + 1 for entry in environment), initial=0)
        places = [self.map.env + start for start in starts]
        pointers = (ctypes.c_void_p * len(places))(*places[:-1], None)
        ctypes.c_void_p.in_dll(self.libc, "environ").value = ctypes.addressof(pointers)
        for lasting in (self.text, pointers):  # what is run last in C may read it
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(lasting))


class Lifeline:
    """Has the kernel kill this process when it has not held on for so many seconds.

    One that is stopped does not notice the end of its make, but what is stopped can be killed. No
    fork has the timer. Where there are no such timers, that is all that is lost.
    """

    def __init__(self) -> None:
        self.timer = None
        timer, killing = ctypes.c_void_p(), struct.pack("Pii", 0, signal.SIGKILL, 0)
        for library in (None, "librt.so.1"):
            with contextlib.suppress(OSError, AttributeError):
                self.libc = ctypes.CDLL(library)
                create = self.libc.timer_create
                if create(time.CLOCK_MONOTONIC, killing.ljust(64, b"\0"), ctypes.byref(timer)) == 0:
                    self.timer = timer
                return

    def hold(self, seconds: float) -> None:
        if self.timer is not None:  # the first one is called NULL
            whole, part = divmod(int(seconds * 10**9), 10**9)
            self.libc.timer_settime(self.timer, 0, struct.pack("4l", 0, 0, whole, part), None)


class Request:
    """What a helper wants: see session/zygote.c, which writes it."""

    def __init__(self, data: bytes) -> None:
        self.likeness, count, *texts = data.split(b"\0")[:-1]
        self.argv, self.variables = texts[: int(count)], texts[int(count) :]

    def pairs(self) -> list[tuple[bytes, bytes]]:
        entries = (entry.partition(b"=") for entry in self.variables)
        return [(name, value) for name, _, value in entries if name]

    def environment(self) -> dict[str, str]:
        return {os.fsdecode(name): os.fsdecode(value) for name, value in self.pairs()}


def without_ours(environment) -> dict[str, str]:
    return {name: environment[name] for name in environment if not name.startswith("NOXMK_SHIM_")}


def encoded(environment: dict[str, str]) -> list[bytes]:
    return [os.fsencode(f"{name}={value}") for name, value in environment.items()]


class Zygote:
    """The noxfile as it is loaded, and those that are forked with it."""

    def __init__(self, told: dict[str, str], here: str) -> None:
        door, self.make, self.runtime = (int(word) for word in told["ZYGOTE"].split(","))
        self.door = socket.socket(fileno=door)
        self.libc = ctypes.PyDLL(None, use_errno=True)
        self.likeness, self.keeper = os.fsencode(told["LIKENESS"]), told["KEEPER"]
        self.path, self.here = told["PATH"], here
        self.why_not = ""
        self.output, self.capture = b"", -1  # of the noxfile
        self.changes: dict[str, str | None] = {}
        self.config: dict[str, object] = {}
        self.module = None
        self.streams: list[int] = []  # of a request: the folder, then 1, 2, and maybe 3
        self.kept: dict[int, int] = {}  # pidfd -> pid, of keepers
        self.left: set[int] = set()  # what sessions may leave running

    # Loading.

    def load(self) -> None:
        """Find out what there is to fork, or why there is nothing."""
        self.given = dict(os.environ)
        os.environ["NOX_SCRIPT_MODE"] = "none"  # see main() of the shim
        self.capture = os.memfd_create("noxmk")
        for stream in (1, 2):
            os.dup2(self.capture, stream)
        try:
            if sys.version_info < (3, 9):
                raise Refusal("the Python of nox is older than 3.9")
            self.command_line = CommandLine()
            if not self.command_line.set([b"noxmk-zygote"], encoded(self.given)):
                raise Refusal("this system lets no process change its command line")
            import_nox(self.path, self.here)
            for name in ("building", "gate", "handover", "ending"):
                load(name, self.here)
            self.run_nox()
        except Refusal as refusal:
            self.why_not = f"{refusal}"
        except (MemoryError, KeyboardInterrupt):
            os._exit(1)  # likewise
        except BaseException:
            self.why_not = "this nox is unknown to us"
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(null, stream)
        os.close(null)
        self.output = os.pread(self.capture, os.fstat(self.capture).st_size, 0)
        os.close(self.capture)
        if not self.why_not:
            self.ask_uv()
            self.why_not = self.look_around()
        os.chdir("/")

    def run_nox(self) -> None:
        import nox.__main__
        import nox.tasks

        self.handlers = logging.getLogger().handlers[:]
        self.load_module = nox.tasks.load_nox_module
        nox.tasks.load_nox_module = self.load_and_watch
        # The one that nox makes now will do for all forks.
        options = nox._options.options
        with contextlib.suppress(AttributeError):
            options.parser = functools.cache(options.parser)
        try:
            nox.__main__.main()
        except Ready:
            return
        finally:
            nox.tasks.load_nox_module = self.load_module
        raise Refusal("this nox is unknown to us")

    def load_and_watch(self, global_config):
        import nox.registry

        onlooker = self.onlooker = load("onlooker", self.here)
        roots, skipped = onlooker.inputs.places(global_config.noxfile, os.getcwd(), ".nox")
        self.watch = onlooker.Watch(roots, skipped, [__file__, onlooker.__file__])
        self.watch.add_file(os.path.abspath(global_config.noxfile))
        self.remember(global_config)
        self.early = {*sys.modules}
        gc.freeze()  # what nox has made: no fork need look through it for garbage
        self.watch.start()
        try:
            self.module = self.load_module(global_config=global_config)
        except (MemoryError, KeyboardInterrupt):
            os._exit(1)  # says nothing of the noxfile
        except BaseException:
            self.module = 1
        finally:
            self.watch.stop()
            self.cwd = os.getcwd()
        if isinstance(self.module, int):
            raise Refusal("the noxfile cannot be loaded")
        self.compare(global_config)
        self.sessions = dict(nox.registry.get())
        raise Ready

    def remember(self, global_config) -> None:
        self.before = {
            "environment": dict(os.environ),
            "config": self.onlooker.settings(global_config),
            "random": random.getstate(),
            "nox": self.onlooker.faces_of_nox(),
            "process": self.onlooker.faces_of_process(descriptors()),
            "written": self.written_elsewhere(),
        }

    def written_elsewhere(self) -> int:
        """So many bytes went neither to the screen nor into Python's own cache."""
        printed = os.fstat(self.capture).st_size
        return self.onlooker.bytes_written() - printed - self.watch.bytecode

    def compare(self, global_config) -> None:
        """What the noxfile has changed: some of it each session can have, too."""
        before, after = self.before, self.onlooker.faces_of_nox()
        process = self.onlooker.faces_of_process(descriptors())
        for what, face in before["process"].items():
            if process[what] != face:
                raise Refusal(f"the noxfile {what}")
        for name in {*before["environment"], *os.environ}:
            if before["environment"].get(name) != os.environ.get(name):
                self.changes[name] = os.environ.get(name)
        for name, value in self.onlooker.settings(global_config).items():
            if name not in before["config"] or before["config"][name] is not value:
                self.config[name] = value
        if self.watch.volatile:
            raise Refusal(f"the noxfile depends on {self.watch.volatile}")
        if self.written_elsewhere() != before["written"]:
            raise Refusal("the noxfile depends on what it writes, a file")
        if "numpy" in sys.modules or random.getstate() != before["random"]:
            raise Refusal("the noxfile depends on random numbers")
        if any(after.get(name, value) is not value for name, value in before["nox"].items()):
            raise Refusal("the noxfile changes nox")
        if self.onlooker.has_timer():
            raise Refusal("the noxfile sets a timer")
        self.before = {}

    def ask_uv(self) -> None:
        """Where there is one, nox asks it for its version once in each process, forks included."""
        import nox.virtualenv

        find_uv = getattr(nox.virtualenv, "find_uv", None)
        name = os.environ.get("UV", "uv")
        program = shutil.which(name)
        has_own = "UV" not in os.environ and importlib.util.find_spec("uv")  # nox has: nox[uv]
        if not (program or has_own) or not hasattr(find_uv, "cache_info"):
            return
        for folder in os.get_exec_path():
            self.watch.add_kind(os.path.join(folder, name))
        if program:
            self.watch.add_file(program)
        with contextlib.suppress(Exception):  # a session that asks shows what is wrong
            _, found, _ = find_uv()
            if os.path.isabs(found):
                self.watch.add_file(found)

    def look_around(self) -> str:
        if len(os.listdir("/proc/self/task")) > 1:
            return "the noxfile starts a thread"
        return "the noxfile starts a process" if children() else ""

    # Serving.

    def serve(self) -> Request:
        """Fork those who ask for it. Returns in a session's process alone."""
        try:
            if self.why_not:
                self.refuse()
            self.call_door(".zygote.now")
        except OSError:
            os._exit(0)  # the run has ended
        os.close(self.runtime)
        lifeline = Lifeline()
        while True:
            lifeline.hold(STOPPED_MOST)
            poll = select.poll()
            for fd in (self.door, self.make, *self.kept):
                poll.register(fd, select.POLLIN)
            ready = {fd for fd, _ in poll.poll(SIGN_OF_LIFE * 1000)}
            if self.make in ready:
                os._exit(0)
            for keeper in ready & {*self.kept}:
                self.bury(keeper)
            if self.door.fileno() in ready:
                connection, _ = self.door.accept()
                with connection:
                    request = self.hear(connection)
                if request:
                    return request

    def call_door(self, name: str) -> None:
        runtime = {"src_dir_fd": self.runtime, "dst_dir_fd": self.runtime}
        os.rename(".zygote-loads.now", name, **runtime)

    def refuse(self) -> None:
        """Tell the helpers, who remember it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        file = os.open(".zygote-refused.now", flags, 0o600, dir_fd=self.runtime)
        os.write(file, short(self.why_not))
        self.call_door(".zygote-retired.now")
        os._exit(0)

    def bury(self, keeper: int) -> None:
        """A keeper has ended. If it was killed, what it kept has come to us."""
        pid = self.kept.pop(keeper)
        os.close(keeper)
        _, status = os.waitpid(pid, 0)
        for one in [*self.left]:
            if self.reap(one):
                self.left.discard(one)
        if not os.WIFSIGNALED(status):
            self.left |= self.strangers()
            return
        for _ in range(ROUNDS):
            strangers = self.strangers()
            for stranger in strangers:
                os.kill(stranger, signal.SIGKILL)
            if not strangers:
                return
            select.poll().poll(KILL_AGAIN)
            for stranger in strangers:
                self.reap(stranger)

    def reap(self, pid: int) -> bool:
        try:
            return os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            return True

    def strangers(self) -> set[int]:
        return children() - {*self.kept.values()} - self.left

    def hear(self, connection) -> Request | None:
        """Answer one who asks. A request is returned in the process that is to be that session."""
        given: list[int] = []
        try:
            connection.settimeout(IMPATIENCE)
            data, given, _, _ = socket.recv_fds(connection, 16, 5)
            for fd in given:
                os.set_inheritable(fd, False)
            if data == b"end":
                os._exit(0)
            request = self.read(given)
            why = self.difference(request)
            connection.settimeout(None)
            if not why and self.fork(connection):
                self.streams = given[:]
                given.clear()
                return request
        except MemoryError:
            why = "there is no memory for a fork"
        except (OSError, ValueError, Refusal) as error:
            why = f"{error}"
        finally:
            for fd in given:
                os.close(fd)
        if why:
            with contextlib.suppress(OSError):
                connection.send(short(why))
        return None

    def read(self, given: list[int]) -> Request:
        if len(given) < 4:
            raise Refusal("it has no more descriptors")
        return Request(os.pread(given[0], os.fstat(given[0]).st_size, 0))

    def difference(self, request: Request) -> str:
        """Why that session's own nox would load another noxfile, or "": it would not."""
        if request.likeness != self.likeness:
            return "its limits, rights or folder are others"
        environment = without_ours(request.environment())
        names = {*environment, *self.given}
        other = sorted(n for n in names if environment.get(n) != self.given.get(n))
        asked = self.watch.variables
        for name in other:
            if name in asked or EARLY.match(name):
                return f"its variable {name} is another"
        if other and "*" in asked:
            return f"the noxfile looks at all variables, and its {other[0]} is another"
        looks = {"file": "look_at_file", "folder": "look_at_folder"}
        looks.update({"kind": "look_at_kind", "link": "look_at_link"})
        for (kind, path), found in self.watch.found.items():
            try:
                now = [kind, path, *getattr(self.watch, looks[kind])(path)]
            except OSError:
                now = [kind, path]
            if now != found:
                return f"the noxfile looks at {path}, which has changed"
        return ""

    def fork(self, connection) -> bool:
        """True in the session's process, once its keeper lets it start."""
        start, started = os.pipe()
        asker, _, _ = PEER.unpack(
            connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER.size)
        )
        # What Python does after a fork is done in the session's process, and would only make this
        # one copy memory.
        keeper = self.libc.fork()
        if keeper:
            os.close(start)
            os.close(started)
            if keeper < 0:
                raise Refusal(f"no fork: {os.strerror(ctypes.get_errno())}")
            self.keep(keeper)
            return False
        try:
            os.setsid()
            session = os.fork()
            if session:
                self.become_keeper(session, asker, connection, started)
            os.close(started)
            if os.read(start, 1) != b"1":
                os._exit(0)
            os.close(start)
        except BaseException:
            os._exit(1)  # nothing of this is to come out where the zygote goes on
        return True

    def keep(self, keeper: int) -> None:
        """Know when it ends; one of which that cannot be known is not to start a session."""
        try:
            self.kept[os.pidfd_open(keeper)] = keeper
        except OSError as error:
            os.kill(keeper, signal.SIGKILL)
            os.waitpid(keeper, 0)
            raise Refusal(f"no fork: {error.strerror}") from None

    def become_keeper(self, session: int, asker: int, connection, started: int) -> None:
        """All that it has open besides is closed by exec."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        os.dup2(connection.fileno(), KEEPER_SOCKET)
        os.dup2(started, KEEPER_START)
        os.execve(self.keeper, ["noxmk-keeper", f"{session}", f"{asker}"], self.given)

    # Being a session.

    def settle(self, request: Request) -> None:
        """Become what a process is that was started for that request."""
        os.fchdir(self.streams[1])
        self.door.detach()
        streams = [os.open(os.devnull, os.O_RDONLY), *self.streams[2:]]
        arrange(dict(enumerate(streams)))
        # To set one variable after the other takes a millisecond, most of it for page faults.
        self.command_line.set(request.argv, request.variables)
        self.command_line.hand_to_libc(request.variables)
        os.environ._data.clear()
        os.environ._data.update(request.pairs())
        words = [os.fsdecode(word) for word in request.argv]
        if hasattr(sys, "orig_argv"):
            sys.orig_argv[:] = words
        sys.argv[:] = words[words.index("-u") + 1 :]
        # The noxfile may have kept the lists themselves.
        for arguments in self.watch.kept:
            list.__setitem__(arguments, slice(None), getattr(sys, arguments.name))
        logging.getLogger().handlers[:] = self.handlers
        threading.main_thread()._set_native_id()  # Python does that from 3.13 on
        importlib.invalidate_caches()

    def apply(self) -> None:
        """Have nox find the noxfile loaded."""
        import nox.tasks

        nox.tasks.load_nox_module = self.hand_over

    def hand_over(self, global_config):
        import nox.registry
        import nox.tasks

        nox.tasks.load_nox_module = self.load_module
        nox.registry._REGISTRY.clear()  # since 2026.04 nox empties it before it loads a noxfile
        nox.registry._REGISTRY.update(self.sessions)
        for name, value in self.config.items():
            setattr(global_config, name, value)
        os.chdir(self.cwd)
        for name, value in self.changes.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        rest = self.output
        while rest:
            rest = rest[os.write(1, rest) :]
        return self.module

    def let_go(self) -> None:
        """Keep nothing of the noxfile: see ending.py."""
        self.module = self.before = None
        self.sessions, self.config = {}, {}


def begin(told: dict[str, str], here: str) -> Zygote:
    """Become the zygote. Returns in each session's process, with what that is to apply."""
    zygote = Zygote(told, here)
    read_words()
    zygote.load()
    zygote.settle(zygote.serve())
    return zygote
