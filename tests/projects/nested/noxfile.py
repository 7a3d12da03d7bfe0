"""Sessions that start jobs: see tests/cli/nested.sh."""

import os
import shutil

import nox

nox.options.sessions = []


def define(name, *command, **env):
    @nox.session(name=name, python=False)
    def run(session):
        session.run(*command, external=True, env={k: os.path.abspath(v) for k, v in env.items()})


REAL = os.environ.get("INNER") or shutil.which("make", path="/usr/bin:/bin:/usr/local/bin") or "make"
define("make", "make", "-s", "-f", "jobs.mk", "eight")
define("named_with_jobs", "make", "-s", "-j8", "-f", "jobs.mk", "eight")
define("by_path", REAL, "-s", "-j8", "-f", "jobs.mk", "eight")
define("sub_make", "make", "-s", "-f", "jobs.mk", "below")
define("shell_make", "sh", "-c", "sh -c 'make -s -f jobs.mk below'")
define("script_make", "sh", "-c", f"{REAL} -s -f jobs.mk below")
define("heavy", "make", "-s", "-f", "jobs.mk", "eight")
define("greedy", "make", "-s", "-f", "jobs.mk", "eight")
define("all_one", "make", "-s", "-f", "jobs.mk", "eight")
define("all_two", "make", "-s", "-f", "jobs.mk", "eight")
define("ninja", os.environ.get("NINJA", "ninja"))
define("cargo", "cargo", "build", "--quiet", "--offline", "--manifest-path", "crates/Cargo.toml",
       RUSTC_WRAPPER="rustc-job", CARGO_TARGET_DIR="target")
define("lto", "make", "-s", "-C", "lto")
define("beside_make", "sleep", "2")
define("daemon", "sh", "-c", "setsid sleep 300 & make -s -f jobs.mk eight")
