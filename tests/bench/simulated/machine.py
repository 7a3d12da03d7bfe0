"""The simulated machine (machine.c), and environments with stand-in tools (tool.c) for it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COMMANDS = ("prepare", "pytest", "run-tests", "mypy", "lint", "build-docs", "package", "compile",
            "report", "loop")

# What noxmk can find of an environment: the program, the module and the distribution.
MODULE = """import os, sys
tool = os.path.join(os.path.dirname(sys.executable), "pytest")
os.execv(tool, [tool, *sys.argv[1:]])
"""


@dataclasses.dataclass
class Usage:
    """What machine.h says."""

    seconds: float
    work: float
    excess: float
    peak: float
    later: float


def compile_c(folder: str, name: str, *flags: str) -> None:
    subprocess.run(("gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", *flags, "-o",
                    os.path.join(folder, name),
                    os.path.join(HERE, os.path.splitext(name)[0] + ".c")), check=True)


class Machine:
    """A running one; the environments belong to it, whatever its processors are."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder)
        for name, flags in (("machine", ()), ("tool", ()), ("cpus.so", ("-shared", "-fPIC"))):
            compile_c(folder, name, *flags)
        for xdist in (False, True):
            self.make_environment(self.environment(xdist), xdist)
        self.process: subprocess.Popen | None = None

    def environment(self, xdist: bool) -> str:
        return os.path.join(self.folder, "with-xdist" if xdist else "plain")

    def make_environment(self, folder: str, xdist: bool) -> None:
        subprocess.run((sys.executable, "-m", "venv", "--without-pip", folder), check=True)
        for command in COMMANDS:
            shutil.copy(os.path.join(self.folder, "tool"), os.path.join(folder, "bin", command))
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        site = os.path.join(folder, "lib", version, "site-packages")
        parts = [("pytest", "pytest", "8.3.4")] + [("xdist", "pytest_xdist", "3.6.1")] * xdist
        for module, distribution, number in parts:
            info = os.path.join(site, f"{distribution}-{number}.dist-info")
            os.makedirs(os.path.join(site, module))
            os.makedirs(info)
            with open(os.path.join(info, "METADATA"), "w", encoding="utf-8") as file:
                name = distribution.replace("_", "-")
                file.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n")
            for file_name, text in (("__init__.py", ""), ("__main__.py", MODULE)):
                with open(os.path.join(site, module, file_name), "w", encoding="utf-8") as file:
                    file.write(text)

    def start(self, processors: int, penalty: float) -> None:
        self.stop()
        self.path = os.path.join(self.folder, "socket")
        self.process = subprocess.Popen((os.path.join(self.folder, "machine"), self.path,
                                         str(processors), str(penalty)), stdin=subprocess.PIPE)
        self.variables = {"LD_PRELOAD": os.path.join(self.folder, "cpus.so"),
                          "SIMULATED_CPUS": str(processors), "SIMULATED_MACHINE": self.path}
        for _ in range(500):
            if os.path.exists(self.path):
                return
            time.sleep(0.01)
        sys.exit("the simulated machine does not start")

    def stop(self) -> None:
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process = None

    def usage(self) -> Usage:
        """Since this was last asked."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(self.path)
            client.send(struct.pack("32sdd", b"", 0, 0))
            return Usage(*struct.unpack("5d", client.recv(40)))
