"""TURN clients, and what they send."""

import contextlib
import ctypes
import hashlib
import hmac
import os
import select
import socket
import ssl
import struct
import time

SIZE = 1000
CHANNEL = 0x4000
HEADER = struct.pack("!HH", CHANNEL, SIZE)
# Packets in a call of sendmmsg(2).
BATCH = 16
# Nanoseconds by which packets may be late without a change to their pace.
LATE_MAX = 2_000_000

# STUN and TURN (RFC 8489, RFC 8656)
COOKIE = 0x2112A442
ALLOCATE, CHANNEL_BIND, SUCCESS, ERROR = 0x003, 0x009, 0x100, 0x110
USERNAME, INTEGRITY, CHANNEL_NUMBER, PEER_ADDRESS, REALM, NONCE = 0x06, 0x08, 0x0C, 0x12, 0x14, 0x15
RELAYED_ADDRESS, REQUESTED_TRANSPORT = 0x16, 0x19


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


class Client:
    """A TURN client over `udp`, `tcp` or `tls`. After `bind`, its socket is non-blocking and all that it receives is packets."""

    def __init__(self, server, transport, credentials, source="127.0.0.1"):
        self.credentials, self.signature, self.key = credentials, [], None
        address = ("127.0.0.1", server.ports[transport])
        if transport == "udp":
            self.socket = udp_socket(source)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, source_address=(source, 0))
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if transport == "tls":
            self.socket = server.tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self.socket.settimeout(0.5 if transport == "udp" else 10)
        self.attempts = 10 if transport == "udp" else 1

    def ask(self, method, *attributes):
        """Returns the attributes of the response, after the challenge for credentials if there is one."""
        transaction = os.urandom(12)
        body = b"".join([*attributes, *self.signature])
        if self.key:
            head = struct.pack("!HHI", method, len(body) + 24, COOKIE) + transaction
            body += attribute(INTEGRITY, hmac.digest(self.key, head + body, "sha1"))
        reply = self.exchange(struct.pack("!HHI", method, len(body), COOKIE) + transaction + body, transaction)
        kind, values, rest = int.from_bytes(reply[:2], "big"), {}, reply[20:]
        while rest:
            name, length = struct.unpack_from("!HH", rest)
            values[name], rest = rest[4 : 4 + length], rest[4 + length + -length % 4 :]
        if kind == method | ERROR and not self.key:
            username, password = (text.encode() for text in self.credentials)
            self.key = hashlib.md5(b":".join([username, values[REALM], password])).digest()
            self.signature = [attribute(USERNAME, username), attribute(REALM, values[REALM]), attribute(NONCE, values[NONCE])]
            return self.ask(method, *attributes)
        if kind != method | SUCCESS:
            raise ConnectionError(f"request {method:#x} was answered {kind:#x}: {values}")
        return values

    def exchange(self, request, transaction):
        for _ in range(self.attempts):
            self.socket.sendall(request)
            with contextlib.suppress(TimeoutError):
                while reply := self.socket.recv(4096):
                    if reply[8:20] == transaction:
                        return reply
        raise ConnectionError("no response")

    def allocate(self):
        """The relayed address. XOR-PEER-ADDRESS has the same encoding."""
        return self.ask(ALLOCATE, attribute(REQUESTED_TRANSPORT, b"\x11\0\0\0"))[RELAYED_ADDRESS]

    def bind(self, peer):
        self.ask(CHANNEL_BIND, attribute(CHANNEL_NUMBER, struct.pack("!HH", CHANNEL, 0)), attribute(PEER_ADDRESS, peer))
        self.socket.setblocking(False)


def udp_socket(source):
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
    opened.bind((source, 0))
    return opened


