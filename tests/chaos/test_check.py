"""The checker finds what it is there for: a loss, a doubling, a changed value, a contradiction, each planted by hand.

A real order is made; then somebody with the owner's login and without scruples changes the record, and takes it back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, LiteralString

import psycopg
import pytest

from chaos import record
from chaos.check import Finding, check
from chaos.record import Record
from chaos.told import Answer, Sent, Sighting, Told, answer_of
from domain import commands as c
from tests.conftest import Database
from tests.plant import Order, Plant, Refusal

GUARDED: Final[tuple[LiteralString, ...]] = (
    "stock_move", "production_report", "lot_link", "audit_row", "order_fact", "state_transition", "command_outcome",
)  # fmt: skip


@pytest.fixture(scope="module")
async def order(plant: Plant) -> Order:
    """An order that was closed, with a command that was refused on the way."""
    await plant.stock("API-1", "API", "100")
    await plant.stock("LAC-1", "LAC", "100")
    # The laboratory's decision about a delivery, which `stock` leaves out, is the history of a lot's state.
    plant.rows(
        "INSERT INTO state_transition (entity, entity_id, event, from_state, to_state, actor, at) "
        "SELECT 'lot', number, 'accepted', 'quarantine', status, 'ana', now() FROM lot WHERE origin = 'received' "
        "RETURNING 1"
    )
    order = await (await plant.order()).stored()
    with pytest.raises(Refusal):
        await order.do(c.CloseOrder, "sam")
    return await order.finished()


@pytest.fixture
def connection(database: Database, order: Order) -> Iterator[psycopg.Connection[Any]]:
    """The owner's login; whatever is done is taken back."""
    with psycopg.connect(database.owner_url) as connection:
        yield connection
        connection.rollback()


