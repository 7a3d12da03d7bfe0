#!/usr/bin/env python3
"""Small nox projects in which a session fails beside another: by its code, or by the company?

    tests/audit/failures.py [--stage FOLDER] [NAME...]

In each of them make runs two sessions at once with NOXMK_RECHECK=1. The company does something and
waits, until the other one has failed for the first time, and then undoes it: so a race is lost each
time, and never when the session runs alone. README.md has the figures of the whole.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

IMPORTS = """import fcntl, json, os, socket, sqlite3, subprocess, sys, time
from multiprocessing import shared_memory


def until(path):
    end = time.monotonic() + 300
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.02)


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


def get(path):
    with open(path) as file:
        return file.read()


"""
COMPANY = """{hinders}
put("there", "")
until("failed")
{undoes}
"""
SESSION = """if not os.path.exists("failed"):
    until("there")
try:
    {does}
finally:
    put("failed", "")
"""
NOXFILE = """import nox


@nox.session(python=False)
def company(session):
    session.run("python3", "company.py", external=True)


@nox.session(python=False)
def it(session):
    session.run("python3", "it.py", external=True)
"""

SHARED = "m = shared_memory.SharedMemory('noxmk-failures', create=True, size=8)"
ONE_LOCK = "f = open('data'); fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"

# name: what the company does, what undoes that, what the session does
RACES = {
    "port": ("s = socket.create_server(('127.0.0.1', 48123))", "s.close()",
             "socket.create_server(('127.0.0.1', 48123))"),
    "datagrams": ("s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('127.0.0.1', 48124))",
                  "s.close()",
                  "socket.socket(type=socket.SOCK_DGRAM).bind(('127.0.0.1', 48124))"),
    "socket": ("s = socket.socket(socket.AF_UNIX); s.bind('app.sock')", "os.remove('app.sock')",
               "socket.socket(socket.AF_UNIX).bind('app.sock'); os.remove('app.sock')"),
    "abstract": ("s = socket.socket(socket.AF_UNIX); s.bind('\\0noxmk-failures')", "s.close()",
                 "socket.socket(socket.AF_UNIX).bind('\\0noxmk-failures')"),
    "removed": ("os.rename('data', 'away')", "os.rename('away', 'data')", "get('data')"),
    "emptied": ("put('data', '')", "put('data', 'text')", "assert get('data')"),
    "rewritten": ("put('data', 'other')", "put('data', 'text')", "assert get('data') == 'text'"),
    "half-written": ("put('settings', '{')", "put('settings', '{}')",
                     "json.loads(get('settings'))"),
    "flag": ("put('flag', '')", "os.remove('flag')", "assert not os.path.exists('flag')"),
    "folder": ("os.mkdir('out')", "os.rmdir('out')", "os.mkdir('out'); os.rmdir('out')"),
    "pid-file": ("open('pid', 'x')", "os.remove('pid')", "open('pid', 'x'); os.remove('pid')"),
    "lock": (ONE_LOCK, "f.close()", ONE_LOCK),
    "database": ("d = sqlite3.connect('t.db'); d.execute('begin exclusive')", "d.close()",
                 "sqlite3.connect('t.db', timeout=0).execute('create table if not exists t (x)')"),
    "link": ("os.remove('link'); os.symlink('nowhere', 'link')",
             "os.remove('link'); os.symlink('data', 'link')", "get('link')"),
    "module": ("put('mod.py', 'x = = 1')", "put('mod.py', 'x = 1')",
               "subprocess.run([sys.executable, '-Bc', 'import mod'], check=True)"),
    "git-lock": ("open('.git/index.lock', 'x')", "os.remove('.git/index.lock')",
                 "subprocess.run(['git', 'add', 'data'], check=True)"),
    "mode": ("os.chmod('tool', 0o644)", "os.chmod('tool', 0o755)",
             "subprocess.run(['./tool'], check=True)"),
    "folder-away": ("os.rename('package', 'away')", "os.rename('away', 'package')",
                    "os.listdir('package')"),
    "shared-memory": (SHARED, "m.close(); m.unlink()", SHARED + "; m.close(); m.unlink()"),
    "environment": ("put('sitecustomize.py', 'raise SystemExit(3)')",
                    "os.remove('sitecustomize.py')",
                    "subprocess.run([sys.executable, '-c', ''], check=True, "
                    "env={**os.environ, 'PYTHONPATH': '.'})"),
}

# name: what the session does
CODE = {
    "assertion": "assert 1 == 2",
    "exit-code": "sys.exit(3)",
    "signal": "put('failed', ''); os.kill(os.getpid(), 11)",
    "killed": "put('failed', ''); os.kill(os.getpid(), 9)",
    "no-file": "get('nowhere')",
    "no-program": "subprocess.run(['no-such-program'], check=True)",
    "no-module": "import no_such_module",
    "syntax": "exec('x = = 1')",
    "types": "1 + ''",
    "key": "{}['x']",
    "division": "1 / 0",
    "no-variable": "os.environ['NO_SUCH_VARIABLE']",
    "no-json": "json.loads('{')",
    "no-format": "os.execv('./data', ['data'])",
    "no-table": "sqlite3.connect(':memory:').execute('select * from t')",
    "no-commit": "subprocess.run(['git', 'show', 'HEAD'], check=True)",
    "no-number": "int('x')",
    "recursion": "f = lambda: f(); f()",
    "unit-test": "import unittest; unittest.TestCase().assertEqual(1, 2)",
    "too-late": "subprocess.run(['sleep', '60'], timeout=0.1)",
}


def make(folder: str, hinders: str, undoes: str, does: str) -> None:
    files = {
        "noxfile.py": NOXFILE, "GNUmakefile": "include nox.mk\n", "data": "text",
        "settings": "{}", "mod.py": "x = 1", "tool": "#!/bin/sh\n", "package/x": "",
        "company.py": IMPORTS + COMPANY.format(hinders=hinders, undoes=undoes),
        "it.py": IMPORTS + SESSION.format(does=does),
    }
    os.mkdir(folder + "/package")
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(folder + "/tool", 0o755)
    os.symlink("data", folder + "/link")
    subprocess.run(["git", "init", "-q", folder], check=True)


def verdict(stage: str, hinders: str, undoes: str, does: str) -> tuple[str, str]:
    """What noxmk says of the session, and all that make says."""
    environ = {key: value for key, value in os.environ.items()
               if not key.startswith(("NOXMK", "MAKE", "MFLAGS", "CI", "PYTHON"))}
    environ["PATH"] = stage + "/bin:" + environ["PATH"]
    with tempfile.TemporaryDirectory() as folder:
        make(folder, hinders, undoes, does)
        done = subprocess.run(
            [os.environ.get("MAKE", "make"), "-s", "-I", stage + "/include", "-j2", "company", "it",
             "NOXMK_RECHECK=1"], cwd=folder, env=environ, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
    for said in ("fails alone too", "fails only beside company"):
        if done.returncode == 2 and said in done.stdout:
            return said, done.stdout
    return "nothing", done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--stage", default=os.environ.get("STAGE", TOP + "/build/stage"))
    parser.add_argument("names", nargs="*", help="only these projects")
    options = parser.parse_args()
    cases = {name: (*race, "fails only beside company") for name, race in RACES.items()}
    cases.update({name: ("pass", "pass", does, "fails alone too") for name, does in CODE.items()})
    for name in options.names:
        if name not in cases:
            parser.error("no project %s: there are %s" % (name, " ".join(cases)))
    names, right = options.names or list(cases), 0
    for i, name in enumerate(names, 1):
        *what, wanted = cases[name]
        said, told = verdict(options.stage, *what)
        right += said == wanted
        print("%sok %d %s: %s" % ("" if said == wanted else "not ", i, name, wanted))
        if said != wanted:
            print("# " + told.replace("\n", "\n# "))
        sys.stdout.flush()
    print("1..%d" % len(names))
    print("# right of %d of %d failures" % (right, len(names)))
    return right != len(names)


if __name__ == "__main__":
    sys.exit(main())
