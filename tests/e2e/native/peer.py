"""An aiortc peer that uses plain HTTP: peer.py BASE ROOM [own] [early] [loose] [relay]

`own`: opens its own chat channel instead of the negotiated one. `early`: sends its candidates before its description.
`loose`: its tracks belong to no stream. `relay`: uses the ICE servers that it is told of.
Reads commands from stdin and writes events to stdout, one JSON value per line.
"""
import asyncio
import json
import re
import sys
import urllib.error
import urllib.request
import uuid

import aioice.ice
from aiortc import AudioStreamTrack, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp

# All traffic stays on this machine.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

BASE, ROOM, *OPTIONS = sys.argv[1:]
ROOT = f"{BASE}/v1/rooms/{ROOM}"


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


def ask(method, url, token=None, body=None, cursor=None):
    headers = {"content-type": "application/json", "idempotency-key": str(uuid.uuid4())}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if cursor is not None:
        headers["last-event-id"] = str(cursor)
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=40) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def fingerprint(sdp):
    return next(line for line in sdp.splitlines() if line.startswith("a=fingerprint:"))


class Peer:
    pc = channel = other = None
    early = []
    mic = False

    async def join(self):
        joined = await asyncio.to_thread(ask, "POST", f"{ROOT}/peers", body={"name": "aiortc"})
        self.me, self.token, self.cursor = joined["peer"]["id"], joined["token"], joined["cursor"]
        # aiortc uses one URL of each kind.
        self.servers = joined["ice_servers"] if "relay" in OPTIONS else []
        tell("joined", peer=self.me)
        self.polling = asyncio.ensure_future(self.poll())
        for peer in joined["peers"]:
            self.other = peer["id"]
            self.connect()
            self.pc.addTrack(VideoStreamTrack())
            await self.offer()

    def connect(self):
        self.early = []
        self.opened = asyncio.Event()
        self.pc = RTCPeerConnection(RTCConfiguration([RTCIceServer(**server) for server in self.servers]))
        if "own" in OPTIONS:
            self.listen(self.pc.createDataChannel("chat"))
        else:
            self.listen(self.pc.createDataChannel("chat", negotiated=True, id=0))
        self.pc.on("datachannel", self.listen)
        self.pc.on("connectionstatechange", lambda: self.pc and tell("state", state=self.pc.connectionState))
        self.pc.on("track", lambda track: tell("track", kind=track.kind))

    def listen(self, channel):
        self.channel = channel
        channel.on("open", self.opened.set)
        channel.on("message", lambda text: tell("heard", text=text))
        if channel.readyState == "open":
            self.opened.set()

    async def offer(self):
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.describe()

    async def describe(self):
        """aiortc gathers first, so that all candidates are in the description."""
        local = self.pc.localDescription
        description = {"type": local.type, "sdp": local.sdp}
        if "loose" in OPTIONS:
            description["sdp"] = re.sub(r"(?m)^a=msid:\S+", "a=msid:-", local.sdp)
        messages = [description]
        if "early" in OPTIONS:
            lines = description["sdp"].splitlines(keepends=True)
            candidates = [line for line in lines if line.startswith("a=candidate:")]
            description["sdp"] = "".join(line for line in lines if not line.startswith(("a=candidate:", "a=end-of-candidates")))
            messages = [{"type": "candidate", "candidate": {"candidate": line.strip()[2:], "sdpMLineIndex": 0}} for line in candidates] + messages
        body = {"messages": [{"to": self.other, **message} for message in messages]}
        await asyncio.to_thread(ask, "POST", f"{ROOT}/messages", self.token, body)
        tell("said", type=local.type)

    async def poll(self):
        while True:
            url = f"{ROOT}/peers/{self.me}/messages?wait=5"
            batch = await asyncio.to_thread(ask, "GET", url, self.token, cursor=self.cursor)
            self.cursor = batch["cursor"]
            for message in batch["messages"]:
                await self.take(message)

    async def take(self, message):
        if message["type"] in ("offer", "answer"):
            self.other = message["from"]
            await self.described(message)
        elif message["type"] == "candidate":
            self.early.append(message["candidate"])
            if self.pc and self.pc.remoteDescription:
                await self.candidates()
        elif message["type"] in ("bye", "peer-left") and self.pc:
            tell("left")
            await self.close()

    async def described(self, message):
        offer = message["type"] == "offer"
        remote = self.pc and self.pc.remoteDescription
        if offer and (not remote or fingerprint(remote.sdp) != fingerprint(message["sdp"])):
            await self.close()
            self.connect()
            # aiortc cannot answer if it has a track without a media section in the offer.
            if "m=video" in message["sdp"]:
                self.pc.addTrack(VideoStreamTrack())
        elif offer and self.pc.signalingState != "stable":
            return  # aiortc cannot roll back.
        tell("took", type=message["type"])
        await self.pc.setRemoteDescription(RTCSessionDescription(message["sdp"], message["type"]))
        await self.candidates()
        if offer:
            await self.pc.setLocalDescription(await self.pc.createAnswer())
            await self.describe()

    async def candidates(self):
        for candidate in self.early:
            text = (candidate or {}).get("candidate", "")
            if ".local" in text or not text:
                continue
            parsed = candidate_from_sdp(text.removeprefix("candidate:"))
            parsed.sdpMid, parsed.sdpMLineIndex = candidate.get("sdpMid"), candidate.get("sdpMLineIndex")
            await self.pc.addIceCandidate(parsed)
        self.early = []

    async def close(self):
        pc, self.pc = self.pc, None
        if pc:
            await pc.close()

    async def leave(self):
        self.polling.cancel()
        await self.close()
        await asyncio.to_thread(ask, "DELETE", f"{ROOT}/peers/{self.me}", self.token)
        tell("gone")

    async def do(self, command):
        name, *rest = command
        if name == "say":
            await self.opened.wait()
            self.channel.send(rest[0])
        elif name == "mic":
            self.pc.addTrack(AudioStreamTrack())
            await self.offer()
        else:
            await getattr(self, name)()


async def main():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if command == ["join"]:
            peer = Peer()
        await peer.do(command)


asyncio.run(main())