@contextmanager
def unguarded(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """The triggers that keep the record from being changed are off."""
    for table in GUARDED:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield


def as_told(found: Record) -> Told:
    """Clients who were told what is recorded, and a look at every order when it was over."""
    told = Told()
    for command, body in found.outcomes.items():
        told.answers[command].append(answer_of(dict(body)))
        told.sent[command] = Sent("sam", "/somewhere", {"commandId": command})
    for number, states in found.states.items():
        told.sightings.add(Sighting(number, *states[-1]))
    return told


def after(connection: psycopg.Connection[Any], statement: LiteralString) -> list[Finding]:
    """What is found when the record was changed by this statement."""
    clean = record.of(connection)
    told = as_told(clean)
    with unguarded(connection):
        assert connection.execute(statement).rowcount > 0
    return check(clean, told, record.of(connection), told)


def test_a_record_that_nobody_touched_is_sound(connection: psycopg.Connection[Any], order: Order) -> None:
    clean = record.of(connection)
    assert check(clean, as_told(clean), clean, as_told(clean)) == []
    assert clean.states[order.number][-1][1] == "closed"
    assert all(clean.same[name] for name in ("orders", "moves", "reports", "genealogy", "reservations", "audit trail"))
    assert any(not answer.accepted for answers in as_told(clean).answers.values() for answer in answers)


@pytest.mark.parametrize(
    ("statement", "kind", "where"),
    [
        ("DELETE FROM stock_move WHERE kind = 'consume' AND lot = 'API-1'", "lost", "moves"),
        ("DELETE FROM stock_move WHERE kind = 'consume' AND lot = 'API-1'", "broken", "a balance is not the sum"),
        ("DELETE FROM production_report WHERE operation = 'COAT'", "lost", "reports"),
        ("DELETE FROM production_report WHERE operation = 'COAT'", "broken", "an operation does not count"),
        ("DELETE FROM lot_link WHERE input_lot = 'LAC-1'", "lost", "genealogy"),
        ("DELETE FROM lot_link WHERE input_lot = 'LAC-1'", "broken", "the genealogy is not what was consumed"),
        ("DELETE FROM order_fact WHERE revision = 5", "broken", "the facts of an order have a gap"),
        ("DELETE FROM command_outcome WHERE NOT accepted IS TRUE OR accepted", "lost", "command "),
        ("DELETE FROM state_transition WHERE to_state = 'released' AND entity = 'production-order'", "broken",
         "a history of states has a gap"),
        ("DELETE FROM audit_row WHERE seq = (SELECT max(seq) FROM audit_row)", "broken", "audit trail"),
    ],
)  # fmt: skip
def test_a_loss_is_found(connection: psycopg.Connection[Any], statement: LiteralString, kind: str, where: str) -> None:
    found = after(connection, statement)
    assert [one for one in found if one.kind == kind and one.where.startswith(where)], found


@pytest.mark.parametrize(
    ("statement", "kind", "where"),
    [
        ("INSERT INTO stock_move (key, lot, from_place, to_place, quantity, unit, kind, work_order, actor, moved_at) "
         "SELECT key || '/2', lot, from_place, to_place, quantity, unit, kind, work_order, actor, moved_at "
         "FROM stock_move WHERE kind = 'issue' AND lot = 'API-1'", "doubled", "moves"),
        ("INSERT INTO production_report SELECT (jsonb_populate_record(r, jsonb_build_object('number', r.number || "
         "'-2'))).* FROM production_report r WHERE operation = 'COAT'", "doubled", "reports"),
        ("INSERT INTO lot_link (key, input_lot, output_lot, quantity, unit, work_order, operation, linked_at) "
         "SELECT key || '/2', input_lot, output_lot, quantity, unit, work_order, operation, linked_at "
         "FROM lot_link WHERE input_lot = 'LAC-1'", "doubled", "genealogy"),
        ("INSERT INTO order_fact SELECT order_number, revision + 1000, at, actor, command_id, content_hash, body "
         "FROM order_fact WHERE body ->> 'commandKind' = 'closeOrder' AND body -> 'outcome' ->> 'accepted' = 'true'",
         "doubled", "a command was judged twice"),
    ],
)  # fmt: skip
def test_a_doubling_is_found(
    connection: psycopg.Connection[Any], statement: LiteralString, kind: str, where: str
) -> None:
    found = after(connection, statement)
    assert [one for one in found if (one.kind, one.where) == (kind, where)], found


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE production_order SET state = 'completed'", "orders"),
        ("UPDATE stock_balance SET on_hand = on_hand + 1 WHERE lot = 'API-1' AND place = 'RAW'", "stock"),
        ("UPDATE stock_balance SET reserved = 1 WHERE lot = 'API-1' AND place = 'RAW'", "stock"),
        ("UPDATE lot_link SET quantity = quantity * 2", "genealogy"),
        ("UPDATE operation SET good = good - 1 WHERE code = 'COAT'", "operations"),
    ],
)
def test_a_changed_value_is_found_in_the_row_and_in_the_sums(
    connection: psycopg.Connection[Any], statement: LiteralString, where: str
) -> None:
    found = after(connection, statement)
    assert {("changed", where)} <= {(one.kind, one.where) for one in found}, found
    assert any(one.kind == "broken" for one in found), "no sum or chain notices it"


def test_a_changed_audit_row_is_found(connection: psycopg.Connection[Any]) -> None:
    found = after(connection, "UPDATE audit_row SET actor = 'sam' WHERE seq = 3")
    assert next(one.detail for one in found if one.where == "audit trail" and one.kind == "broken").startswith("row 3 ")


