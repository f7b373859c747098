"""How to start the two servers, and what they use."""

import base64
import contextlib
import glob
import hmac
import http.client
import json
import re
import socket
import subprocess
import sys
import time


class Server:
    """A running server, until the end of a `with` block."""

    def __init__(self, bench):
        self.bench, self.tls = bench, bench.tls

    def start(self, command, **popen):
        # Ends with the bench, however that ends.
        command = ["setpriv", "--pdeathsig", "KILL", "taskset", "-c", str(self.bench.options.cpu), *command]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=self.bench.folder, **popen)
        self.bench.processes.append(self.process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # Nothing is worth waiting for.
        self.process.kill()
        self.process.wait()

    def cpu(self):
        """Seconds for which all threads have run, and for which they could have run but another process did."""
        fields = []
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path) as file:
                fields.append([int(field) / 1e9 for field in file.read().split()[:2]])
        return [sum(column) for column in zip(*fields)]

    def memory(self):
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            return int(re.search(r"^Pss: +(\d+) kB", file.read(), re.MULTILINE).group(1)) * 1024


class Signalpost(Server):
    name = "Signalpost"

    def __init__(self, bench):
        super().__init__(bench)
        self.start([
            bench.binary, "--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--workers", "1",
            "--lease-ms", "3600000", "--rate-join", "0", "--rate-send", "1000000", "--rate-poll", "1000000",
            "--turn-per-user", "10000", "--turn-total", "100000", "--turn-bps", "100000000000", "--turn-allocation-bps", "10000000000",
        ], stdout=subprocess.PIPE, text=True)  # fmt: skip
        address = re.search(r":(\d+)\s*$", self.process.stdout.readline())
        if not address:
            sys.exit("Signalpost did not start")
        port = int(address.group(1))
        self.ports = {"udp": port, "tcp": port, "tls": port}
        self.connection, self.rooms = self.connect(), 0

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.ports["tls"], timeout=30, context=self.tls)

    def join(self):
        """Two members of a new room: their join responses and the path of the room."""
        self.rooms += 1
        room = f"/v1/rooms/bench-{self.rooms}"
        members = [self.ask("POST", f"{room}/peers", None, b"{}") for _ in range(2)]
        return members, room

    def ask(self, method, path, token, body=None):
        send(self.connection, method, path, token, body)
        return json.loads(receive(self.connection))

    def credentials(self):
        """Those of two members of a new room."""
        members, room = self.join()
        # Alone in the room, the first was given none.
        path = f"{room}/peers/{members[0]['peer']['id']}/ice-servers"
        members[0] = self.ask("GET", path, members[0]["token"])
        relays = [next(ice for ice in member["ice_servers"] if "username" in ice) for member in members]
        return [(relay["username"], relay["credential"]) for relay in relays]


class Coturn(Server):
    name = "coturn"
    secret = "bench"

    def __init__(self, bench):
        super().__init__(bench)
        plain, tls = free_ports(2)
        self.ports, self.users = {"udp": plain, "tcp": plain, "tls": tls}, 0
        self.start([
            "turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--allow-loopback-peers", "--no-cli", "--no-dtls",
            f"--listening-port={plain}", f"--tls-listening-port={tls}", "--cert=cert.pem", "--pkey=key.pem", "--realm=bench",
            "--use-auth-secret", f"--static-auth-secret={self.secret}", "--min-port=10000", "--max-port=30000", "--relay-threads=1",
            "--no-rfc5780", "--userdb=coturn.db", "--pidfile=coturn.pid", "--log-file=stdout",
        ], stdout=subprocess.DEVNULL)  # fmt: skip
        for port in (plain, tls):
            until = time.monotonic() + 10
            while not can_connect(port):
                if time.monotonic() > until or self.process.poll() is not None:
                    sys.exit("coturn did not start")
                time.sleep(0.05)
        # It opens its sockets one after the other.
        time.sleep(0.3)

    def credentials(self):
        self.users += 2
        names = [f"{int(time.time()) + 3600}:user{self.users + index}" for index in range(2)]
        return [(name, base64.b64encode(hmac.digest(self.secret.encode(), name.encode(), "sha1")).decode()) for name in names]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in sockets]


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def send(connection, method, path, token, body=None):
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, path, body, {"Content-Type": "application/json", **authorization})


def receive(connection):
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise ConnectionError(f"{response.status} {content}")
    return content
