"""The built-in TURN relay beside coturn: processor time, rates, memory, latency, and signaling while packets are relayed.

    python3 benches/relay target/release/signalpost            everything, three to four minutes
    python3 benches/relay target/release/signalpost --quick    a smoke test, less than a minute

Both servers are started anew for each run, pinned to one processor, and take turns. On another processor, pairs of TURN clients
send each other packets of 1,000 bytes on channels, so each packet passes two allocations. In Signalpost that is one hop in memory;
coturn sends it from one of its own sockets to another. Needs coturn, openssl, taskset and setpriv (Debian: apt-get install coturn
openssl util-linux). Runs on loopback only. The tables go to standard output, progress to standard error.

Other programs on the machine make packets late and let servers handle several at a time. So each run has eight slices, of which
those four count in which server and generator waited least for their processors. "server waited" tells how quiet they were.
"""

import argparse
import collections
import datetime
import gc
import json
import math
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
from tables import WAITED, print_figures

PAIRS = 8
PACED_RATE = 10_000
# With packets of 1,000 bytes, 100 Mbit/s.
SIGNALING_RATE = 12_500
# Packets in flight at the best rate, which no server's buffers are too small for.
WINDOW = 256
IDLE_UDP, IDLE_TLS = 1000, 300
# Parts of a run. The quieter half counts.
SLICES = 8
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
        """A figure of one repetition; the column is a server, or what happens beside signaling."""
        self.figures[row, column].append(value)

    def latency_rate(self):
        """About half of what coturn carries; the generator alone reaches more."""
        if not self.rate:
            with Coturn(self) as server:
                sockets = sockets_of(server, "udp")
                arrived = max(fast(sockets, 0.2, WINDOW)[1] / 0.2 for _ in range(4))
            self.rate = max(int(arrived / 2000) * 1000, 1000)
        return self.rate