def connect_pairs(server, transport, pairs, credentials=None):
    """Clients of which each two neighbors have allocated and bound a channel to each other."""
    clients = []
    for index in range(pairs):
        members = credentials[index] if credentials else server.credentials()
        # An address may make 500 requests at once to Signalpost, and has two of each client.
        source = f"127.0.0.{2 + index // 50}"
        pair = [Client(server, transport, member, source) for member in members]
        addresses = [client.allocate() for client in pair]
        for client, peer in zip(pair, reversed(addresses)):
            client.bind(peer)
        clients += pair
    return clients


def direct_pairs(pairs):
    """The same without a server: sockets that send to each other."""
    sockets = [udp_socket("127.0.0.1") for _ in range(2 * pairs)]
    for index, opened in enumerate(sockets):
        opened.connect(sockets[index ^ 1].getsockname())
        opened.setblocking(False)
    return sockets


def paced(sockets, rate, seconds, together=1, pause=0, latencies=None):
    """Sends each packet at its time, from each socket in turn, and returns how many were sent and how many arrived.

    Never sleeps unless there is a pause. At each time, `together` packets are due. What is late moves all that follow, so that
    no burst makes up for it. Latencies are in nanoseconds, for UDP only."""
    poll, readers = readable(sockets)
    packet, buffer = bytearray(HEADER + bytes(SIZE)), bytearray(65536)
    sent, arrived = 0, 0
    now = last = begin = time.monotonic_ns()
    end, interval = begin + seconds * 1e9, 1e9 / rate
    # After the end, until all have arrived or nothing has for a while.
    while now < end or (arrived // len(packet) < sent and now < last + 2e8):
        if pause:
            time.sleep(pause)
        now = time.monotonic_ns()
        begin = max(begin, now - LATE_MAX - int(sent * interval))
        for _ in range(BATCH):
            now = time.monotonic_ns()
            if now >= end or now < begin + sent // together * together * interval:
                break
            struct.pack_into("!Q", packet, len(HEADER), now)
            if sockets[sent % len(sockets)].send(packet) != len(packet):
                raise ConnectionError("the server does not read")
            sent += 1
        for descriptor, _ in poll.poll(0):
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError):
                arrived += readers[descriptor](buffer)
                last = time.monotonic_ns()
                if latencies is not None:
                    latencies.append(last - struct.unpack_from("!Q", buffer, len(HEADER))[0])
    return sent, arrived // len(packet)


def readable(sockets):
    poll = select.epoll()
    for opened in sockets:
        poll.register(opened, select.EPOLLIN)
    return poll, {opened.fileno(): opened.recv_into for opened in sockets}


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """`struct mmsghdr`"""

    _fields_ = [
        ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32), ("vectors", ctypes.c_void_p), ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int), ("padding", ctypes.c_int),
        ("length", ctypes.c_uint),
    ]  # fmt: skip


def fast(sockets, seconds, window):
    """Sends as fast as possible, while no more than `window` packets are in flight, and returns how many were sent and arrived.

    Lost packets stay in flight: with a window, a server that loses packets gets slower."""
    libc = ctypes.CDLL(None)
    # Only counted, so all share one buffer.
    packet = ctypes.create_string_buffer(HEADER + bytes(SIZE), len(HEADER) + SIZE)
    vector = IoVec(ctypes.addressof(packet), len(packet))
    messages = (Message * BATCH)(*[Message(vectors=ctypes.addressof(vector), vector_count=1) for _ in range(BATCH)])
    poll, readers = readable(sockets)
    descriptors = list(readers)
    sent, arrived, turn = 0, 0, 0
    now = last = begin = time.monotonic()
    while now < begin + seconds or (sent > arrived and now < last + 0.2):
        if now < begin + seconds and sent - arrived <= window - BATCH:
            count = libc.sendmmsg(descriptors[turn % len(descriptors)], messages, BATCH, socket.MSG_DONTWAIT)
            sent, turn = sent + max(count, 0), turn + 1
        for descriptor, _ in poll.poll(0):
            count = libc.recvmmsg(descriptor, messages, BATCH, socket.MSG_DONTWAIT, None)
            if count > 0:
                arrived, last = arrived + count, now
        now = time.monotonic()
    return sent, arrived
