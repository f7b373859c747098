"""A client in Python's standard library that passes every scenario: one thread polls, one posts, one reads commands."""
import json, queue, random, sys, threading, time, urllib.error, urllib.request, uuid
from http.client import HTTPException

FOREIGN = (OSError, HTTPException, ValueError)  # cut, timed out, or somebody else's answer

def say(event, **more):
    # In one write: several threads tell.
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()

class Refused(Exception): "By the server itself, with a problem document."

def ask(method, url, token=None, body=None, key=None, cursor=None, timeout=15, expects=None):
    fields = {"authorization": token and f"Bearer {token}", "idempotency-key": key, "last-event-id": None if cursor is None else str(cursor)}
    headers = {"content-type": "application/json", **{name: value for name, value in fields.items() if value}}
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=timeout)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    text = answer.read()
    document = json.loads(text) if text else {}
    if "/problems/" in str(document.get("type")):
        raise Refused(document["type"].rsplit("/", 1)[1], answer.status, document.get("retry_after_ms", 1000))
    if expects and expects not in document:
        raise OSError("not the server's answer")
    return document

def insist(*args, failures=0, **more):
    """Until the server accepts or refuses for good: with jitter, and with the same key each time."""
    while True:
        try:
            return ask(*args, **more)
        except Refused as problem:
            if problem.args[1] not in (429, 503): raise
        except FOREIGN: pass
        failures += 1
        time.sleep(0.5 + random.random() * min(8, 0.5 * 2**failures))

class Client:
    hold, outbox, state = 25.0, queue.Queue(), "connected"

    def enter(self, base, room, seat=None, **wishes):
        self.root, self.page, self.wishes = f"{base}/v1/rooms/{room}", str(uuid.uuid4()), {"name": wishes.get("name")}
        return self.take((seat or {}).get("token"))

    def take(self, token):
        """Takes the seat, or takes it again."""
        wishes = json.dumps({**self.wishes, "page": self.page}).encode()
        try:
            joined = insist("POST", f"{self.root}/peers", token, wishes, key=str(uuid.uuid4()), expects="token")
        except Refused as problem:
            if problem.args[0] != "token-invalid" or not token: raise
            return self.take(None)
        self.me, self.token, self.cursor = joined["peer"]["id"], joined["token"], joined["cursor"]
        return joined

    def take_again(self):
        """A member waits for a seat where a newcomer would be turned away."""
        while True:
            try:
                return self.take(self.token)
            except Refused as problem:
                if problem.args[0] != "room-full": raise
                time.sleep(2)

    def become(self, state):
        if state != self.state: say("state", state=state)
        self.state = state

    def poll(self, failures=0):
        while self.state in ("connected", "reconnecting"):
            began, wait = time.monotonic(), self.hold if failures == 0 else 0
            try:
                url = f"{self.root}/peers/{self.me}/messages?wait={wait}&page={self.page}&nonce={uuid.uuid4()}"
                batch = ask("GET", url, self.token, cursor=self.cursor, timeout=wait + 10, expects="messages")
                failures = 0
                self.become("connected")
                for message in batch["messages"]: self.deliver(message)
                self.cursor = batch["cursor"]  # acknowledged by the next poll
            except Refused as problem:
                slug, status, ms = problem.args
                if slug in ("poll-superseded", "kicked", "room-closed"): return self.become({"poll-superseded": "superseded", "kicked": "kicked"}.get(slug, "closed"))
                self.become("reconnecting")
                if status in (401, 403, 404, 410) or slug == "cursor-ahead": self.take_again()
                else: time.sleep(min(30, max(0.5, ms / 1000)))
            except FOREIGN:
                if time.monotonic() - began >= 4: self.hold = max(5, self.hold / 2)  # a proxy's idle limit
                self.become("reconnecting")
                failures += 1
                time.sleep(random.random() * min(8, 0.5 * 2**failures))

    def deliver(self, message):
        if message["type"] == "data": say("received", **{"from": message["from"], "data": message["data"]})
        elif message["type"] == "peer-joined": say("arrived", peer=message["peer"]["id"])
        elif message["type"] == "peer-left": say("left", peer=message["peer"], reason=message["reason"])
        elif message["type"] == "room-closed": self.become("closed")

    def post(self):
        """One request at a time; what was queued meanwhile is the next batch, unless it is refused."""
        while command := self.outbox.get():
            batch = [command]
            while len(batch) < 50 and self.outbox.queue and self.outbox.queue[0]: batch.append(self.outbox.get())
            if not self.deliver_out(batch):
                for one in batch: self.deliver_out([one])

    def deliver_out(self, batch):
        messages = [{**({"to": one["to"]} if one["to"] else {}), "type": "data", "data": one["data"]} for one in batch]
        body, key = json.dumps({"messages": messages}).encode(), str(uuid.uuid4())
        while True:
            try:
                insist("POST", f"{self.root}/messages", self.token, body, key=key, expects="accepted")
                for one in batch: say("sent", id=one["id"])
                return True
            except Refused as problem:
                slug, status, _ = problem.args
                if status in (401, 410): time.sleep(0.5)  # the polling thread takes the seat again
                elif len(batch) > 1: return False
                else: return say("failed", id=batch[0]["id"], problem=slug) or True

client, threads = Client(), []
for line in sys.stdin:
    command = json.loads(line)
    do = command.pop("do")
    if do == "join":
        try:
            joined = client.enter(**command)
        except Refused as problem:
            say("refused", problem=problem.args[0])
            continue
        say("joined", peer=client.me, peers=[peer["id"] for peer in joined["peers"]], seat={"token": client.token})
        threads = [threading.Thread(target=target, daemon=True) for target in (client.poll, client.post)]
        for thread in threads: thread.start()
    elif do == "send":
        client.outbox.put(command)
    elif do == "leave":
        client.outbox.put(None)
        threads[1].join()
        ask("DELETE", f"{client.root}/peers/{client.me}", client.token)
        break