class Slices:
    """A run in slices, of which the quieter half counts: those in which server and generator waited least for their processors."""

    def __init__(self, server, seconds, run):
        slices = []
        for _ in range(SLICES):
            before = usage(server)
            result = run(seconds / SLICES)
            ran, waited, own = (now - then for now, then in zip(usage(server), before))
            slices.append((waited + own, ran, waited, result))
        slices = sorted(slices, key=lambda part: part[0])[: SLICES // 2]
        self.seconds = seconds / SLICES * len(slices)
        self.ran, self.waited = (sum(part[index] for part in slices) for index in (1, 2))
        self.results = [part[3] for part in slices]

    def packets(self):
        """How many were sent and how many arrived, if that are the results."""
        sent, arrived = (sum(column) for column in zip(*self.results))
        return sent, max(arrived, 1)

    def waited_percent(self):
        return 100 * self.waited / self.seconds


def usage(server):
    """Seconds for which the server ran and waited, and for which this process waited."""
    with open("/proc/self/schedstat") as file:
        own = int(file.read().split()[1]) / 1e9
    return [*(server.cpu() if server else (0, 0)), own]


def sockets_of(server, transport):
    return [client.socket for client in connect_pairs(server, transport, PAIRS)]


def measure_cpu(bench, kind):
    for together, name in ((1, "one by one"), (2 * PAIRS, f"{2 * PAIRS} at once")):
        for transport in ("udp", "tcp", "tls"):
            with kind(bench) as server:
                sockets = sockets_of(server, transport)
                slices = Slices(server, bench.options.seconds, lambda seconds: paced(sockets, PACED_RATE, seconds, together))
            sent, arrived = slices.packets()
            at = f"{transport.upper()}, {PACED_RATE:,} packets/s, {name}"
            bench.add(f"CPU µs per packet, {at}", kind.name, slices.ran * 1e6 / arrived)
            bench.add(f"lost %, {at}", kind.name, lost_percent(sent, arrived))
            if sent < 0.95 * PACED_RATE * slices.seconds:
                bench.limited.add((f"CPU µs per packet, {at}", kind.name))
        bench.ciphers[kind.name] = sockets[0].cipher()[0]


def lost_percent(sent, arrived):
    return 100 * max(sent - arrived, 0) / max(sent, 1)


def measure_rate(bench, kind):
    for window, name in ((WINDOW, f"{WINDOW} packets in flight"), (float("inf"), "sent without a limit")):
        with kind(bench) as server:
            sockets = sockets_of(server, "udp")
            slices = Slices(server, bench.options.seconds, lambda seconds: fast(sockets, seconds, window))
        sent, arrived = slices.packets()
        row = f"packets/s over UDP, {name}"
        bench.add(row, kind.name, arrived / slices.seconds)
        bench.add(f"lost %, {name}", kind.name, lost_percent(sent, arrived))
        bench.add(f"CPU µs per packet, {name}", kind.name, slices.ran * 1e6 / arrived)
        bench.add(f"{WAITED}, {name}", kind.name, slices.waited_percent())
        if slices.ran + slices.waited < 0.95 * slices.seconds:
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

    def run(sockets, seconds):
        latencies = []
        return *paced(sockets, rate, seconds, latencies=latencies), [latency / 1000 for latency in latencies]

    sockets = direct_pairs(PAIRS)
    direct = Slices(None, bench.options.seconds, lambda seconds: run(sockets, seconds)[2])
    with kind(bench) as server:
        sockets = sockets_of(server, "udp")
        relayed = Slices(server, bench.options.seconds, lambda seconds: run(sockets, seconds))
    sent, arrived = (sum(result[index] for result in relayed.results) for index in (0, 1))
    without, through = percentiles(direct.results), percentiles([result[2] for result in relayed.results])
    for index, name in enumerate(("p50", "p99")):
        bench.add(f"latency {name} µs, {at}", kind.name, through[index])
        bench.add(f"added latency {name} µs, {at}", kind.name, through[index] - without[index])
        if sent < 0.95 * rate * relayed.seconds:
            bench.limited.add((f"latency {name} µs, {at}", kind.name))
    bench.add(f"lost %, {at}", kind.name, lost_percent(sent, arrived))
    bench.add(f"{WAITED}, {at}", kind.name, relayed.waited_percent())


def percentiles(parts):
    """p50 and p99: the medians of those of each part. In an unlucky part, nothing arrives."""
    parts = [sorted(part) for part in parts if part] or [[math.nan]]
    return [statistics.median(part[len(part) * percent // 100] for part in parts) for percent in (50, 99)]


class PingPong:
    """Two peers that post to each other in turn, over HTTPS."""

    def __init__(self, server):
        members, room = server.join()
        self.paths = [f"{room}/peers/{member['peer']['id']}/messages" for member in members]
        self.tokens = [member["token"] for member in members]
        first = [server.ask("GET", f"{path}?after=0&wait=0", token) for path, token in zip(self.paths, self.tokens)]
        self.cursors = [response["cursor"] for response in first]
        self.connections = [server.connect(), server.connect()]
        self.sender = 0

    def run(self, seconds):
        """Milliseconds from the start of each POST to the answer of the other peer's poll."""
        paths, tokens, connections, took = self.paths, self.tokens, self.connections, []
        body, end = json.dumps({"type": "data", "data": "x" * 250}).encode(), time.perf_counter() + seconds
        while time.perf_counter() < end:
            sender, receiver = self.sender, 1 - self.sender
            send(connections[receiver], "GET", f"{paths[receiver]}?after={self.cursors[receiver]}&wait=20", tokens[receiver])
            started = time.perf_counter()
            send(connections[sender], "POST", paths[receiver], tokens[sender], body)
            content = receive(connections[receiver])
            took.append((time.perf_counter() - started) * 1000)
            receive(connections[sender])
            self.cursors[receiver], self.sender = json.loads(content)["cursor"], receiver
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
            slices = Slices(server, bench.options.seconds, PingPong(server).run)
            for row, value in zip(("p50 ms", "p99 ms"), percentiles(slices.results)):
                bench.add(row, name, value)
            bench.add("messages/s", name, sum(map(len, slices.results)) / slices.seconds)
            bench.add(WAITED, name, slices.waited_percent())
            sent, arrived = results.get() if sockets else (0, 0)
            bench.add("arrived packets/s", name, arrived / (bench.options.seconds + 0.6))
            bench.add("lost %", name, lost_percent(sent, arrived))
            if sockets:
                process.join()


WORKLOADS = {
    "cpu": measure_cpu,
    "rate": measure_rate,
    "memory": measure_memory,
    "latency": measure_latency,
    "signaling": measure_signaling,
}


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
            print_figures(bench, conditions(options, min(others)))


def conditions(options, generator):
    version = subprocess.run(["turnserver", "--version"], capture_output=True, text=True).stdout.split()[-1]
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    return (
        f"coturn {version}, {PAIRS} pairs, packets of 1,000 bytes; server on processor {options.cpu}, generator on {generator}; "
        f"medians of {options.repetitions} × {options.seconds:g} s. {model.group(1) if model else platform.machine()}, "
        f"Linux {platform.release()}, {datetime.date.today()}."
    )


if __name__ == "__main__":
    main()
