"""The protocol of the kit in about 60 lines of Python: a client that joins, polls with a cursor, and sends in order under keys."""
import json, queue, random, sys, threading, time, urllib.error, urllib.request, uuid
from http.client import HTTPException


def say(event, **more):
    # In one write: several threads tell.
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n")
    sys.stdout.flush()


def ask(method, path, token=None, body=None, key="", cursor=0, timeout=15, expects=None):
    """Sends a request until the server itself has answered it: with the same key, and with pauses."""
    fields = {"authorization": token and f"Bearer {token}", "idempotency-key": key, "last-event-id": str(cursor)}
    headers = {"content-type": "application/json", **{name: value for name, value in fields.items() if value}}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ROOT + path, data, headers, method=method)
    for failures in range(1000):
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                document = json.loads(answer.read() or "{}")
            if expects is None or expects in document:
                return document
        except urllib.error.HTTPError as refusal:
            kind = json.loads(refusal.read()).get("type", "") if "json" in str(refusal.headers["content-type"]) else ""
            if "/problems/" in kind and refusal.status not in (429, 503):
                raise SystemError(kind.rsplit("/", 1)[1])
        except (OSError, HTTPException, ValueError):
            pass  # cut, timed out, or not JSON
        time.sleep(0.5 + random.random() * min(8, 0.25 * 2**failures))


def poll(seat, peer, cursor):
    while True:
        path = f"/peers/{peer}/messages?wait=25&page={PAGE}"
        batch = ask("GET", path, seat, cursor=cursor, timeout=35, expects="messages")
        for message in batch["messages"]:
            if message["type"] == "data":
                say("received", **{"from": message["from"], "data": message["data"]})
            elif message["type"] == "peer-joined":
                say("arrived", peer=message["peer"]["id"])
            elif message["type"] == "peer-left":
                say("left", peer=message["peer"], reason=message["reason"])
        cursor = batch["cursor"]  # acknowledged by the next poll, now that everything was handled


def post(seat):
    while command := outbox.get():
        message = {"to": command["to"], "type": "data", "data": command["data"]}
        try:
            ask("POST", "/messages", seat, {"messages": [message]}, key=str(uuid.uuid4()), expects="accepted")
            say("sent", id=command["id"])
        except SystemError as problem:
            say("failed", id=command["id"], problem=str(problem))


PAGE, outbox = str(uuid.uuid4()), queue.Queue()
for command in map(json.loads, sys.stdin):
    if command["do"] == "join":
        ROOT = f"{command['base']}/v1/rooms/{command['room']}"
        try:
            joined = ask("POST", "/peers", None, {"name": command["name"], "page": PAGE}, key=str(uuid.uuid4()), expects="token")
        except SystemError as problem:
            say("refused", problem=str(problem))
            continue
        me, token = joined["peer"]["id"], joined["token"]
        say("joined", peer=me, peers=[peer["id"] for peer in joined["peers"]], seat=token)
        threading.Thread(target=poll, args=(token, me, joined["cursor"]), daemon=True).start()
        (posting := threading.Thread(target=post, args=(token,), daemon=True)).start()
    elif command["do"] == "send":
        outbox.put(command)
    elif command["do"] == "leave":
        outbox.put(None)
        posting.join()
        ask("DELETE", f"/peers/{me}", token)
        break