def test_a_signature_under_a_review_that_a_neighbour_stopped_is_no_doubling(
    connection: psycopg.Connection[Any],
) -> None:
    """Somebody explains that the neighbour was away, and signs once more; any other second signature is found."""
    clean = record.of(connection)
    told = as_told(clean)
    with unguarded(connection):
        connection.execute(
            "INSERT INTO audit_row SELECT (jsonb_populate_record(a, jsonb_build_object('seq', seq + 1000, 'action', "
            "'signature.given', 'command_id', 'again'))).* FROM audit_row a WHERE entity LIKE 'work-order/%' LIMIT 1"
        )
    signed_twice = check(clean, told, record.of(connection), told)
    assert ("doubled", "audit trail") in {(one.kind, one.where) for one in signed_twice}
    connection.execute(
        "INSERT INTO command_outcome (command_id, order_number, revision, accepted, body, at) "
        """VALUES ('again', 'PO', 0, false, '{"accepted": false, "blockers": [{"code": "EXCEPTION_OPEN"}]}', now())"""
    )
    stopped = check(clean, told, record.of(connection), told)
    assert ("doubled", "audit trail") not in {(one.kind, one.where) for one in stopped}


def test_contradicted_answers_are_found(connection: psycopg.Connection[Any], order: Order) -> None:
    clean = record.of(connection)
    accepted = next(command for command, body in clean.outcomes.items() if body["accepted"])
    refused = next(command for command, body in clean.outcomes.items() if not body["accepted"])
    no = Answer(False, {"blockers": [], "code": "INVALID_TRANSITION"})
    yes = Answer(True, {"revision": 1, "result": {}, "possible": []})

    told = as_told(clean)
    told.answers[accepted].append(no)
    told.answers[refused] = [yes]
    found = check(clean, as_told(clean), clean, told)
    said = {(one.kind, one.where) for one in found}
    assert {("contradicted", f"command {accepted}"), ("contradicted", f"command {refused}")} <= said
    assert any(one.where.endswith(refused) and ", recorded refused " in one.detail for one in found)

    told = as_told(clean)
    told.sightings.add(Sighting(order.number, 2, "closed"))
    (found_one,) = check(clean, as_told(clean), clean, told)
    assert (found_one.kind, found_one.detail) == ("contradicted", "seen closed at revision 2, recorded submitted")

    told = as_told(clean)
    told.answers[accepted] = [Answer(True, {**told.answers[accepted][0].content, "revision": 99})]
    (found_one,) = check(clean, as_told(clean), clean, told)
    assert (found_one.kind, found_one.where) == ("contradicted", f"command {accepted}")


def test_what_was_promised_and_never_done_is_lost(connection: psycopg.Connection[Any]) -> None:
    clean = record.of(connection)
    told = as_told(clean)
    told.taken |= {"taken", *clean.outcomes}
    told.answers["promised"].append(Answer(True, {"revision": 4, "result": {}, "possible": []}))
    told.sightings.add(Sighting("PO-NOWHERE", 3, "released"))
    found = check(clean, as_told(clean), clean, told)
    assert sorted((one.kind, one.where) for one in found) == [
        ("lost", "command promised"), ("lost", "command taken"), ("lost", "order PO-NOWHERE"),
    ]  # fmt: skip


def test_a_receipt_is_answered_by_the_warehouse_and_that_is_compared(connection: psycopg.Connection[Any]) -> None:
    clean = record.of(connection)
    told = as_told(clean)
    assert told.answers["in/API-1"][0].content["lot"] == "API-1"

    told.answers["in/API-1"] = [Answer(True, {**told.answers["in/API-1"][0].content, "quantity": "101"})]
    (found,) = check(clean, as_told(clean), clean, told)
    assert (found.kind, found.where) == ("contradicted", "command in/API-1")

    found_after = after(connection, "DELETE FROM inventory_request WHERE key = 'in/API-1'")
    assert ("lost", "command in/API-1") in {(one.kind, one.where) for one in found_after}


