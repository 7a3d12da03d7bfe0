#!/bin/sh
# Statuses of a commit, which `noxmk end` sets on Forgejo and Gitea: a stub of the forge's API on
# this machine notes what comes.

# shellcheck disable=SC2317 # checks are called by name
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

unset FORGEJO_TOKEN GITEA_TOKEN GITHUB_TOKEN
for name in API_URL REPOSITORY SHA JOB SERVER_URL RUN_NUMBER; do
	unset "FORGEJO_$name" "GITHUB_$name"
done
token=a-token-4711

# The stub does as the repository's name says: ok, denied, moved, hangs, talks (in its answer of the
# token). It also looks whether the token is on a command line.
cat >"$scratch/stub.py" <<'END'
import http.server, json, os, pathlib, sys, time

folder = pathlib.Path(sys.argv[1])

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        (folder / "followed").touch()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.path.split("/")[5]
        shown = any(b"a-token" in words.read_bytes() for words in pathlib.Path("/proc").glob("[0-9]*/cmdline")
                    if os.access(words, os.R_OK))
        with open(folder / "got", "a") as file:
            file.write(json.dumps([self.path, self.headers["Authorization"], json.loads(body), shown]) + "\n")
        while kind == "hangs":
            time.sleep(1)  # for ever
        self.send_response({"ok": 201, "moved": 302}.get(kind, 403))
        if kind == "moved":
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/elsewhere")
        self.end_headers()
        if kind == "talks":
            self.wfile.write(b"what about a-token-4711?")

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
(folder / "port~").write_text(str(server.server_port))
(folder / "port~").rename(folder / "port")
server.serve_forever()
END
"$python3" "$scratch/stub.py" "$scratch" &
at_exit="kill $!"
wait_for [ -f "$scratch/port" ]
port=$(cat "$scratch/port")

noxfile <<'END'
@nox.session(python=False)
def good(session):
    pass

@nox.session(python=False)
def bad(session):
    session.error("it \x1b[1m" + "x" * 200)

@nox.session(python=False)
def skips(session):
    session.skip("no need")
END

sha=0123456789abcdef0123456789abcdef01234567
# told REPOSITORY VARIABLE...: a run on a forge that says so.
told() {
	repository=$1
	shift
	rm -f "$scratch/got" "$scratch/followed"
	run env no_proxy='*' CI=true GITHUB_ACTIONS=true FORGEJO_ACTIONS=true FORGEJO_TOKEN=$token \
		GITHUB_API_URL="http://127.0.0.1:$port/api/v1" GITHUB_REPOSITORY="us/$repository" GITHUB_SHA=$sha \
		GITHUB_JOB=test "$@" "$MAKE" -I "$STAGE/include" -j2 good bad skips NOXMK_RECHECK=0
	cat "$out" "$err" >"$scratch/all"
}

# got EXPRESSION: it holds for what came, a list of [path, authorization, body, shown] by target.
got() {
	"$python3" - "$scratch/got" "$1" <<'END'
import json, sys
got = sorted((json.loads(line) for line in open(sys.argv[1])), key=lambda one: one[2]["context"])
bodies = {one[2]["context"].split("/")[1]: one[2] for one in got}
assert eval(sys.argv[2]), got
END
}

told ok
check 'each session is one status' got 'list(bodies) == ["bad", "good", "skips"] and len(got) == 3'
check 'of the commit' got "all(one[0] == '/api/v1/repos/us/ok/statuses/$sha' for one in got)"
check 'which names the job' got 'bodies["good"]["context"] == "noxmk: test/good"'
check 'with its state' got '[body["state"] for body in bodies.values()] == ["failure", "success", "success"]'
check 'and its reason' got 'bodies["skips"]["description"].endswith("s: no need")'
check 'which is cut, and made visible' got \
	'len(bodies["bad"]["description"]) == 140 and ": it \\x1b" not in bodies["bad"]["description"]'
check 'there is no link where the run has no number' got 'all("target_url" not in one[2] for one in got)'
check 'the token is in the header' got "all(one[1] == 'token $token' for one in got)"
check 'and on no command line' got 'not any(one[3] for one in got)'
check 'nothing is said' lacks "$scratch/all" NOXMK_STATUS
check 'the run is as it was' matches "$err" '^noxmk: bad: aborted$'
told ok GITHUB_SERVER_URL=http://forge.example GITHUB_RUN_NUMBER=7
check 'with a number there is one' got \
	'all(one[2]["target_url"] == "http://forge.example/us/ok/actions/runs/7" for one in got)'

# On a slow machine all of it may be ended before it can say how many were not sent.
some='noxmk: NOXMK_STATUS: the forge does not know of all sessions:'
for kind in denied:'HTTP 403' moved:'HTTP 302' talks:'HTTP 403' hangs:'no answer in time'; do
	told "${kind%%:*}"
	check "${kind%%:*}: one line says so" same "$(sed -n 's/ 3 of 3 were not sent://; /NOXMK_STATUS/p' "$scratch/all")" \
		"$some ${kind#*:}"
	check "${kind%%:*}: the run is as it was" matches "$err" '^noxmk: bad: aborted$'
	check "${kind%%:*}: the token is nowhere" not grep -rq $token "$scratch/all" "$state"
	check "${kind%%:*}: no other address gets it" absent "$scratch/followed"
done
told ok GITHUB_API_URL=http://127.0.0.1:1/api/v1
check 'no server: one line' has "$err" 'sessions: 3 of 3 were not sent: Connection refused'
told 'o k'
check 'an odd repository: one line' has "$err" 'sessions: GITHUB_REPOSITORY is not set, or odd'
told ok FORGEJO_TOKEN="$(printf 'a-token\r\nX: y')"
check 'an odd token: one line' has "$err" 'sessions: 3 of 3 were not sent: ValueError'
check 'an odd token is nowhere' lacks "$scratch/all" a-token

# Where nobody wants it, or it cannot be

told ok NOXMK_STATUS=0
check 'nobody is told with NOXMK_STATUS=0' absent "$scratch/got"
told ok FORGEJO_TOKEN=
check 'nor without a token' absent "$scratch/got"
check 'which is no word worth' lacks "$scratch/all" NOXMK_STATUS
told ok FORGEJO_ACTIONS=
check 'nor on GitHub' absent "$scratch/got"
told ok FORGEJO_ACTIONS= GITEA_ACTIONS=true FORGEJO_TOKEN= GITHUB_TOKEN=$token
check 'Gitea is told, with the token that it has' got "len(got) == 3 and got[0][1] == 'token $token'"
printf '[tool.noxmk]\nstatus = true\n' >pyproject.toml
told ok
check 'the project itself cannot decide' has "$err" 'pyproject.toml: tool.noxmk.status'

finish
