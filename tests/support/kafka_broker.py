"""A real Kafka of one or three nodes on loopback, for tests and trials; plain Python, no client library.

    kafka_broker.py run [--nodes N] [--version V] [--tls] [--set KEY=VALUE]… [--folder F] [--ready-file R] -- CMD…
        a broker around one command, which finds it in TAIZHANG_KAFKA=host:port,…; ends with the command's status.
        With TAIZHANG_KAFKA set already and nothing special asked for, the command runs on that broker.
    kafka_broker.py start --folder F [--nodes N] [--version V] [--set KEY=VALUE]…   keeps running; prints the address
    kafka_broker.py stop --folder F                                                 ends it; the data stays
    kafka_broker.py fetch [--version V]                                             only fetches the jars
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import kafka_jars
from kafka_cluster import STOP_S_MAX, Kafka


def kept_pids(folder):
    """Process ids of a kept cluster's nodes that run. A pid file may be old: the command line must name its settings."""
    pids = []
    for file in sorted(pathlib.Path(folder).absolute().glob("node*/pid")):
        pid = file.read_text().strip()
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(file.parent / "server.properties").encode() in words:
            pids.append(int(pid))
    return pids


def start_kept(options):
    if kept_pids(options.folder):
        cluster = json.loads((options.folder / "cluster.json").read_text())
        print(",".join(f"127.0.0.1:{ports['clients']}" for ports in cluster["ports"]))
        return 0
    kafka = Kafka(options.folder, options.nodes, options.version, settings=dict(options.set), keep=True)
    try:
        kafka.start()
    except BaseException:
        kafka.end()
        raise
    print(kafka.bootstrap)
    return 0


def stop_kept(options):
    pids = kept_pids(options.folder)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + STOP_S_MAX
    while kept_pids(options.folder):
        if time.monotonic() > end:
            for pid in kept_pids(options.folder):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    print(f"ended {len(pids)} node(s) of {options.folder}")
    return 0


def run(options):
    plain = options.nodes == 1 and not options.tls and not options.set and not options.folder
    if plain and options.version == kafka_jars.DEFAULT_VERSION and os.environ.get("TAIZHANG_KAFKA"):
        os.execvp(options.command[0], options.command)
    # A signal unwinds, so that the broker and the temporary folder go too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="taizhang-kafka-") as temporary:
        with Kafka(options.folder or temporary, options.nodes, options.version, options.tls,
                   dict(options.set)) as kafka:
            environment = os.environ | {"TAIZHANG_KAFKA": kafka.bootstrap}
            if kafka.tls:
                password = kafka.folder / "tls/password"
                password.touch(mode=0o600)
                password.write_text(kafka.password)
                environment |= {"TAIZHANG_KAFKA_CA": str(kafka.ca_file), "TAIZHANG_KAFKA_USER": kafka.user,
                                "TAIZHANG_KAFKA_PASSWORD_FILE": str(password)}
            if options.ready_file:
                options.ready_file.write_text(kafka.bootstrap + "\n")
            command = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *options.command], env=environment)
            try:
                status = command.wait()
            finally:
                if command.poll() is None:
                    command.kill()
                    command.wait()
            return status if status >= 0 else 128 - status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("run", "start", "stop", "fetch"):
        action = actions.add_parser(name)
        if name != "fetch":
            action.add_argument("--folder", type=pathlib.Path, required=name != "run")
        if name != "stop":
            action.add_argument("--version", default=kafka_jars.DEFAULT_VERSION, choices=sorted(kafka_jars.MORE_JARS))
        if name in ("run", "start"):
            action.add_argument("--nodes", type=int, default=1, choices=(1, 3))
            action.add_argument("--set", action="append", default=[], metavar="KEY=VALUE",
                                type=lambda word: tuple(word.split("=", 1)))
        if name == "run":
            action.add_argument("--tls", action="store_true")
            action.add_argument("--ready-file", type=pathlib.Path)
            action.add_argument("command", nargs="+")
    options = parser.parse_args()
    if options.action == "fetch":
        print(kafka_jars.jars(options.version))
        return 0
    return {"run": run, "start": start_kept, "stop": stop_kept}[options.action](options)


if __name__ == "__main__":
    sys.exit(main())
