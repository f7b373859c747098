"""A link between two network namespaces, with delay and loss each way, for kernels without netem.

   wire.py NAMESPACE INTERFACE NAMESPACE INTERFACE DELAY_MS LOSS_PERCENT

Creates both interfaces, prints READY, and forwards Ethernet frames between them until it is killed.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
LONGEST_FRAME = 2000


def end(namespace, interface):
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    assert libc.setns(there, 0) == 0, os.strerror(ctypes.get_errno())
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", interface.encode(), IFF_TAP | IFF_NO_PI))
    assert libc.setns(home, 0) == 0, os.strerror(ctypes.get_errno())
    return tap


def frames(tap):
    try:
        while True:
            yield os.read(tap, LONGEST_FRAME)
    except BlockingIOError:
        pass


def carry(one, other, delay, loss):
    under_way, sent = [], 0
    while True:
        patience = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for tap in select.select([one, other], [], [], patience)[0]:
            for frame in frames(tap):
                if random.random() >= loss:
                    sent += 1
                    heapq.heappush(under_way, (time.monotonic() + delay, sent, other if tap == one else one, frame))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, tap, frame = heapq.heappop(under_way)
            try:
                os.write(tap, frame)
            except OSError:
                pass  # the other interface is down


if __name__ == "__main__":
    ends = end(*sys.argv[1:3]), end(*sys.argv[3:5])
    print("READY", flush=True)
    carry(*ends, float(sys.argv[5]) / 1000, float(sys.argv[6]) / 100)
