#!/usr/bin/env python3
"""Small nox projects, each with one known hazard or none: does `noxmk audit` tell them apart?

    tests/audit/corpus.py [--stage FOLDER] [--tools FOLDER] [--keep FOLDER] [NAME...]

For each project with a hazard: audit names the right sessions at the right place, and once its
lines are in pyproject.toml it says nothing more. For each one without: it says nothing. Tools are
taken from the bin folder of --tools, a virtual environment, say; a project whose tool is not there
is left out, and that is said. README.md has the figures of the whole.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PACKAGE = {
    "src/mod.py": "def double(x):\n    return 2 * x\n",
    "test_mod.py": "import sys\nsys.path.insert(0, 'src')\nimport mod\n\n\n"
                   "def test_double():\n    assert mod.double(2) == 4\n",
}
SPHINX = {"docs/conf.py": "project = 'x'\n", "docs/index.rst": "x\n=\n\nText.\n"}
SETUP = {
    "setup.py": "from setuptools import setup\nsetup(name='demo', version='1', py_modules=['m'])\n",
    "m.py": "x = 1\n",
    "pyproject.toml": "[build-system]\nrequires = ['setuptools']\n"
                      "build-backend = 'setuptools.build_meta'\n",
}
SERVE = ("import socket, sys\n"
         "s = socket.socket(socket.AF_UNIX if sys.argv[1] == 'unix' else socket.AF_INET)\n"
         "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
         "s.bind(sys.argv[2] if sys.argv[1] == 'unix' else ('127.0.0.1', int(sys.argv[2])))\n"
         "s.listen()\n")
DATABASE = ("import sqlite3, sys\n"
            "db = sqlite3.connect('test.db')\n"
            "db.execute('create table if not exists t (x)')\n"
            "db.execute('insert into t values (?)', (sys.argv[1],))\n"
            "db.commit()\n")
GIT = ("git init -q . 2>/dev/null; git config user.email a@b; git config user.name a; "
       "git add noxfile.py; git commit -qm x")

# name: (tools, sessions and what their shell does, place of the hazard, its sessions, files)
HAZARDS = {
    "coverage-file": (["coverage"], {
        "unit": "coverage run -m pytest -q -p no:cacheprovider",
        "doc": "coverage run -m pytest -q -p no:cacheprovider",
    }, ".coverage", "doc unit", PACKAGE),
    "coverage-report": (["coverage"], {
        "unit": "coverage run -m pytest -q -p no:cacheprovider",
        "report": "coverage report",
    }, ".coverage", "report unit", PACKAGE),
    "junit": (["pytest"], {
        "fast": "pytest -q --junitxml=junit.xml",
        "slow": "pytest -q --junitxml=junit.xml",
    }, "junit.xml", "fast slow", PACKAGE),
    "coverage-xml": (["pytest", "coverage"], {
        "one": "COVERAGE_FILE=.c1 pytest -q --cov=src --cov-report=xml",
        "two": "COVERAGE_FILE=.c2 pytest -q --cov=src --cov-report=xml",
    }, "coverage.xml", "one two", PACKAGE),
    "htmlcov": (["pytest", "coverage"], {
        "one": "COVERAGE_FILE=.c1 pytest -q --cov=src --cov-report=html",
        "two": "COVERAGE_FILE=.c2 pytest -q --cov=src --cov-report=html",
    }, "htmlcov", "one two", PACKAGE),
    "mypy-database": (["mypy"], {
        "types": "mypy --sqlite-cache src",
        "strict": "mypy --sqlite-cache --strict src || true",
    }, ".mypy_cache", "strict types", PACKAGE),
    "doctrees": (["sphinx-build"], {
        "html": "sphinx-build -q -b html -d docs/_build/doctrees docs docs/_build/html",
        "man": "sphinx-build -q -b man -d docs/_build/doctrees docs docs/_build/man",
    }, "docs", "html man", SPHINX),
    "formatter": (["black", "pytest"], {
        "fmt": "black -q src",
        "tests": "pytest -q",
    }, "src", "fmt tests", {**PACKAGE, "src/mod.py": "def double( x ):\n  return 2*x\n"}),
    "wheel-twice": (["python"], {
        "wheel": "python setup.py -q bdist_wheel",
        "check": "python setup.py -q bdist_wheel",
    }, "demo", "check wheel", SETUP),
    "sdist-and-upload": (["python"], {
        "sdist": "python setup.py -q sdist",
        "upload": "cat dist/*.tar.gz >/dev/null",
    }, "dist", "sdist upload", SETUP),
    "database": ([], {
        "api": "python3 db.py api",
        "web": "python3 db.py web",
    }, "test.db", "api web", {"db.py": DATABASE}),
    "port": ([], {
        "api": "python3 serve.py ip 38765",
        "web": "python3 serve.py ip 38765",
    }, "port 38765/tcp", "api web", {"serve.py": SERVE}),
    "socket": ([], {
        "api": "python3 serve.py unix app.sock; rm app.sock",
        "web": "python3 serve.py unix app.sock; rm app.sock",
    }, "app.sock", "api web", {"serve.py": SERVE}),
    "fixed-temporary": ([], {
        "one": "echo 1 >$TMPDIR/noxmk-corpus; cat $TMPDIR/noxmk-corpus; rm $TMPDIR/noxmk-corpus",
        "two": "echo 2 >$TMPDIR/noxmk-corpus; cat $TMPDIR/noxmk-corpus; rm $TMPDIR/noxmk-corpus",
    }, "noxmk-corpus", "one two", {}),
    "folder-of-another": ([], {
        "build": "mkdir -p .nox/build/tmp; echo x >.nox/build/tmp/data",
        "deploy": "cat .nox/build/tmp/data",
    }, ".nox/build", "build deploy", {}),
    "shared-cache-folder": ([], {
        "one": "mkdir -p .nox/.shared; echo 1 >.nox/.shared/state",
        "two": "mkdir -p .nox/.shared; echo 2 >.nox/.shared/state",
    }, ".nox/.shared", "one two", {}),
    "cleaner": ([], {
        "compile": "mkdir -p out; echo x >out/x",
        "clean": "rm -rf out",
    }, "out", "clean compile", {}),
    "version-file": ([], {
        "generate": "echo \"version = '2'\" >src/_version.py",
        "tests": "python3 -B -c \"import sys; sys.path.insert(0, 'src'); import _version\"",
    }, "src", "generate tests", {"src/_version.py": "version = '1'\n"}),
    "bytecode-only": ([], {
        "tests": "python3 -c \"import sys; sys.path.insert(0, 'src'); import mod\"",
        "again": "python3 -c \"import sys; sys.path.insert(0, 'src'); import mod\"",
        "rewrite": "sed -i 's/2/3/' src/mod.py",
    }, "src", "again rewrite tests", PACKAGE),
    "objects": (["gcc"], {
        "debug": "gcc -g -c app.c -o app.o",
        "release": "gcc -O2 -c app.c -o app.o",
    }, "app.o", "debug release", {"app.c": "int main(void) { return 0; }\n"}),
    "git-index": (["git"], {
        "release": "echo 1 >r; git add r; git commit -qm r",
        "docs": "echo 2 >d; git add d; git commit -qm d",
    }, ".git", "docs release", {}),
    "appended-and-read": ([], {
        "worker": "echo line >>log.txt",
        "check": "grep -c line log.txt",
    }, "log.txt", "check worker", {"log.txt": "line\n"}),
    "pid-file": ([], {
        "one": "echo $$ >app.pid; sleep 0.05; rm -f app.pid",
        "two": "echo $$ >app.pid; sleep 0.05; rm -f app.pid",
    }, "app.pid", "one two", {}),
    "settings-at-home": ([], {
        "login": "mkdir -p ~/.config; echo token >~/.config/tool.cfg",
        "publish": "cat ~/.config/tool.cfg",
    }, "~/.config/tool.cfg", "login publish", {}),
    "last-writer-wins": ([], {
        "one": "echo 1 >r.$$; mv r.$$ results.json",
        "two": "echo 2 >r.$$; mv r.$$ results.json",
    }, "results.json", "one two", {}),
    "renamed-folder": ([], {
        "fill": "mkdir -p work; echo x >work/a; echo y >work/b",
        "rotate": "rm -rf work.old; mv work work.old; mkdir work",
    }, "work", "fill rotate", {}),
    "flag": ([], {
        "check": "if [ -s flag ]; then exit 1; fi; cat flag 2>/dev/null || true",
        "set": "echo x >flag",
    }, "flag", "check set", {}),
    "shared-memory": ([], {
        "one": "python3 shm.py",
        "two": "python3 shm.py",
    }, "noxmk-corpus-shm", "one two", {
        "shm.py": "from multiprocessing import shared_memory\n"
                  "m = shared_memory.SharedMemory('noxmk-corpus-shm', create=True, size=8)\n"
                  "m.close()\nm.unlink()\n"}),
    "base-of-tests": (["pytest"], {
        "one": "pytest -q -p no:cacheprovider --basetemp=tmp",
        "two": "pytest -q -p no:cacheprovider --basetemp=tmp",
    }, "tmp", "one two", {
        "test_t.py": "def test_t(tmp_path):\n    (tmp_path / 'x').write_text('x')\n"}),
    "link": ([], {
        "one": "mkdir -p v1; ln -sfn v1 current",
        "two": "mkdir -p v2; ln -sfn v2 current",
    }, "current", "one two", {}),
    "other-name": ([], {
        "edit": "ln -f data.txt edited.txt; echo more >>edited.txt",
        "check": "cat data.txt",
    }, "data.txt", "check edit", {"data.txt": "text\n"}),
    "closed-folder": ([], {
        "pack": "chmod u-w out; cat out/old >/dev/null; chmod u+w out",
        "build": "echo x >out/new",
    }, "out", "build pack", {"out/old": "x\n"}),
    "mode-for-a-while": ([], {
        "hide": "chmod 0 settings; chmod 644 settings",
        "use": "cat settings",
    }, "settings", "hide use", {"settings": "x\n"}),
}

# name: (tools, sessions, files)
CLEAN = {
    "readers": (["pytest", "flake8"], {
        "lint": "flake8 src",
        "tests": "pytest -q -p no:cacheprovider",
        "doc": "cat src/mod.py",
    }, PACKAGE),
    "pytest-cache": (["pytest"], {"one": "pytest -q", "two": "pytest -q -k double"}, PACKAGE),
    "coverage-apart": (["coverage"], {
        "one": "COVERAGE_FILE=.coverage.one coverage run -m pytest -q -p no:cacheprovider",
        "two": "COVERAGE_FILE=.coverage.two coverage run -m pytest -q -p no:cacheprovider",
    }, PACKAGE),
    "ruff": (["ruff"], {"check": "ruff check src", "style": "ruff format --check src"}, PACKAGE),
    "mypy-files": (["mypy"], {
        "types": "mypy --no-sqlite-cache src",
        "more": "mypy --no-sqlite-cache src test_mod.py || true",
    }, PACKAGE),
    "black-check": (["black"], {"one": "black -q --check src", "two": "black -q --check ."},
                    PACKAGE),
    "temporary": ([], {
        "one": "t=$(mktemp); echo 1 >$t; cat $t; rm $t; d=$(mktemp -d); echo >$d/x; rm -r $d",
        "two": "t=$(mktemp); echo 2 >$t; cat $t; rm $t; d=$(mktemp -d); echo >$d/x; rm -r $d",
    }, {}),
    "free-ports": ([], {"api": "python3 serve.py ip 0", "web": "python3 serve.py ip 0"},
                   {"serve.py": SERVE}),
    "own-ports": ([], {"api": "python3 serve.py ip 38766", "web": "python3 serve.py ip 38767"},
                  {"serve.py": SERVE}),
    "journal": ([], {"one": "echo 1 >>journal", "two": "echo 2 >>journal"}, {"journal": ""}),
    "declared": ([], {"build": "echo x >artifact", "use": "cat artifact"},
                 {"pyproject.toml": "[tool.noxmk.session.use]\nafter = ['build']\n"}),
    "locked": ([], {"one": "echo 1 >shared", "two": "echo 2 >shared"},
               {"pyproject.toml": "[tool.noxmk.session.one]\nuses = ['s']\n"
                                  "[tool.noxmk.session.two]\nuses = ['s']\n"}),
    "tmp-path": (["pytest"], {"one": "pytest -q -p no:cacheprovider",
                              "two": "pytest -q -p no:cacheprovider"},
                 {"test_t.py": "def test_t(tmp_path):\n    (tmp_path / 'x').write_text('x')\n"}),
    "objects-apart": (["gcc"], {
        "debug": "mkdir -p o/debug; gcc -g -c app.c -o o/debug/app.o",
        "release": "mkdir -p o/release; gcc -O2 -c app.c -o o/release/app.o",
    }, {"app.c": "int main(void) { return 0; }\n"}),
    "walker": (["git"], {"build": "mkdir -p out; echo x >out/x", "status": "git status -s; find ."},
               {".gitignore": "out\n"}),
    "git-status": (["git"], {
        "version": "touch src/mod.py; git describe --always --dirty",
        "status": "touch src/mod.py; git status -s; git diff --stat",
    }, PACKAGE),
    "bytecode": ([], {
        "one": "python3 -c \"import sys; sys.path.insert(0, 'src'); import mod\"",
        "two": "python3 -c \"import sys; sys.path.insert(0, 'src'); import mod\"",
    }, PACKAGE),
    "made-by-another": ([], {"one": "python3 make.py", "two": "python3 make.py"}, {
        "made/tag": "x", "make.py":
            "import os, tempfile\nfolder = tempfile.mkdtemp(dir='.')\n"
            "open(folder + '/tag', 'w').write('x')\n"
            "try:\n    os.rename(folder, 'made')\n"
            "except OSError:\n    os.remove(folder + '/tag')\n    os.rmdir(folder)\n"
            "open('made/tag').read()\n"}),
    "names-of-one": ([], {
        "one": "ln -f data.txt one.txt; cat one.txt; rm one.txt",
        "two": "ln -f data.txt two.txt; cat two.txt",
    }, {"data.txt": "text\n"}),
    "mode-as-it-is": ([], {
        "one": "chmod u+rw data.txt; chmod u+rwx folder; cat data.txt",
        "two": "touch -r data.txt data.txt; cat data.txt; echo x >folder/x",
    }, {"data.txt": "text\n", "folder/y": "y\n"}),
    "environments": ([], {"one": None, "two": None}, {}),
    "database-read": ([], {
        "one": "python3 q.py", "two": "python3 q.py",
    }, {"q.py": "import sqlite3\nsqlite3.connect('file:r.db?mode=rw', uri=True)"
                ".execute('select * from sqlite_master').fetchall()\n", "r.db": ""}),
}


def noxfile(sessions: dict) -> str:
    """Scripts, so that what a session does is not read off its code; None: its environment only."""
    text = "import nox\n"
    for name, script in sessions.items():
        kind = "(python=False)" if script else ""
        run = 'session.run("sh", "%s.sh", external=True)' % name
        if not script:
            run = 'session.run("python", "-c", "import json")'
        text += "\n\n@nox.session%s\ndef %s(session):\n    %s\n" % (kind, name, run)
    return text


class Corpus:
    """Makes projects, and audits them."""

    def __init__(self, stage: str, tools: str, folder: str) -> None:
        self.noxmk, self.tools, self.folder = stage + "/bin/noxmk", tools, folder
        self.environ = {k: v for k, v in os.environ.items()
                        if not k.startswith(("NOX", "MAKE", "MFLAGS", "COVERAGE", "PYTEST", "CI"))}
        self.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        if tools:
            self.environ["PATH"] = os.path.join(tools, "bin") + ":" + self.environ["PATH"]

    def has(self, tools: list[str]) -> bool:
        return all(shutil.which(tool, path=self.environ["PATH"]) for tool in tools)

    def make(self, name: str, sessions: dict, files: dict) -> str:
        project = os.path.join(self.folder, name)
        home, tmp = project + ".home", project + ".tmp"
        for folder in (project, home, tmp):
            os.makedirs(folder)
        self.environ.update(HOME=home, TMPDIR=tmp, LC_ALL="C.UTF-8")
        scripts = {key + ".sh": value + "\n" for key, value in sessions.items() if value}
        for path, text in {**files, **scripts, "noxfile.py": noxfile(sessions)}.items():
            path = os.path.join(project, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        if "git" in "".join(filter(None, sessions.values())):
            subprocess.run(["sh", "-c", GIT], cwd=project, env=self.environ, check=True)
        return project

    def audit(self, project: str, *words: str) -> dict:
        done = subprocess.run([self.noxmk, "audit", "--json", *words], cwd=project,
                              env=self.environ, capture_output=True, text=True)
        try:
            told = json.loads(done.stdout)
        except ValueError:
            sys.exit("%s: audit exits with %d and says:\n%s%s" % (
                project, done.returncode, done.stdout, done.stderr))
        for session in told["sessions"]:
            if not session["complete"]:
                print("# %s: %s: %s" % (project, session["target"], session["why"]))
        return told

    def write(self, project: str) -> str:
        done = subprocess.run([self.noxmk, "audit", "--from", "latest", "--write"], cwd=project,
                              env=self.environ, capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stdout + done.stderr


def brief(told: dict) -> str:
    return "; ".join("%s %s %s (%s)" % (
        h["level"], h["kind"], h["what"], " ".join(s["target"] for s in h["sessions"]))
        for h in told["hazards"]) or "nothing"


def is_found(told: dict, place: str, sessions: str) -> bool:
    """One hazard there, or several, have all of these sessions."""
    found: set[str] = set()
    for hazard in told["hazards"]:
        if place in str(hazard["what"]) or place in str(hazard["place"]):
            found |= {session["target"] for session in hazard["sessions"]}
    return set(sessions.split()) <= found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--stage", default=os.environ.get("STAGE", TOP + "/build/stage"))
    parser.add_argument("--tools", default="", help="a folder with bin/ of tools")
    parser.add_argument("--keep", help="the projects go there, and stay")
    parser.add_argument("names", nargs="*", help="only these projects")
    options = parser.parse_args()
    known = set(HAZARDS) | set(CLEAN)
    for name in options.names:
        if name not in known:
            parser.error("no project %s: there are %s" % (name, " ".join(sorted(known))))
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.abspath(options.keep or scratch)
        return check(Corpus(options.stage, options.tools, folder), options.names)


def check(corpus: Corpus, names: list[str]) -> int:
    count = bad = found = fixed = alarms = hazards = clean = 0

    def tell(right: bool, text: str, why: str) -> None:
        nonlocal count, bad
        count, bad = count + 1, bad + (not right)
        print("%sok %d %s" % ("" if right else "not ", count, text))
        if not right:
            print("# " + why.replace("\n", "\n# "))
        sys.stdout.flush()

    for name, (tools, sessions, place, which, files) in HAZARDS.items():
        if names and name not in names:
            continue
        if not corpus.has(tools):
            print("ok %d %s # SKIP %s" % (count := count + 1, name, " ".join(tools)))
            continue
        project = corpus.make(name, sessions, files)
        told = corpus.audit(project)
        right = is_found(told, place, which)
        hazards, found = hazards + 1, found + right
        tell(right, "%s: the hazard is found" % name, brief(told))
        failure = corpus.write(project)
        told = corpus.audit(project)
        gone = not failure and not told["hazards"]
        fixed += gone
        tell(gone, "%s: the lines remove it" % name, failure + brief(told))
    for name, (tools, sessions, files) in CLEAN.items():
        if names and name not in names:
            continue
        if not corpus.has(tools):
            print("ok %d %s # SKIP %s" % (count := count + 1, name, " ".join(tools)))
            continue
        told = corpus.audit(corpus.make(name, sessions, files))
        clean, alarms = clean + 1, alarms + bool(told["hazards"])
        tell(not told["hazards"], "%s: no alarm" % name, brief(told))
    print("1..%d" % count)
    print("# found %d of %d hazards, removed %d; %d false alarms in %d clean projects" % (
        found, hazards, fixed, alarms, clean))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
