"""The built-in TURN relay beside coturn: processor time, rates, memory, latency, and signaling while packets are relayed.

    python3 benches/relay target/release/signalpost            everything, three minutes
    python3 benches/relay target/release/signalpost --quick    a smoke test, less than a minute

Both servers are started anew for each run, pinned to one processor, and take turns. On another processor, pairs of TURN clients
send each other packets of 1,000 bytes on channels, so each packet passes two allocations. In Signalpost that is one hop in memory;
coturn sends it from one of its own sockets to another. Needs coturn, openssl, taskset and setpriv (Debian: apt-get install coturn
openssl util-linux). Runs on loopback only. The tables go to standard output, progress to standard error.
"""

import argparse
import collections
import contextlib
import datetime
import gc
import json
import multiprocessing
import os
import platform
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

from clients import connect_pairs, direct_pairs, fast, paced
from servers import Coturn, Signalpost, receive, send

PAIRS = 8
PACED_RATE = 10_000
# With packets of 1,000 bytes, 100 Mbit/s.
SIGNALING_RATE = 12_500
# Packets in flight at the best rate. More would overflow the buffers of coturn's sockets.
WINDOW = 256
IDLE_UDP, IDLE_TLS = 1000, 300
# Time in which threads of the server were ready to run but others had the processor: those of other programs, or its own.
WAITED = "server waited %"
# Seconds after which the bench stops and prints what it has.
TIME_LIMIT = 285


