"""The sample's sessions; they share no file, so any number of them may run at the same time."""

import inspect
import os
import shutil
import sys
from pathlib import Path

import nox

HERE = Path(__file__).resolve().parent
BACKENDS = ("memory", "json", "sqlite")

# A wheel is built without the network: setuptools before 70.1 wants the wheel package for that.
# virtualenv 21 no longer has --wheel, but no virtualenv minds the variable.
os.environ.setdefault("VIRTUALENV_WHEEL", "bundle")

nox.options.sessions = [
    "lint",
    "typecheck",
    "security_scan",
    "unit_tests",
    "docs",
    "install_check",
    "coverage_report",
]

KNOWS_REQUIRES = "requires" in inspect.signature(nox.session).parameters  # nox 2025.02.09


def requires(*names):
    """Return the arguments that make nox.session run *names* first, if this nox knows them."""
    return {"requires": list(names)} if KNOWS_REQUIRES else {}


def tool(session, *names):
    """Return the path of the first of *names* that is installed; else fail and name it."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    session.error(f"{' or '.join(names)}: not installed; see scripts/bootstrap")


def coverage_tool(session):
    """Return the coverage command: Debian's, whose Python has pytest too, or any other."""
    return tool(session, "python3-coverage", "coverage3", "coverage")


def coverage_data(backend):
    """Return where the unit tests of *backend* leave what they have covered."""
    return HERE / f".coverage.unit_tests-{backend}"


@nox.session(python=False, tags=["static"])
def lint(session):
    """Style and unused code (flake8)."""
    session.run(tool(session, "flake8"), "src", "tests", "docs", "noxfile.py")


@nox.session(python=False, tags=["static"])
def typecheck(session):
    """Types (mypy --strict), without a cache that another run could be writing."""
    session.run(tool(session, "mypy"), "--strict", f"--cache-dir={os.devnull}", "src")


@nox.session(python=False, tags=["static"])
def security_scan(session):
    """Risky code (bandit)."""
    session.run(tool(session, "bandit"), "-q", "-r", "src")


@nox.session(python=False, tags=["tests"])
@nox.parametrize("backend", [nox.param(name, id=name) for name in BACKENDS])
def unit_tests(session, backend):
    """The tests on one backend, with their own coverage data (pytest)."""
    data = coverage_data(backend)
    data.unlink(missing_ok=True)
    tool(session, "pytest-3", "pytest")
    env = {"PYTHONPATH": "src", "COVERAGE_FILE": str(data), "STOCKROOM_BACKEND": backend}
    scratch = os.path.join(session.create_tmp(), "pytest")
    pytest = ["-m", "pytest", f"--basetemp={scratch}", *session.posargs]
    session.run(coverage_tool(session), "run", *pytest, env=env)
    # Where requires= is unknown, the variant that completes the data asks for the report.
    if not KNOWS_REQUIRES and all(coverage_data(name).exists() for name in BACKENDS):
        session.notify("coverage_report", posargs=[])


@nox.session(python=False, tags=["docs"])
def docs(session):
    """The reference from the docstrings, whose examples are run, too."""
    env = {"PYTHONPATH": "src"}
    session.run(sys.executable, "docs/build.py", "build/docs", env=env)


@nox.session(venv_backend="virtualenv", venv_params=["--setuptools", "bundle"], tags=["package"])
def install_check(session):
    """Build and install the package offline into a fresh virtualenv; run its command."""
    # setuptools builds inside the source tree, so it gets one of its own.
    tree = Path(session.create_tmp(), "tree")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(HERE / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(HERE / name, tree)
    session.install("--no-index", "--no-build-isolation", "--no-deps", str(tree))
    stock = f"json:{tree / 'stock.json'}"
    session.run("python", "-c", "import stockroom; print(stockroom.__file__)")
    session.run("stockroom", "--store", stock, "receive", "bolt", "40", "--place", "shelf")
    session.run("stockroom", "--store", stock, "list")


@nox.session(python=False, tags=["tests"], **requires("unit_tests"))
def coverage_report(session):
    """Fail when the unit tests together cover less than 97 % of the package."""
    missing = [name for name in BACKENDS if not coverage_data(name).exists()]
    if missing:
        session.error(f"no data of unit_tests({'), unit_tests('.join(missing)})")
    coverage = coverage_tool(session)
    env = {"COVERAGE_FILE": str(HERE / ".coverage")}
    data = [str(coverage_data(name)) for name in BACKENDS]
    session.run(coverage, "combine", "--keep", *data, env=env)
    session.run(coverage, "report", "--fail-under=97", env=env)


@nox.session(python=False, tags=["static"])
def format_check(session):
    """Blanks and line ends alone, as an editor would set them (flake8)."""
    blanks = ["--isolated", "--max-line-length=99", "--select=E1,E2,E3,E5,E7,W1,W2,W3,W6"]
    session.run(tool(session, "flake8"), *blanks, "src", "tests", "docs", "noxfile.py")


@nox.session(python=False)
def profile(session):
    """Where the time goes when sizes are parsed (cProfile)."""
    work = "from stockroom import parse_size\nfor n in range(50000): parse_size(f'{n}.5 KiB')"
    code = f"import cProfile\ncProfile.run({work!r}, sort='cumulative')"
    session.run(sys.executable, "-c", code, env={"PYTHONPATH": "src"})


@nox.session(python=False)
def release_notes(session):
    """The newest part of CHANGELOG.md."""
    newest = (HERE / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1]
    print(f"## {newest}", flush=True)
