"""Tells Forgejo or Gitea of each session, as a status of the commit: `noxmk end` starts this.

Standard input has {"statuses": [{"target": …, "state": …, "description": …}, …]}, the environment
what the forge's runner sets. All of them are sent within SECONDS, some at a time. Whatever is not
sent is no failure: one line on standard output says why, and never with the token in it.
"""

import json
import os
import queue
import re
import socket
import sys
import threading
import time
import urllib.error
import urllib.request

SECONDS = 4.0
AT_ONCE = 8
TOO_SLOW = "no answer in time"
# What these variables have to look like.
FORM = {"REPOSITORY": r"[\w.-]+/[\w.-]+", "SHA": "[0-9a-f]{40}|[0-9a-f]{64}",
        "API_URL": r"https?://\S+"}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """To another host the token would go as well."""

    def redirect_request(self, *_):
        return None


def told(name):
    """Forgejo's runner has a twin of its own for each of GitHub's variables."""
    return os.environ.get("FORGEJO_" + name) or os.environ.get("GITHUB_" + name) or ""


def token():
    names = ("FORGEJO_TOKEN", "GITEA_TOKEN", "GITHUB_TOKEN")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def page_of_run():
    server, number = told("SERVER_URL"), told("RUN_NUMBER")
    if not re.fullmatch(FORM["API_URL"], server) or not number.isdigit():
        return None
    return f"{server.rstrip('/')}/{told('REPOSITORY')}/actions/runs/{number}"


def why(error):
    """Not the error's text: that of an odd header has the header, and a forge may say anything."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.timeout):
        return TOO_SLOW
    return getattr(reason, "strerror", None) or type(reason).__name__


class Sender:
    def __init__(self, statuses):
        self.end = time.monotonic() + SECONDS
        self.waiting = queue.SimpleQueue()
        self.missing = len(statuses)
        self.why = TOO_SLOW
        self.lock = threading.Lock()
        self.opener = urllib.request.build_opener(NoRedirect)
        # What has failed counts most, should the time be too short for all.
        for status in sorted(statuses, key=lambda status: status["state"] == "success"):
            self.waiting.put(status)

    def request(self, status):
        body = {"context": f"noxmk: {told('JOB')}/{status['target']}", "state": status["state"],
                "description": status["description"], "target_url": page_of_run()}
        return urllib.request.Request(
            f"{told('API_URL').rstrip('/')}/repos/{told('REPOSITORY')}/statuses/{told('SHA')}",
            data=json.dumps({key: value for key, value in body.items() if value}).encode(),
            method="POST", headers={"Authorization": "token " + token(), "User-Agent": "noxmk",
                                    "Content-Type": "application/json"})

    def send(self, status):
        left = self.end - time.monotonic()
        if left <= 0:
            return
        try:
            with self.opener.open(self.request(status), timeout=left):
                pass
        except Exception as error:
            with self.lock:
                self.why = why(error)
        else:
            with self.lock:
                self.missing -= 1

    def work(self):
        while True:
            try:
                self.send(self.waiting.get_nowait())
            except queue.Empty:
                return

    def run(self):
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0, self.end - time.monotonic()))


def main():
    statuses = json.load(sys.stdin)["statuses"]
    odd = [name for name, form in FORM.items() if not re.fullmatch(form, told(name))]
    if odd:
        print(f"GITHUB_{odd[0]} is not set, or odd", flush=True)
    else:
        sender = Sender(statuses)
        sender.run()
        if sender.missing:
            print(f"{sender.missing} of {len(statuses)} were not sent: {sender.why}", flush=True)
    # A thread that hangs, in a look-up of the host say, is not waited for.
    os._exit(0)


main()
