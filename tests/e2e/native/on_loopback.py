"""Runs a Python program whose media stays on this machine: on_loopback.py PROGRAM [ARGUMENT]..."""
from __future__ import annotations

import runpy
import sys
from pathlib import Path

import aioice.ice

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

sys.argv = sys.argv[1:]
# As if the package were installed, and the program started by itself.
sys.path[0:1] = [str(Path(sys.argv[0]).resolve().parent), str(Path(__file__).resolve().parents[3] / "clients/python/src")]
runpy.run_path(sys.argv[0], run_name="__main__")
