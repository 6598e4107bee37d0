"""Has schemathesis try the whole API of a real server: made-up requests by its document, as an admin's session.

    python3 -m venv FOLDER/venv && FOLDER/venv/bin/pip install schemathesis==4.32.0
    FOLDER/venv/bin/python benches/peers/api/fuzz.py target/debug/sfa [EXAMPLES] [DATABASE_URL]

Starts the server on a library of its own and sets it up. Every operation gets EXAMPLES made-up requests (default 200, some
10,000 in all) and those that schemathesis thinks of besides; a session is opened anew as often as one was ended, by another
admin where an account was taken. The two live
routes are left out, since they never end. Ends with 1 where an answer was a 5xx, or not what the document says.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSWORD = "correct horse battery"
# None is the document's example, with which made-up requests sign in wrongly until it is locked for a while.
ACCOUNTS = [{"email": f"fuzz{number}@example.org", "password": PASSWORD} for number in range(12)]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def start(program, folder, url):
    environment = dict(os.environ)
    environment.pop("SFA_DATABASE_URL", None)
    if url:
        environment["SFA_DATABASE_URL"] = url
    rates = ",".join(["1000000000"] * 3)
    server = subprocess.Popen(
        [program, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--log", "error", "--rates", rates],
        stdout=subprocess.PIPE, text=True, env=environment)
    said = server.stdout.readline() + server.stdout.readline()
    address = re.search(r"listening on (\S+)", said).group(1)
    token = re.search(r"set-up token is (\S+)", said).group(1)
    return server, address, token


def post(url, body, headers={}):
    headers = {"content-type": "application/json", **headers}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    return urllib.request.urlopen(request)


def main():
    program, *rest = sys.argv[1:] or sys.exit(__doc__)
    examples, url = (rest + ["200", ""][len(rest):])[:2]
    with tempfile.TemporaryDirectory() as folder:
        server, address, token = start(program, folder, url)
        try:
            first, *others = ACCOUNTS
            post(f"{address}/api/v1/setup", {"token": token, "name": "Ann", **first})
            cookie = post(f"{address}/api/v1/login", first).headers["set-cookie"].split(";")[0]
            for account in others:
                post(f"{address}/api/v1/users", {**account, "name": "Ben", "role": "super_admin"}, {"cookie": cookie})
            environment = {
                **os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "session", "SFA_ADDRESS": address,
                "SFA_ACCOUNTS": json.dumps(ACCOUNTS),
            }
            command = [
                Path(sys.executable).parent / "schemathesis", "run", f"{address}/api/v1/openapi.json",
                "--max-examples", examples, "--checks", CHECKS, "--continue-on-failure", "--workers", "2",
                "--exclude-path-regex", "/live", "--suppress-health-check", "all",
            ]
            ended = subprocess.run(command, env=environment, cwd=folder)
            alive = server.poll() is None
        finally:
            server.terminate()
            server.wait()
    sys.exit(ended.returncode if alive else "the server ended")


if __name__ == "__main__":
    main()
