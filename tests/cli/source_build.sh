#!/bin/sh
# Builds of the project are kept apart: by a folder for each session where setuptools builds, else
# by a lock. Sessions that contain them run at the same time.
. "$(dirname "$0")/lib.sh"

# A build backend that notes when a build starts and ends. It waits, BUILD_MEET seconds at most, for
# another one to start, or for the file BUILD_LOG.go; then the second one does not wait.
noxfile <<'END'
@nox.session(venv_params=["--system-site-packages"])
@nox.parametrize("n", [1, 2])
def tests(session, n):
    session.install("--no-index", "--no-build-isolation", "--no-deps", ".")
END
mkdir backend
cat >backend/noting.py <<'END'
import os, time, zipfile

def note(word):
    fd = os.open(os.environ["BUILD_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (word + "\n").encode())
    os.close(fd)

def started():
    with open(os.environ["BUILD_LOG"]) as file:
        return file.read().split().count("start")

def get_requires_for_build_wheel(config_settings=None):
    return []

def build_wheel(folder, config_settings=None, metadata_directory=None):
    note("start")
    deadline = time.monotonic() + float(os.environ["BUILD_MEET"])
    go = os.environ["BUILD_LOG"] + ".go"
    while started() < 2 and not os.path.exists(go) and time.monotonic() < deadline:
        time.sleep(0.01)
    name = "noted-1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        info = "noted-1.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: noted\nVersion: 1\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: noting\n"
                       "Root-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
    note("end")
    return name
END
cat >pyproject.toml <<'END'
[build-system]
requires = []
build-backend = "noting"
backend-path = ["backend"]
[project]
name = "noted"
version = "1"
END
export BUILD_LOG="$scratch/builds"

# build_at_once SECONDS
build_at_once() {
	rm -f "$BUILD_LOG"
	BUILD_MEET=$1 mk -j2 ci
}

order() {
	tr '\n' ' ' <"$BUILD_LOG"
}

build_at_once 3
check 'both pass' exits 0
check 'one build after the other' same "$(order)" 'start end start end '
printf '[tool.noxmk]\nsource-build = false\n' >>pyproject.toml
build_at_once 60
check 'source-build = false: both pass' exits 0
check 'source-build = false: at once' same "$(order)" 'start start end end '
sed -i /source-build/d pyproject.toml
export BUILD_MEET=0

# While another make builds, the session says that it waits.
rm -f "$BUILD_LOG"
BUILD_MEET=60 "$MAKE" -I "$STAGE/include" tests-n-1 >"$scratch/first" 2>&1 </dev/null &
first=$!
wait_for [ -e "$BUILD_LOG" ]
BUILD_MEET=0 "$MAKE" -I "$STAGE/include" tests-n-2 >"$scratch/second" 2>&1 </dev/null &
second=$!
check 'beside another make: it says that it waits' \
	wait_for has "$scratch/second" 'noxmk: waits for another session that builds'
: >"$BUILD_LOG.go"
wait $second
check 'and passes' same $? 0
check 'one build after the other, in two makes' same "$(order)" 'start end start end '
run "$STAGE/bin/noxmk" why tests-n-2
check 'and why tells of it' has "$out" 's  for a build of the project by another session'
wait $first
rm -rf "$state"

# With setuptools: whoever starts the builds, two are at it at once, and both come out right.
noxfile <<'END'
nox.options.reuse_existing_virtualenvs = True  # that is quicker
OPTIONS = ["--no-index", "--no-build-isolation", "--no-deps"]
shell = lambda session, text: session.run("sh", "-c", text, external=True)
tested = nox.session(venv_params=["--system-site-packages"])
@tested
def direct(session):
    session.install(*OPTIONS, ".")
    session.run("demo")
@tested
def listed(session):
    session.install(*OPTIONS, "-r", "req.txt")
    session.run("demo")
@tested
def script(session):
    shell(session, f"python -m pip install {' '.join(OPTIONS)} -r req.txt && demo")
@tested
def editable(session):
    session.install(*OPTIONS, "-e", ".")
    session.run("demo")
@tested
def several(session):
    shell(session, f"python -m pip install {' '.join(OPTIONS)} . ./lib")
    shell(session, "python -m pip show -f lib | grep -e demo/ -e alone.py >lib.has")
@tested
def tree(session):
    session.run("python", "setup.py", "build", "sdist", silent=True)
@nox.session(venv_backend="none")
def told(session):
    shell(session, 'echo "${DIST_EXTRA_CONFIG-none}" >told')
END
mkdir -p src/demo lib
touch src/demo/__init__.py lib/alone.py
echo 'def main(): print("it works")' >src/demo/main.py
printf '[build-system]\nrequires = []\nbuild-backend = "setuptools.build_meta"\n' |
	tee lib/pyproject.toml >pyproject.toml
cat >>pyproject.toml <<'END'
[project]
name = "demo"
version = "1"
[project.scripts]
demo = "demo.main:main"
[tool.setuptools.packages.find]
where = ["src"]
END
printf '[project]\nname = "lib"\nversion = "1"\n[tool.setuptools]\npy-modules = ["alone"]\n' \
	>>lib/pyproject.toml
printf '# the project\n.\n' >req.txt
cat >setup.py <<'END'
import os, sys, time
from setuptools import setup

def note(word):
    with open(os.environ["BUILD_LOG"], "a+") as file:
        file.write(word)
        file.seek(0)
        return file.read().split().count("start")

is_build = "bdist_wheel" in sys.argv
deadline = time.monotonic() + float(os.environ["BUILD_MEET"])
if is_build:
    note("start\n")
    while note("") < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
setup()
if is_build:
    note("end\n")
END
for pair in 'direct listed' 'direct script'; do
	rm -f "$BUILD_LOG"
	# shellcheck disable=SC2086 # two targets
	BUILD_MEET=60 mk -j2 $pair
	check "$pair: they pass" exits 0
	check "$pair: two builds at once" same "$(order)" 'start start end end '
	check "$pair: no build in the tree" [ ! -e build ]
done
rm -rf src/*.egg-info
mk -j2 direct editable
check 'an editable installation works' exits 0
check 'what session.install() builds leaves no egg-info' same "$(echo src/*)" src/demo
check 'no folder stays' same "$(ls "$state"/builds)" ''
mk several
check 'a project does not get the modules of another' same "$(tr -d ' ' <lib.has)" alone.py
rm -rf build lib/build src/*.egg-info
mk tree
check 'setup.py builds in the tree' [ -e build/lib/demo/main.py ]
check 'an sdist has its egg-info' \
	same "$(tar tzf dist/demo-1.tar.gz | grep -c 'egg-info/SOURCES.txt')" 1
mk told
check 'a folder for the session' same "$(cat told)" "$state"/builds/told/any.cfg
DIST_EXTRA_CONFIG=/mine.cfg mk told
check "the user's own file stays" same "$(cat told)" /mine.cfg
printf '[build]\nbuild-base = out\n' >setup.cfg
mk told
check "the project's own folder stays" same "$(cat told)" none
rm setup.cfg
touch PKG-INFO
mk told
check 'an unpacked sdist is built as it is' same "$(cat told)" none
rm PKG-INFO
printf '[tool.noxmk]\nsource-build = false\n' >>pyproject.toml
mk told
check 'source-build = false: no folder' same "$(cat told)" none
rm -rf setup.py lib src build dist

# Which commands build what: {} stands for this folder, lib has a project, none has none.
mkdir -p lib none safe
touch lib/setup.py
printf '[build-system]\nbuild-backend = "hatchling.build"\n' >safe/pyproject.toml
printf -- '-e ./lib\n--no-index\nnone\n' >other.txt
printf 'lib @ ./lib ; python_version > "3"\n' >url.txt
cat >"$scratch/words.py" <<'END'
import importlib.util, os, sys
sys.path.insert(0, os.path.dirname(sys.argv[1]))  # it has what it imports
spec = importlib.util.spec_from_file_location("building", sys.argv[1])
building = importlib.util.module_from_spec(spec)
spec.loader.exec_module(building)
here = os.getcwd()
cases = {
    "install .": here, "install .[test,doc]": here, "install -e .": here, "install -e.[dev]": here,
    "install --editable=.": here, "install ./lib": "lib", f"install file://{here}": here,
    "install noted@.": here, "install lib": "lib", "install requests none ./none": "",
    "install -r missing.txt": "",
    "install -r other.txt": "lib", "install . -rother.txt": f"{here} lib",
    "install --requirement=other.txt": "lib", "install --requirement url.txt": "lib",
    "run uv sync": here, "run uv pip install -r other.txt": "lib", "run git sync": "", "install --no-index .": here, "install lib .": "lib .",
    "run pip install .": here, "run python -m pip install -e .": here, "run pip list": "",
    "run uv pip install .": here, "run python -m build": here, "run python -m build lib": "lib",
    "run uv build": here, "run pyproject-build": here, "run python setup.py sdist": here,
    "run python -m uv sync": here, "run python3.12 -m uv build lib": "lib", "run uv -q sync": here,
    "run uv run python -m build": here, "run uvx --from build pyproject-build": here,
    "run pdm install": here, "run pdm build": here, "run python -W error -m build": here,
    "run python -u setup.py sdist": here, "run coverage run -m build": "",
    "run flake8 lib setup.py": "", "run git commit -m build": "", "run black setup.py build": "",
    "run npm install": "", "run pytest .": "", "run make build": "",
}
wrong = []
for case, expected in cases.items():
    verb, *words = case.split()
    found = building.built_by(words, verb == "install")
    wanted = [os.path.abspath(folder) for folder in expected.split()]
    if found != wanted:
        wrong.append(f"{case}: {found}, not {wanted}")
# What a folder of the session keeps apart, when setuptools builds.
modern = '[build-system]\nrequires = ["setuptools"]\n'
extension = 'setup(ext_modules=[Extension("a", ["a.c"])])'
needs = lambda text: modern.replace('setuptools"', text + '"')
apart = [
    (True, "install .", modern, ""), (True, "install .", "", "setup()"),
    (True, "install -e .", modern, "setup()"), (False, "install -e .", "", "setup()"),
    (True, "install .", modern, extension), (False, "install -e .", modern, extension),
    (False, "install -r editable.txt", modern, extension), (True, "run uv sync", modern, ""),
    (False, "run uv sync", modern, extension),
    (True, "run uv sync --no-editable", modern, extension),
    (False, "run python -m build", modern, ""), (False, "run python setup.py build", modern, ""),
    (False, "run uv build --wheel", modern, ""), (True, "run pip wheel .", modern, ""),
    (False, "install .", needs('setuptools", "Cython>=3'), ""),
    (False, "install .", modern, "from mypyc.build import mypycify"),
    (False, "install .", needs("setuptools<60"), ""),
    (False, "install .", needs("setuptools ~= 65.1"), ""),
    (True, "install .", needs("setuptools>=61,<80"), ""),
    (True, "install .", needs("setuptools<660"), ""),
]
os.mkdir("tried")
os.chdir("tried")
def put(name, text):
    with open(name, "w") as file:
        file.write(text)
def kept_apart(case, venv=None):
    verb, *words = case.split()
    return building.is_kept_apart(os.getcwd(), words, verb == "install", venv)
put("editable.txt", "-e .\n")
for expected, case, pyproject, setup in apart:
    if os.path.exists("pyproject.toml"):
        os.unlink("pyproject.toml")
    if pyproject:
        put("pyproject.toml", pyproject)
    put("setup.py", setup)
    if kept_apart(case) != expected:
        wrong.append(f"{case} of {pyproject!r} {setup!r}: not {expected}")
put("pyproject.toml", modern)
for version, expected in {"59.8.0": False, "65.6.3": False, "66.0.0": True, "84.2.1": True}.items():
    os.makedirs(f"env-{version}/lib/python3.9/site-packages/setuptools-{version}.dist-info")
    if kept_apart("install --no-build-isolation .", f"env-{version}") != expected:
        wrong.append(f"setuptools {version} of the environment: not {expected}")
    if not kept_apart("install .", f"env-{version}"):
        wrong.append(f"setuptools {version} of the environment, which does not build")
if building.is_kept_apart(os.path.abspath("lib"), ["./lib"], True, None):
    wrong.append("a project in another folder")
for backend, case, expected in [
    ("hatchling.build", "-e .", True), ("uv_build", ".", True), ("mesonpy", ".", True),
    ("mesonpy", "-e .", False), ("mesonpy", "-Cbuild-dir=build .", False),
    ("scikit_build_core.build", ".", True), ("noting", ".", False),
]:
    put("pyproject.toml", f'[build-system]\nbuild-backend = "{backend}"\n')
    if building.is_safe(os.getcwd(), case.split(), "install") != expected:
        wrong.append(f"{backend}: {case}: not {expected}")
print("\n".join(wrong))
END
run "$python3" "$scratch/words.py" "$STAGE/share/noxmk/building.py"
check 'what builds what' same "$(cat "$out" "$err")" ''
finish