class TimeIsUp(Exception):
    """Runs took longer than they should."""


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.binary = os.path.abspath(options.binary)
        self.figures, self.limited, self.rate = collections.defaultdict(list), set(), None
        self.processes, self.ciphers = [], {}
        # One key for both servers.
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
        subject = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(["openssl", "req", "-x509", *key, *subject], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        self.tls = ssl.create_default_context(cafile=f"{folder}/cert.pem")

    def add(self, row, column, value):
        self.figures[row, column].append(value)

    def latency_rate(self):
        """About half of what coturn carries now; the generator alone reaches more."""
        if not self.rate:
            with Coturn(self) as server:
                _, arrived = fast([client.socket for client in connect_pairs(server, "udp", PAIRS)], 0.5, WINDOW)
            self.rate = max(arrived // 1000 * 1000, 1000)
        return self.rate


def measure_cpu(bench, kind):
    for together, name in ((1, "one by one"), (2 * PAIRS, f"{2 * PAIRS} at once")):
        for transport in ("udp", "tcp", "tls"):
            with kind(bench) as server:
                sockets = [client.socket for client in connect_pairs(server, transport, PAIRS)]
                before = server.cpu()
                sent, arrived = paced(sockets, PACED_RATE, bench.options.seconds, together)
                used = server.cpu()[0] - before[0]
            at = f"{transport.upper()}, {PACED_RATE:,} packets/s, {name}"
            bench.add(f"CPU µs per packet, {at}", kind.name, used * 1e6 / max(arrived, 1))
            bench.add(f"lost %, {at}", kind.name, 100 * (1 - arrived / sent))
            if sent < 0.98 * PACED_RATE * bench.options.seconds:
                bench.limited.add((f"CPU µs per packet, {at}", kind.name))
        bench.ciphers[kind.name] = sockets[0].cipher()[0]


def measure_rate(bench, kind):
    for window, name in ((WINDOW, f"{WINDOW} packets in flight"), (float("inf"), "sent without a limit")):
        with kind(bench) as server:
            sockets = [client.socket for client in connect_pairs(server, "udp", PAIRS)]
            before = server.cpu()
            sent, arrived = fast(sockets, bench.options.seconds, window)
            used, waited = [now - then for now, then in zip(server.cpu(), before)]
        row = f"packets/s over UDP, {name}"
        bench.add(row, kind.name, arrived / bench.options.seconds)
        bench.add(f"lost %, {name}", kind.name, 100 * (1 - arrived / max(sent, 1)))
        bench.add(f"CPU µs per packet, {name}", kind.name, used * 1e6 / max(arrived, 1))
        bench.add(f"{WAITED}, {name}", kind.name, 100 * waited / bench.options.seconds)
        if used + waited < 0.95 * bench.options.seconds:
            bench.limited.add((row, kind.name))


def measure_memory(bench, kind):
    for transport, count, name in (
        ("udp", IDLE_UDP, "bytes per idle allocation over UDP"),
        ("tls", IDLE_TLS, "bytes per idle allocation over TLS, with its connection"),
    ):
        with kind(bench) as server:
            credentials = [server.credentials() for _ in range(count // 2 + PAIRS)]
            # What is there once, buffers for example, does not count.
            first = connect_pairs(server, transport, PAIRS, credentials)
            time.sleep(0.3)
            before = server.memory()
            clients = connect_pairs(server, transport, count // 2, credentials[PAIRS:])
            time.sleep(0.5)
            bench.add(name, kind.name, (server.memory() - before) / count)
            for client in first + clients:
                client.socket.close()


def measure_latency(bench, kind):
    rate = bench.latency_rate()
    at = f"UDP, {rate:,} packets/s"

    def run(sockets, name):
        latencies = []
        sent, arrived = paced(sockets, rate, bench.options.seconds, latencies=latencies)
        if sent < 0.98 * rate * bench.options.seconds:
            bench.limited.add((f"latency p50 µs, {at}", name))
        bench.add(f"lost %, {at}", name, 100 * (1 - arrived / sent))
        return percentiles([latency / 1000 for latency in latencies])

    direct = run(direct_pairs(PAIRS), "direct")
    with kind(bench) as server:
        sockets = [client.socket for client in connect_pairs(server, "udp", PAIRS)]
        before = server.cpu()[1]
        relayed = run(sockets, kind.name)
        waited = server.cpu()[1] - before
    for name, without, through in zip(("p50", "p99"), direct, relayed):
        bench.add(f"latency {name} µs, {at}", kind.name, through)
        bench.add(f"added latency {name} µs, {at}", kind.name, through - without)
    bench.add(f"{WAITED}, {at}", kind.name, 100 * waited / bench.options.seconds)


def percentiles(values):
    """p50 and p99: the median of those of each eighth, as another program on the processor spoils a few of them at most."""
    size = max(len(values) // 8, 1)
    parts = [sorted(values[begin : begin + size]) for begin in range(0, len(values) - size + 1, size)]
    return [statistics.median(part[len(part) * percent // 100] for part in parts) for percent in (50, 99)]


def ping_pong(server, seconds):
    """Milliseconds from the start of a POST to the answer of the other peer's poll."""
    members, room = server.join()
    paths = [f"{room}/peers/{member['peer']['id']}/messages" for member in members]
    tokens = [member["token"] for member in members]
    cursors = [server.ask("GET", f"{path}?after=0&wait=0", token)["cursor"] for path, token in zip(paths, tokens)]
    body, took, sender = json.dumps({"type": "data", "data": "x" * 250}).encode(), [], 0
    with contextlib.closing(server.connect()) as one, contextlib.closing(server.connect()) as other:
        connections, end = (one, other), time.perf_counter() + seconds
        while time.perf_counter() < end:
            receiver = 1 - sender
            send(connections[receiver], "GET", f"{paths[receiver]}?after={cursors[receiver]}&wait=20", tokens[receiver])
            started = time.perf_counter()
            send(connections[sender], "POST", paths[receiver], tokens[sender], body)
            content = receive(connections[receiver])
            took.append((time.perf_counter() - started) * 1000)
            receive(connections[sender])
            cursors[receiver], sender = json.loads(content)["cursor"], receiver
    return took


def generate(sockets, seconds, results):
    # Sleeps, so as to leave the processor to the requests.
    results.put(paced(sockets, SIGNALING_RATE, seconds, pause=0.0003))


def measure_signaling(bench, _):
    rate = f"{SIGNALING_RATE:,} packets/s"
    fork = multiprocessing.get_context("fork")
    with Signalpost(bench) as server:
        relayed = [client.socket for client in connect_pairs(server, "udp", PAIRS)]
        loads = {"nothing": None, f"{rate} past it": direct_pairs(PAIRS), f"{rate} relayed": relayed}
        for name, sockets in loads.items():
            results = fork.SimpleQueue()
            process = fork.Process(target=generate, args=(sockets, bench.options.seconds + 0.6, results), daemon=True)
            if sockets:
                process.start()
                time.sleep(0.3)
            before = server.cpu()[1]
            took = ping_pong(server, bench.options.seconds)
            bench.add(WAITED, name, 100 * (server.cpu()[1] - before) / bench.options.seconds)
            for row, value in zip(("p50 ms", "p99 ms"), percentiles(took)):
                bench.add(row, name, value)
            bench.add("messages/s", name, len(took) / bench.options.seconds)
            sent, arrived = results.get() if sockets else (0, 0)
            bench.add("arrived packets/s", name, arrived / (bench.options.seconds + 0.6))
            bench.add("lost %", name, 100 * (1 - arrived / sent) if sent else 0)
            if sockets:
                process.join()


WORKLOADS = {
    "cpu": measure_cpu,
    "rate": measure_rate,
    "memory": measure_memory,
    "latency": measure_latency,
    "signaling": measure_signaling,
}


def number(value):
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def cell(bench, row, column):
    values = bench.figures.get((row, column))
    return (number(statistics.median(values)) if values else "–") + (" *" if (row, column) in bench.limited else "")


def print_comparison(bench):
    rows = list(dict.fromkeys(row for row, column in bench.figures if column in (Signalpost.name, Coturn.name)))
    if not rows:
        return
    print("| | Signalpost | coturn | ratio | in the repetitions |\n| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        ours, theirs = (bench.figures.get((row, kind.name), []) for kind in (Signalpost, Coturn))
        if row.startswith("lost") and max(ours + theirs) < 0.005:
            continue
        ratio = spread = "–"
        if ours and theirs and min(theirs) > 0 and not row.startswith(("lost", WAITED)):
            ratios = [own / other for own, other in zip(ours, theirs)]
            ratio, spread = number(statistics.median(ours) / statistics.median(theirs)), f"{min(ratios):.2f} – {max(ratios):.2f}"
        print(f"| {row} | {cell(bench, row, Signalpost.name)} | {cell(bench, row, Coturn.name)} | {ratio} | {spread} |")
    if bench.limited:
        print("\n\\* Here the generator was the limit: rates and latencies would be better, CPU figures hold.")


def print_signaling(bench):
    loads = [column for row, column in bench.figures if row == "p99 ms"]
    if not loads:
        return
    columns = ["p50 ms", "p99 ms", "messages/s", "arrived packets/s", "lost %", WAITED]
    base = statistics.median(bench.figures["p99 ms", loads[0]])
    print(f"\n| beside it | {' | '.join(columns)} | p99 × |\n| --- |{' ---: |' * (len(columns) + 1)}")
    for load in loads:
        ratio = number(statistics.median(bench.figures["p99 ms", load]) / base)
        print(f"| {load} | {' | '.join(cell(bench, row, load) for row in columns)} | {ratio} |")


def parse_options():
    formatter = argparse.RawDescriptionHelpFormatter
    options = argparse.ArgumentParser(prog="benches/relay", description=__doc__, formatter_class=formatter)
    options.add_argument("binary", help="Signalpost")
    options.add_argument("--only", action="append", choices=WORKLOADS, help="a part of the bench; repeatable")
    options.add_argument("--repetitions", type=int, default=3, metavar="N", help="runs of each server, for medians (default 3)")
    options.add_argument("--seconds", type=float, default=2, metavar="S", help="length of a run (default 2)")
    options.add_argument("--quick", action="store_true", help="one repetition of one second")
    options.add_argument("--cpu", type=int, default=0, metavar="N", help="processor of the server (default 0); the generator has another")
    options = options.parse_args()
    if options.quick:
        options.repetitions, options.seconds = 1, 1.0
    for program in ("turnserver", "openssl", "taskset", "setpriv"):
        if not shutil.which(program):
            sys.exit(f"{program} is missing (Debian: apt-get install coturn openssl util-linux)")
    return options


def run(bench):
    for name in bench.options.only or WORKLOADS:
        for repetition in range(bench.options.repetitions):
            kinds = [None] if name == "signaling" else [Signalpost, Coturn][:: -1 if repetition % 2 else 1]
            for kind in kinds:
                print(f"{name} {repetition + 1}: {kind.name if kind else Signalpost.name}", file=sys.stderr)
                WORKLOADS[name](bench, kind)


def stop(number, _):
    if number == signal.SIGALRM:
        raise TimeIsUp
    sys.exit(128 + number)


def main():
    options = parse_options()
    others = os.sched_getaffinity(0) - {options.cpu}
    if not others:
        sys.exit("the bench needs two processors")
    os.sched_setaffinity(0, {min(others)})
    gc.disable()
    for kind in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(kind, stop)
    signal.alarm(TIME_LIMIT)
    version = subprocess.run(["turnserver", "--version"], capture_output=True, text=True).stdout.split()[-1]
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        try:
            run(bench)
        except TimeIsUp:
            print(f"stopped after {TIME_LIMIT} s; the tables are incomplete", file=sys.stderr)
        finally:
            signal.alarm(0)
            for process in bench.processes:
                process.kill()
    machine = f"{model.group(1) if model else platform.machine()}, Linux {platform.release()}, {datetime.date.today()}"
    print(f"coturn {version}, {PAIRS} pairs, packets of 1,000 bytes; server on processor {options.cpu}, generator on {min(others)}, medians of "
          f"{options.repetitions} × {options.seconds:g} s. Where no loss is given there was none. {machine}.\n")  # fmt: skip
    if bench.ciphers:
        print("TLS:", ", ".join(f"{server} {cipher}" for server, cipher in bench.ciphers.items()) + ".\n")
    print_comparison(bench)
    print_signaling(bench)


if __name__ == "__main__":
    main()
