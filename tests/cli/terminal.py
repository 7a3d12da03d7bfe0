"""Plays the user at a terminal of its own, for terminal.sh.

    terminal.py COLUMNS STEP... -- COMMAND...

Runs the command as a shell would, as the foreground job of a new terminal. Each step is one of

    expect TEXT       wait until the terminal has shown that, behind what was expected before
    type TEXT         type it; \\n, \\x03 and so on as in Python
    size COLUMNS      another size
    stopped           wait until the job is stopped; then its modes must be those from before
    continue          give the terminal back to the job, which goes on
    background        let the job go on without the terminal
    foreground        give the terminal back to it
    touch FILE        make that file
    kill NAME         kill the process that has this name and no other, by KILL
    sane              wait until the modes are those from before

At the end the command's exit status is printed, and the modes of the terminal: "sane" or "changed".
All that was shown goes to the file `screen`. A step that takes more than two minutes is a failure.
"""

import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 120
DRAINED = b"\0" * 8  # which shows nothing


class Terminal:
    def __init__(self, columns: int, command: list[str]) -> None:
        self.master, self.slave = os.openpty()
        self.resize(columns)
        self.modes = termios.tcgetattr(self.slave)
        self.shown, self.seen, self.status = b"", 0, None
        self.pid = os.fork()
        if self.pid == 0:
            # A shell in small: it leads the terminal's session, and its job has its own group.
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 64)
            signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            self.be_shell(command)

    def be_shell(self, command: list[str]) -> None:
        job = os.fork()
        if job == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpgrp())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            os.execvp(command[0], command)
        signal.signal(signal.SIGUSR1, lambda *_: self.give(job, True))
        signal.signal(signal.SIGUSR2, lambda *_: self.give(job, False))
        while True:
            _, status = os.waitpid(job, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
            os.tcsetpgrp(0, os.getpgrp())
            modes = termios.tcgetattr(0)
            with open("stopping", "w", encoding="utf-8") as file:
                file.write("sane" if modes[:4] == self.modes[:4] else "changed")
            os.rename("stopping", "stopped")

    @staticmethod
    def give(job: int, terminal: bool) -> None:
        os.tcsetpgrp(0, job if terminal else os.getpgrp())
        open("given", "w", encoding="utf-8").close()
        os.killpg(job, signal.SIGCONT)

    def resize(self, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self) -> None:
        if select.select([self.master], [], [], 0.02)[0]:
            try:
                self.shown += os.read(self.master, 65536)
            except OSError:
                pass
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)

    def wait(self, what: str, condition) -> None:
        end = time.monotonic() + LIMIT
        while not condition():
            self.read()
            if time.monotonic() > end:
                print(f"not in {LIMIT} seconds: {what}")
                self.finish()

    def is_sane(self) -> bool:
        return termios.tcgetattr(self.slave)[:4] == self.modes[:4]

    def drain(self) -> None:
        """What the command has written before its end may still be on its way to us."""
        os.write(self.slave, DRAINED)
        end = time.monotonic() + LIMIT
        while DRAINED not in self.shown and time.monotonic() < end:
            self.read()
        self.shown = self.shown.replace(DRAINED, b"")

    def finish(self) -> None:
        if self.status is not None:
            self.drain()
        with open("screen", "wb") as file:
            file.write(self.shown)
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
        print(self.status, "sane" if self.is_sane() else "changed")
        sys.exit()

    def expect(self, text: str) -> None:
        wanted = text.encode()

        def there() -> bool:
            at = self.shown.find(wanted, self.seen)
            if at >= 0:
                self.seen = at + len(wanted)
            return at >= 0

        self.wait(f"expect {text!r}", there)

    def play(self, step: str) -> None:
        verb, _, text = step.partition(" ")
        if verb == "expect":
            self.expect(text)
        elif verb == "type":
            os.write(self.master, text.encode().decode("unicode_escape").encode("latin-1"))
        elif verb == "size":
            self.resize(int(text))
        elif verb == "stopped":
            self.wait(step, lambda: os.path.exists("stopped"))
            with open("stopped", encoding="utf-8") as file:
                print("stopped:", file.read())
            os.unlink("stopped")
        elif verb in ("continue", "foreground"):
            self.tell_shell(signal.SIGUSR1)
        elif verb == "background":
            self.tell_shell(signal.SIGUSR2)
        elif verb == "touch":
            open(text, "w", encoding="utf-8").close()
        elif verb == "kill":
            # One that is about to become another program still has that name.
            self.wait(step, lambda: len(self.find(text)) == 1)
            os.kill(self.find(text)[0], signal.SIGKILL)
        elif verb == "sane":
            self.wait(step, self.is_sane)
        else:
            sys.exit(f"no such step: {step}")

    def tell_shell(self, number: int) -> None:
        os.kill(self.pid, number)
        self.wait("the shell", lambda: os.path.exists("given"))
        os.unlink("given")

    def find(self, name: str) -> list[int]:
        """The pids of our descendants whose command is that name."""
        children, todo, found = {}, [self.pid], []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                    stat = file.read()
            except OSError:
                continue
            comm, rest = stat.partition("(")[2].rpartition(")")[::2]
            children.setdefault(int(rest.split()[1]), []).append((int(entry), comm))
        while todo:
            for pid, comm in children.get(todo.pop(), []):
                todo.append(pid)
                if comm == name:
                    found.append(pid)
        return found


def main() -> None:
    at = sys.argv.index("--")
    terminal = Terminal(int(sys.argv[1]), sys.argv[at + 1 :])
    for step in sys.argv[2:at]:
        terminal.play(step)
    terminal.wait("the end", lambda: terminal.status is not None)
    terminal.finish()


if __name__ == "__main__":
    main()