def test_what_a_receipt_tells_beside_is_compared(connection: psycopg.Connection[Any]) -> None:
    """Its inspection has an answer of its own."""
    connection.execute(
        "INSERT INTO command_outcome (command_id, order_number, revision, accepted, body, at) VALUES ("
        "'in/API-1/inspection', 'lot/API-1', 0, true, "
        """'{"accepted": true, "answer": {"number": "API-1-I1", "characteristics": []}}', now())"""
    )
    clean = record.of(connection)
    receipt = answer_of(dict(clean.outcomes["in/API-1"]))
    assert receipt.content["inspection"] == {"number": "API-1-I1", "characteristics": []}
    told = as_told(clean)
    told.answers["in/API-1"] = [Answer(True, receipt.content | {"inspection": {"number": "API-1-I2"}})]
    (found,) = check(clean, as_told(clean), clean, told)
    assert (found.kind, found.where) == ("contradicted", "command in/API-1")


VERSION: Final = {"id": "v", "state": "inReview", "product": "TABLET-1", "stillNeeded": ["qualityHead"]}
NOTED: Final = {"revision": 2, "result": {"deviation": "PO-1-D1"}, "possible": ["submitOrder"]}
OPENED: Final = {"number": "PO-1-D1", "hasProcess": True, "id": "e13f41ef-b8a4-5b56-8209-39d943cead1e"}


@pytest.mark.parametrize(
    ("path", "told", "recorded", "same"),
    [
        ("/versions/v/submit", {"accepted": True, **VERSION}, {"answer": VERSION}, True),
        ("/versions/v/submit", {"accepted": True, **VERSION, "state": "draft"}, {"answer": VERSION}, False),
        ("/versions/v/submit", {"accepted": True, "id": "v"}, {"answer": VERSION}, False),
        ("/orders/1/submit", {"accepted": True, **NOTED}, NOTED, True),
        ("/orders/1/submit", {"accepted": True, **NOTED, "possible": []}, NOTED, False),
        ("/quality/deviations", OPENED, NOTED, True),
        ("/quality/deviations", {"accepted": True, **NOTED}, NOTED, True),
        ("/quality/deviations", {**OPENED, "number": "PO-1-D2"}, NOTED, False),
        ("/quality/deviations", {**OPENED, "id": "another"}, NOTED, False),
        ("/quality/deviations", {**OPENED, "hasProcess": False}, NOTED, False),
        ("/quality/deviations", {"number": "PO-1-D1", "hasProcess": True}, NOTED, False),
        ("/quality/deviations", OPENED, {"answer": {"number": "PO-1-D1", "hasProcess": True}}, True),
        ("/quality/deviations", OPENED, {"answer": {"number": "PO-1-D1", "hasProcess": False}}, False),
        ("/elsewhere", OPENED, NOTED, False),
    ],
)  # fmt: skip
def test_an_answer_is_compared_as_its_door_tells_it(
    connection: psycopg.Connection[Any], path: str, told: dict[str, Any], recorded: dict[str, Any], same: bool
) -> None:
    """A door tells what was judged in its own words: they have to be the ones that the record leads to."""
    clean = record.of(connection)
    found = replace(clean, outcomes={**clean.outcomes, "own": {"accepted": True, **recorded}})
    heard = as_told(clean)
    heard.sent["own"] = Sent("sam", path, {"commandId": "own"})
    heard.note("POST", path, "own", 200, {"commandId": "own", **told})
    contradictions = [one.kind for one in check(clean, as_told(clean), found, heard)]
    assert contradictions == ([] if same else ["contradicted"])


def test_somebody_who_waited_for_a_neighbour_is_no_difference(connection: psycopg.Connection[Any]) -> None:
    clean = record.of(connection)
    with unguarded(connection):
        for action in ("neighbour.waiting", "neighbour.answered", "operation.completed"):
            connection.execute(
                "INSERT INTO audit_row (seq, at, actor, action, entity, hash) SELECT max(seq) + 1, now(), 'system', "
                "%s, 'production-order/PO-1', 'x' FROM audit_row", (action,),
            )  # fmt: skip
    (found,) = (
        one for one in check(clean, as_told(clean), record.of(connection), as_told(clean)) if one.kind != "broken"
    )
    assert (found.kind, found.where) == ("doubled", "audit trail")
    assert "operation.completed" in found.detail
