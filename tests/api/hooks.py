"""Gives Schemathesis its tokens. Joins and room creations return them, so they cannot be configured."""

import json
import re
import uuid

import requests
import schemathesis
from schemathesis.core.failures import ServerError
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

METADATA_MAX = 4096
# Tokens of the rooms and peers of this run, by room or by (room, peer).
tokens = {}
# Rooms that have ever had a member.
joined = set()

WITH_ROOM_TOKEN = ["changeRoom", "closeRoom"]
WITH_PEER_TOKEN = ["leaveRoom", "listPeers", "postMessage", "postBatch", "pollMessages", "getIceServers"]


def well_formed(case, location):
    return case.meta is None or not case.meta.is_negative_at(location)


class Seats:
    """A fresh room with two peers in it."""

    def __init__(self, base_url):
        room = f"room-{uuid.uuid4()}"
        url = f"{base_url}/v1/rooms/{room}/peers"
        self.room = room
        self.ann, self.ben = (requests.post(url, json={"name": name}, timeout=10).json() for name in ("Ann", "Ben"))


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=WITH_ROOM_TOKEN + WITH_PEER_TOKEN)
class Member:
    def get(self, case, context):
        """A token and its path parameters: of a room from an earlier step in stateful tests, otherwise of a fresh room."""
        room, peer = (case.path_parameters.get(name) for name in ("room", "peer"))
        if case.meta is not None and case.meta.phase.name == TestPhase.STATEFUL:
            wanted = room if case.operation.definition.raw["operationId"] in WITH_ROOM_TOKEN else (room, peer)
            return tokens.get(wanted) and (tokens[wanted], {})
        seats = Seats(case.operation.base_url)
        operation = case.operation.definition.raw["operationId"]
        if operation in WITH_ROOM_TOKEN:
            return seats.ann["room_token"], {"room": seats.room}
        owner = seats.ben if operation == "postMessage" else seats.ann
        return seats.ann["token"], {"room": seats.room, "peer": owner["peer"]["id"]}

    def set(self, case, data, context):
        token, path = data
        case.headers["Authorization"] = f"Bearer {token}"
        if well_formed(case, ParameterLocation.PATH):
            for name in case.path_parameters:
                case.path_parameters[name] = path.get(name, case.path_parameters[name])


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def text(context, value):
    return str(value).encode("utf-8", errors="surrogatepass")


@schemathesis.hook
def before_call(context, case, kwargs):
    # An Idempotency-Key belongs to one request. Reusing it with a different body is refused, as specified.
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and re.fullmatch("[!-~]{16,64}", key):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    # No message will arrive, so a poll, also one that a post brings along, would only wait until its hold ends.
    operation = case.operation.definition.raw.get("operationId")
    if operation == "pollMessages" or "wait" in (case.query or {}):
        try:
            if 0.01 < float(case.query.setdefault("wait", 0.01)) <= 55:
                case.query["wait"] = 0.01
        except (TypeError, ValueError):
            pass  # refused immediately


@schemathesis.hook
def after_call(context, case, response):
    operation = case.operation.definition.raw.get("operationId")
    if operation not in ("createRoom", "joinRoom") or response.status_code not in (200, 201):
        return
    answer = response.json()
    if "room_token" in answer:
        tokens[answer["room"]] = answer["room_token"]
    if "token" in answer:
        joined.add(answer["room"])
        tokens[answer["room"], answer["peer"]["id"]] = answer["token"]
        # Any peer of a room may list its peers and post to them.
        tokens[answer["room"], None] = answer["token"]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    # Encoders try again after 503, and no browser is in these rooms that could answer them.
    if isinstance(failure, ServerError) and response.status_code == 503 and "/problems/nobody-answered" in response.text:
        return False
    if isinstance(failure, UseAfterFree):
        return is_used_after_free(failure, case)
    # JSON Schema cannot express the maximum size of an object in bytes.
    return not (isinstance(failure, RejectedPositiveData) and metadata_bytes(case) > METADATA_MAX)


def is_used_after_free(failure, case):
    """Whether it was really deleted, and the operation that used it has an answer to say so."""
    # Some addresses, as those of encoders and players, exist for every name.
    if not {"404", "410"} & set(case.operation.definition.raw["responses"]):
        return False
    # A closed room lasts until its members have read that it is closed. Joining creates it again; the check only recognises
    # re-creation by a POST to the room's own path.
    return "/peers/" in failure.free or case.path_parameters.get("room") not in joined


def metadata_bytes(case):
    """The size in bytes of a join's metadata, as sent."""
    metadata = case.body.get("metadata") if isinstance(case.body, dict) else None
    return len(json.dumps(metadata))
