"""Our queue, graphile-worker and procrastinate on one PostgreSQL, one after the other, round by round.

    cargo build --release -p sfa-benches
    (cd FOLDER && npm install graphile-worker@0.17.3)
    python3 -m venv FOLDER/venv && FOLDER/venv/bin/pip install procrastinate==3.10.0 'psycopg[binary,pool]'
    python3 benches/peers/queue/compare.py target/release/library FOLDER [ROUNDS]

Starts a server of its own in a temporary folder: default settings, fsync on, reached over the loopback by all three.
Concurrency is 10 everywhere and every database is new. Prints medians, and how often a commit was needed per job of ours.
"""
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
JOBS = {"ours": 20_000, "graphile-worker": 4_000, "procrastinate": 400}


def server_programs():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        sys.exit("PostgreSQL is not installed")
    return found[-1].parent


class Server:
    def __init__(self, folder):
        self.bin, self.folder = server_programs(), Path(folder)
        self.prefix = []
        if os.getuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
            self.prefix = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        self.run("initdb", "-A", "trust", "-U", "sfa", "-E", "UTF8", "--locale=C", "-D", self.folder / "data")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen(
            self.prefix + [self.bin / "postgres", "-D", self.folder / "data", "-p", str(self.port),
                           "-c", "listen_addresses=127.0.0.1", "-k", str(self.folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while subprocess.run([self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            time.sleep(0.1)

    def run(self, program, *arguments):
        subprocess.run(self.prefix + [self.bin / program, *map(str, arguments)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fresh(self, name):
        self.run("createdb", "-U", "sfa", "-h", "127.0.0.1", "-p", self.port, name)
        return f"postgres://sfa@127.0.0.1:{self.port}/{name}"

    def commits(self, name):
        query = f"select xact_commit from pg_stat_database where datname = '{name}'"
        found = subprocess.run([self.bin / "psql", "-U", "sfa", "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres",
                                "-At", "-c", query], check=True, capture_output=True, text=True)
        return int(found.stdout)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def main(program, folder, rounds):
    folder = Path(folder).resolve()
    commands = {
        "ours": [Path(program).resolve(), "queue"],
        "graphile-worker": ["node", folder / "graphile.mjs"],
        "procrastinate": [folder / "venv/bin/python", HERE / "procrastinate_peer.py"],
    }
    # A module of Node finds its packages beside itself.
    shutil.copy(HERE / "graphile.mjs", folder / "graphile.mjs")
    runs = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as place:
        server = Server(place)
        try:
            for number in range(rounds):
                for name, command in commands.items():
                    database = f"{name.replace('-', '_')}_{number}"
                    address = server.fresh(database)
                    found = subprocess.run([*map(str, command), address, str(JOBS[name])], check=True,
                                           capture_output=True, text=True)
                    row = json.loads(found.stdout.strip().splitlines()[-1])
                    time.sleep(1.5)
                    row["commits_per_job"] = server.commits(database) / JOBS[name]
                    runs[name].append(row)
                    print(name, row, file=sys.stderr, flush=True)
        finally:
            server.stop()
    keys = list(runs["ours"][0])
    print("| | " + " | ".join(key.replace("_", " ") for key in keys) + " |\n" + "|---" * (len(keys) + 1) + "|")
    for name, rows in runs.items():
        medians = [statistics.median(row[key] for row in rows) for key in keys]
        print(f"| {name} | " + " | ".join(f"{value:,.2f}" if value < 100 else f"{value:,.0f}" for value in medians) + " |")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 5)
