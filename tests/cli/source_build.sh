#!/bin/sh
# Builds in the source tree are kept apart, sessions that contain them are not.
. "$(dirname "$0")/lib.sh"

# A build backend that notes when a build starts and ends. It waits, BUILD_MEET
# seconds at most, for another one to start; then the second one does not wait.
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
    while started() < 2 and time.monotonic() < deadline:
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

# While another process has the lock, the session says that it waits.
mkdir -p "$state"/locks
mkfifo go
flock "$state"/locks/source-build sh -c 'touch held; read word <go' &
holder=$!
at_exit="kill $holder 2>/dev/null"
wait_for [ -e held ]
"$MAKE" -I "$STAGE/include" tests-n-1 >"$scratch/waiting" 2>&1 </dev/null &
waiting=$!
check 'it says that it waits' \
	wait_for has "$scratch/waiting" 'noxmk: waits for another session that builds'
echo >go
wait $waiting
status=$?
check 'and goes on' exits 0
rm -rf "$state"/locks
mkdir "$state"/locks
mkdir "$state"/locks/source-build
mk tests-n-2
check 'a lock that cannot be had: it runs all the same' exits 0
check 'a lock that cannot be had: a warning' has "$out" 'builds are not kept apart'

# Which commands build what: {} stands for this folder, lib has a project, none has none.
mkdir -p lib none safe
touch lib/setup.py
printf '[build-system]\nbuild-backend = "hatchling.build"\n' >safe/pyproject.toml
cat >"$scratch/words.py" <<'END'
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("building", sys.argv[1])
building = importlib.util.module_from_spec(spec)
spec.loader.exec_module(building)
here = os.getcwd()
cases = {
    "install .": here, "install .[test,doc]": here, "install -e .": here, "install -e.[dev]": here,
    "install --editable=.": here, "install ./lib": "lib", f"install file://{here}": here,
    "install noted@.": here, "install lib": "lib", "install requests none ./none": "",
    "install -r requirements.txt": "", "install --no-index .": here, "install lib .": "lib .",
    "run pip install .": here, "run python -m pip install -e .": here, "run pip list": "",
    "run uv pip install .": here, "run python -m build": here, "run python -m build lib": "lib",
    "run uv build": here, "run pyproject-build": here, "run python setup.py sdist": here,
    "run npm install": "", "run pytest .": "", "run make build": "",
}
wrong = []
for case, expected in cases.items():
    verb, *words = case.split()
    found = building.built_by(words, verb == "install")
    wanted = [os.path.abspath(folder) for folder in expected.split()]
    if found != wanted:
        wrong.append(f"{case}: {found}, not {wanted}")
for folder, safe in {".": False, "lib": False, "safe": True}.items():
    if building.is_safe(folder) != safe:
        wrong.append(f"is_safe({folder}) is not {safe}")
print("\n".join(wrong))
END
run "$python3" "$scratch/words.py" "$STAGE/share/noxmk/building.py"
check 'what builds what' same "$(cat "$out" "$err")" ''
finish
