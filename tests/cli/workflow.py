#!/usr/bin/env python3
"""Runs a workflow of Forgejo, GitHub or GitLab on this machine: workflow.py FILE REPOSITORY FOLDER.

Only what `noxmk init --shards` writes is known: jobs with `needs`, one `strategy.matrix` by
fromJSON, `if: always()`, outputs, steps that run commands or use checkout, cache, and artifacts;
of GitLab jobs with `parallel`, `when: always`, variables, scripts, a cache and artifacts.
Each job works in a fresh clone of REPOSITORY in FOLDER; FOLDER/cache and FOLDER/artifacts are what
the forge keeps. What sets a machine up is passed over. LOSE names a job that dies as if its machine
had, after its commands. Prints `JOB: success` or `JOB: failure` for each, and exits 1 if one fails.
"""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import subprocess
import sys


def parse_text(lines: list[tuple[int, str]], text: str, at: int, depth: int) -> tuple[str, int]:
    """A plain text, which goes on in lines that are further in."""
    while at < len(lines) and lines[at][0] > depth:
        text += " " + lines[at][1]
        at += 1
    return text, at


def parse(lines: list[tuple[int, str]], at: int, depth: int) -> tuple[object, int]:
    """The block that begins there: a mapping, or a list; of YAML only what our texts have."""
    if lines[at][1].startswith("- "):
        items = []
        while at < len(lines) and lines[at][0] == depth and lines[at][1].startswith("- "):
            text = lines[at][1][2:]
            if re.match(r"[\w-]+:( |$)", text):
                lines[at] = (depth + 2, text)
                item, at = parse(lines, at, depth + 2)
            else:
                item, at = parse_text(lines, text, at + 1, depth)
            items.append(item)
        return items, at
    mapping: dict[str, object] = {}
    while at < len(lines) and lines[at][0] == depth:
        key, _, value = lines[at][1].partition(":")
        value, at = value.strip(), at + 1
        if value == "|":
            text = []
            while at < len(lines) and lines[at][0] > depth:
                text.append(lines[at][1])
                at += 1
            mapping[key] = "\n".join(text)
        elif value.startswith("["):
            mapping[key] = [word.strip() for word in value[1:-1].split(",")]
        elif value or at == len(lines) or lines[at][0] <= depth:
            mapping[key] = value.strip('"')
        else:
            mapping[key], at = parse(lines, at, lines[at][0])
    return mapping, at


def load(path: str) -> dict:
    with open(path, encoding="utf-8") as file:
        lines = [(len(line) - len(line.lstrip()), line.strip()) for line in file
                 if line.strip() and not line.strip().startswith("#")]
    result, at = parse(lines, 0, 0)
    assert at == len(lines) and isinstance(result, dict), lines[at]
    return result


