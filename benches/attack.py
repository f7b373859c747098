"""A stranger's calls while others attack: how long does a call take, and does any request fail?

    python3 benches/attack.py target/release/signalpost              one address attacks, for a minute
    python3 benches/attack.py target/release/signalpost --from 64    64 addresses of one /48; 0 for comparison

Starts the server on a free port, with 64 MiB for rooms and its default rates. The attackers do what filled a server in less than a
second: they join room after room and fill their own mailboxes with ever smaller messages. The stranger makes one call after the
other, in a process of its own. Addresses come from `X-Forwarded-For`. Runs on loopback only.
"""

import argparse
import http.client
import json
import multiprocessing
import re
import subprocess
import threading
import time

MESSAGES = [(4, 50_000), (40, 5_000), (40, 500), (10, 50), (1, 1)]
SDP = "v=0\r\n" * 800


class Client:
    """Sends requests from one address, on one connection."""

    def __init__(self, port, address):
        self.port, self.address = port, address
        self.connection = self.connect()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method, path, body=None, token=None):
        headers = {"X-Forwarded-For": self.address, "Host": "localhost", "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = self.connect()
            return 0, None
        return response.status, json.loads(content) if content else None


def attack(client, name, end, counts):
    """Counts requests and those that were refused for lack of memory."""

    def ask(*request):
        status, body = client.ask(*request)
        counts[0] += 1
        counts[1] += status == 503
        return status, body

    seats = []
    for number in range(1_000_000):
        if time.time() >= end:
            return
        room = f"{name}-{number}"
        status, body = ask("POST", f"/v1/rooms/{room}/peers", {})
        if status == 201:
            seats.append((room, body["peer"]["id"], body["token"]))
        if not seats:
            continue
        room, peer, token = seats[-1] if status == 201 else seats[number % len(seats)]
        for count, size in MESSAGES:
            batch = {"messages": [{"to": peer, "type": "data", "data": "x" * size}] * count}
            while time.time() < end and ask("POST", f"/v1/rooms/{room}/messages", batch, token)[0] == 202:
                pass


def attackers(port, addresses, end, results):
    counts = [0, 0]
    threads = [threading.Thread(target=attack, args=(Client(port, address), f"attack-{index}", end, counts)) for index, address in enumerate(addresses)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(counts)


def call(client, room, took, failed):
    """Two peers join, one offers, the other answers, both read it, both leave."""

    def timed(kind, expected, *request):
        started = time.perf_counter()
        status, body = client.ask(*request)
        took[kind].append((time.perf_counter() - started) * 1000)
        if status != expected:
            failed.append((kind, status))
            raise ConnectionError(kind)
        return body

    seats = [timed("join", 201, "POST", f"/v1/rooms/{room}/peers", {}) for _ in range(2)]
    (ann, ann_token), (ben, ben_token) = [(seat["peer"]["id"], seat["token"]) for seat in seats]
    mailbox = f"/v1/rooms/{room}/peers/%s/messages"
    timed("offer", 202, "POST", mailbox % ben, {"type": "offer", "sdp": SDP}, ann_token)
    timed("poll", 200, "GET", mailbox % ben + "?after=0&wait=5", None, ben_token)
    timed("answer", 202, "POST", mailbox % ann, {"type": "answer", "sdp": SDP}, ben_token)
    timed("poll", 200, "GET", mailbox % ann + "?after=1&wait=5", None, ann_token)
    for peer, token in ((ann, ann_token), (ben, ben_token)):
        client.ask("DELETE", f"/v1/rooms/{room}/peers/{peer}", None, token)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--from", dest="attackers", type=int, default=1, metavar="N", help="how many addresses attack (default 1)")
    options.add_argument("--seconds", type=float, default=60)
    options = options.parse_args()

    # Four connections of a single address, or one of each.
    prefix = "2001:db8:bad"
    addresses = [f"{prefix}::1"] * 4 if options.attackers == 1 else [f"{prefix}:{index:x}::1" for index in range(options.attackers)]
    flags = ["--listen", "127.0.0.1:0", "--memory-bytes", str(64 * 2**20), "--trusted-proxy", "127.0.0.1"]
    with subprocess.Popen([options.binary, *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            port = int(re.search(r":(\d+)\s*$", server.stdout.readline()).group(1))
            end = time.time() + options.seconds
            results = multiprocessing.Queue()
            process = multiprocessing.Process(target=attackers, args=(port, addresses, end, results))
            process.start()
            client, calls, failed = Client(port, "192.0.2.1"), 0, []
            took = {kind: [] for kind in ("join", "offer", "answer", "poll")}
            while time.time() < end:
                calls += 1
                try:
                    call(client, f"stranger-{calls}", took, failed)
                except ConnectionError:
                    pass
                time.sleep(0.2)
            requests, refused = results.get()
            process.join()
        finally:
            server.terminate()
    print(f"attack: {requests} requests, {refused} refused with 503; stranger: {calls} calls, {len(failed)} failed {failed[:3]}")
    for kind, times in took.items():
        times.sort()
        print(f"  {kind:7} median {times[len(times) // 2]:5.1f} ms, p99 {times[len(times) * 99 // 100]:5.1f} ms, longest {times[-1]:5.1f} ms")


if __name__ == "__main__":
    main()
