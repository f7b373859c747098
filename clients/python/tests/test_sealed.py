"""The format of sealed messages, by the vectors that all clients read (docs/sealed-vectors.json)."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sealed_vectors
from sealed_vectors import ANN, BEN, CEM, KEY, ROOM, arriving, flipped, made, seals

from signalpost._replays import Replays
from signalpost._safety_number import safety_number
from signalpost._sealed import RoomKey, Seals, Unusable, decoded, encoded
from signalpost._sealing import Sealing

VECTORS: dict[str, Any] = json.loads(sealed_vectors.PATH.read_text("utf-8"))


def why(receiver: str, message: dict[str, Any], sealing: Seals | None = None) -> str:
    """What a receiver makes of a message: `used`, or why not."""
    try:
        (sealing or seals()).open(receiver, message)
    except Unusable as unusable:
        return unusable.why
    return "used"


def test_the_vectors_are_those_that_the_script_makes() -> None:
    assert sealed_vectors.PATH.read_text("utf-8") == sealed_vectors.text()


def test_keys_of_passphrases_and_pairs() -> None:
    for vector in VECTORS["passphrases"]:
        assert RoomKey.of_passphrase(vector["passphrase"], vector["room"]).text == vector["key"]
    for vector in VECTORS["pairKeys"]:
        assert RoomKey.of(VECTORS["key"]).pair_key(VECTORS["room"], vector["from"], vector["to"]).hex() == vector["key"]


def test_every_kind_of_message_is_sealed_as_in_the_vectors_and_opened_again() -> None:
    nonces = iter(bytes.fromhex(vector["nonce"]) for vector in VECTORS["messages"])
    sealing, opening = Seals(KEY, ROOM, VECTORS["epoch"], lambda: next(nonces)), seals()
    for seq, vector in enumerate(VECTORS["messages"], 1):
        assert sealing.seal(VECTORS["sender"], vector["to"], vector["message"]) == vector["sealed"]
        assert opening.open(BEN, arriving(vector["sealed"], seq)) == {"seq": seq, "from": ANN, **vector["message"]}


def test_cards() -> None:
    for vector in VECTORS["cards"]:
        nonces = iter([bytes.fromhex(vector["nonce"])])
        assert Seals(KEY, ROOM, VECTORS["epoch"], nonces.__next__).seal_card(vector["card"]) == vector["metadata"]
        assert seals().open_card(vector["metadata"]) == (vector["card"]["name"], vector["card"]["metadata"])
    for vector in VECTORS["refusedCards"]:
        with pytest.raises(Unusable, match=vector["why"]):
            seals().open_card(vector["metadata"])


@pytest.mark.parametrize("vector", VECTORS["refusals"], ids=lambda vector: str(vector["name"]))
def test_is_refused(vector: dict[str, Any]) -> None:
    assert why(vector["receiver"], vector["message"]) == vector["why"]


@pytest.mark.parametrize("vector", VECTORS["sequences"], ids=lambda vector: str(vector["name"]))
def test_numbers_and_epochs(vector: dict[str, Any]) -> None:
    receiver = seals()
    assert [why(vector["receiver"], step["message"], receiver) for step in vector["steps"]] == [step["result"] for step in vector["steps"]]


def test_safety_numbers() -> None:
    for vector in VECTORS["safetyNumbers"]:
        assert safety_number(vector["local"], vector["remote"]) == vector["number"], vector["name"]
    one, other, _, both, odd, none = [vector["number"] for vector in VECTORS["safetyNumbers"]]
    assert one == other and none is None and len({one, both, odd}) == 3


def test_every_flipped_bit_is_noticed_and_harms_nothing() -> None:
    receiver, sender = seals(), seals(epoch="ffeeddccbbaa9988")
    offer = sender.seal(ANN, BEN, {"type": "offer", "sdp": "v=0"})
    text = offer["sdp"]
    bits = len(decoded(text[2:]) or b"") * 8
    assert bits > 500
    for bit in range(bits):
        assert why(BEN, arriving({"type": "offer", "sdp": flipped(text, bit)}), receiver) == "unreadable", bit
    assert why(BEN, arriving(offer), receiver) == "used"


def test_every_changed_character_is_noticed() -> None:
    text = made("offer", {"sdp": "v=0"})["sdp"]
    for at in range(len(text)):
        for other in ("A", "-", "=", " ", "+", "\n", "é"):
            if other != text[at]:
                assert why(BEN, arriving({"type": "offer", "sdp": text[:at] + other + text[at + 1 :]})) in ("unreadable", "unsealed"), (at, other)


def test_no_sealed_text_fits_another_type_sender_receiver_or_room() -> None:
    texts = {vector["message"]["type"]: vector["sealed"] for vector in VECTORS["messages"] if vector["to"] == BEN}
    assert len(texts) == 5
    plain = {type: next(iter(value.values())) if type in ("candidate", "data") else value for type, value in ((type, text[field(type)]) for type, text in texts.items())}
    for source, text in plain.items():
        for target in texts:
            value = {"sealed": text} if target in ("candidate", "data") else text
            message = {"type": target, field(target): value}
            assert why(BEN, arriving(message)) == ("used" if source == target else "unreadable"), (source, target)
        assert why(CEM, arriving(texts[source])) == "unreadable"
        assert why(BEN, arriving(texts[source], sender=CEM)) == "unreadable"
        assert why(ANN, arriving(texts[source], sender=BEN)) == "unreadable"
        assert why(BEN, arriving(texts[source]), seals(room="coffee")) == "unreadable"


def field(type: str) -> str:
    return {"offer": "sdp", "answer": "sdp", "candidate": "candidate", "bye": "reason", "data": "data"}[type]


def test_ids_are_compared_in_lower_case() -> None:
    sealed = seals().seal(ANN.upper(), BEN.upper(), {"type": "data", "data": 1})
    assert why(BEN, arriving(sealed)) == "used"


def test_members_that_would_stay_readable_are_refused_where_they_are_sent() -> None:
    with pytest.raises(ValueError, match="not label"):
        seals().seal(ANN, BEN, {"type": "data", "data": 1, "label": "secret"})
    with pytest.raises(ValueError, match="no message of type nonsense"):
        seals().seal(ANN, BEN, {"type": "nonsense"})


def test_what_the_server_would_refuse_is_refused_where_it_is_sealed() -> None:
    for name in ("x" * 65, "Ann\n"):
        with pytest.raises(ValueError, match="64 characters"):
            seals().seal_card({"name": name})
    assert seals().open_card(seals().seal_card({"name": "🍵" * 64})) == ("🍵" * 64, {})
    for data in ("\ud83d", float("inf"), float("nan")):
        with pytest.raises(ValueError):
            seals().seal(ANN, BEN, {"type": "data", "data": data})


def test_a_key_is_exactly_32_bytes_of_base64url() -> None:
    assert RoomKey.of(KEY.text).text == KEY.text
    assert KEY.text not in repr(KEY)
    for text in ("", KEY.text[:-1], KEY.text + "A", KEY.text + "=", KEY.text[:-1] + "9", "+" * 43, encoded(bytes(31))):
        with pytest.raises(ValueError):
            RoomKey.of(text)
    with pytest.raises(ValueError):
        RoomKey.of_passphrase("", "tea")


def test_all_epochs_that_were_replaced_are_remembered_up_to_a_bound() -> None:
    replays = Replays()
    for number in range(258):
        replays.check(ANN, BEN, f"{number:016x}", 1)
    for number in (1, 256):
        with pytest.raises(Unusable, match="outdated"):
            replays.check(ANN, BEN, f"{number:016x}", 9)
    replays.check(ANN, BEN, f"{0:016x}", 1)


def test_a_message_tells_more_about_what_a_peer_lacks_than_its_card() -> None:
    sealing = Sealing(KEY, ROOM)
    joined = {"peer": {"id": BEN, "metadata": {}}, "peers": [{"id": ANN, "name": "Ann", "metadata": {}}]}
    sealing.joined(joined)
    assert sealing.troubles == {ANN: "no key"} and sealing.changes() == {ANN}
    sealing.opened(BEN, {"messages": [arriving(made("data", {"data": 1}))], "cursor": 1})
    assert sealing.troubles == {} and sealing.changes() == {ANN}
    sealing.joined(joined)
    assert sealing.troubles == {} and sealing.changes() == set()