class Runner:
    def __init__(self, repository: str, folder: str) -> None:
        self.repository, self.folder = repository, folder
        self.outputs: dict[str, dict[str, str]] = {}
        self.results: dict[str, bool] = {}

    def fill(self, text: str, context: dict[str, str]) -> str:
        """Its expressions evaluated."""
        def value(match: re.Match) -> str:
            name = match[1]
            needs = re.fullmatch(r"needs\.(\w+)\.outputs\.(\w+)", name)
            return self.outputs[needs[1]][needs[2]] if needs else context[name]
        return re.sub(r"\$\{\{ *(.*?) *\}\}", value, text)

    def use(self, action: str, given: dict[str, str], work: str) -> None:
        path = os.path.join(work, given.get("path", ""))
        kept = os.path.join(self.folder, "cache", os.path.basename(path))
        artifacts = os.path.join(self.folder, "artifacts")
        if "cache/restore@" in action and os.path.exists(kept):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(kept, path)
        elif "cache/save@" in action:
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            shutil.copy(path, kept)
        elif "upload-artifact@" in action:
            os.makedirs(os.path.join(artifacts, given["name"]))
            shutil.copy(path, os.path.join(artifacts, given["name"]))
        elif "download-artifact@" in action:
            shutil.copytree(artifacts, path)

    def run_step(self, step: dict, context: dict, work: str, lost: bool) -> bool:
        if "uses" in step:
            given = {k: self.fill(v, context) for k, v in step.get("with", {}).items()}
            if not (lost and "upload" in step["uses"]):
                self.use(step["uses"], given, work)
            return True
        if re.search(r"pip install|apt-get", step["run"]):
            return True
        told = os.path.join(self.folder, "told")
        open(told, "w", encoding="utf-8").close()
        added = {k: self.fill(v, context) for k, v in step.get("env", {}).items()}
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", self.fill(step["run"], context)],
                              cwd=work, env=os.environ | added | {"GITHUB_OUTPUT": told},
                              stdin=subprocess.DEVNULL, check=False)
        with open(told, encoding="utf-8") as file:
            for line in file:
                name, _, value = line.rstrip("\n").partition("=")
                context[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done.returncode == 0

    def run_job(self, name: str, job: dict, context: dict[str, str]) -> None:
        work = os.path.join(self.folder, name.replace(" ", "-").replace("/", "-"))
        subprocess.run(["git", "clone", "-q", self.repository, work], check=True)
        well = True
        for step in job["steps"]:
            if well or step.get("if") == "always()":
                well = self.run_step(step, context, work, name == os.environ.get("LOSE")) and well
        self.results[name] = well
        self.outputs[name] = {k: self.fill(v, context) for k, v in job.get("outputs", {}).items()}
        print(f"{name}: {'success' if well else 'failure'}", flush=True)

    def run(self, jobs: dict[str, dict]) -> bool:
        """In the order of the file, which is that of their needs."""
        for name, job in jobs.items():
            context = {"github.run_id": "1", "github.run_attempt": "1"}
            if job.get("if") != "always()" and not all(self.results.values()):
                continue
            strategy = job.get("strategy", {}).get("matrix")
            if not strategy:
                self.run_job(name, job, context)
                continue
            matrix = re.sub(r"fromJSON\((.*)\)", r"\1", strategy)
            for index, entry in enumerate(json.loads(self.fill(matrix, context))["include"]):
                more = {f"matrix.{k}": str(v) for k, v in entry.items()}
                more["strategy.job-index"] = str(index)
                self.run_job(self.fill(job["name"], more), job, context | more)
        return all(self.results.values())


class GitLab:
    def __init__(self, repository: str, folder: str) -> None:
        self.repository, self.folder = repository, folder
        self.results: dict[str, bool] = {}

    def copy(self, patterns: list[str], source: str, target: str) -> None:
        for pattern in patterns:
            for path in glob.glob(os.path.join(source, pattern)):
                to = os.path.join(target, os.path.relpath(path, source))
                os.makedirs(os.path.dirname(to), exist_ok=True)
                shutil.copy(path, to)

    def script(self, commands: list[str], work: str, variables: dict[str, str]) -> bool:
        text = "\n".join(c for c in commands if "pip install" not in c)
        return subprocess.run(["bash", "-eo", "pipefail", "-c", text], cwd=work, check=False,
                              env=os.environ | variables, stdin=subprocess.DEVNULL).returncode == 0

    def run_job(self, name: str, job: dict, variables: dict[str, str]) -> None:
        """What it needs hands its artifacts over, all parallel jobs of it."""
        work = os.path.join(self.folder, name.replace(" ", "-").replace("/", "-"))
        cache, artifacts = os.path.join(self.folder, "cache"), job.get("artifacts", {})
        cached = job.get("cache", {})
        subprocess.run(["git", "clone", "-q", self.repository, work], check=True)
        self.copy(cached.get("paths", []), cache, work)
        for needed in job.get("needs", []):
            self.copy(["*"], os.path.join(self.folder, "artifacts", needed), work)
        well = self.script(job["script"], work, job.get("variables", {}) | variables)
        lost = name == os.environ.get("LOSE")
        if not lost:
            self.script(job.get("after_script", []), work, variables)
        if cached.get("policy") != "pull" and (well or cached.get("when") == "always"):
            self.copy(cached.get("paths", []), work, cache)
        if not lost and (well or artifacts.get("when") == "always"):
            self.copy(artifacts.get("paths", []), work,
                      os.path.join(self.folder, "artifacts", name.split()[0]))
        self.results[name] = well
        print(f"{name}: {'success' if well else 'failure'}", flush=True)

    def run(self, jobs: dict[str, dict]) -> bool:
        """In the order of the file, which is that of their needs."""
        for name, job in jobs.items():
            if name == "default" or not (job.get("when") == "always" or
                                         all(self.results.values())):
                continue
            count = int(job.get("parallel", 0))
            for i in range(1, count + 1):
                self.run_job(f"{name} {i}/{count}", job,
                             {"CI_NODE_INDEX": str(i), "CI_NODE_TOTAL": str(count)})
            if not count:
                self.run_job(name, job, {})
        return all(self.results.values())


if __name__ == "__main__":
    places = [os.path.abspath(path) for path in sys.argv[2:]]
    workflow = load(sys.argv[1])
    sys.exit(not (Runner(*places).run(workflow["jobs"]) if "jobs" in workflow else
                  GitLab(*places).run(workflow)))
