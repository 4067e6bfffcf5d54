"""Samples of received lots: what a test uses up leaves the stock (MT-09, CN 222)."""

from decimal import Decimal

from sqlalchemy import Connection

from adapters.inventory import ledger
from adapters.inventory.ledger import Move
from adapters.quality import records
from adapters.quality.port import SampleAnswer
from db.once import Done, Request
from db.own_places import SAMPLE, ensure
from domain.errors import AdapterRefused, Blocker
from domain.quantities import plain
from domain.states import InspectionState

_DECIDED = (InspectionState.ACCEPTED, InspectionState.REJECTED, InspectionState.CANCELLED)


def take_sample(
    connection: Connection, request: Request, number: str, quantity: Decimal, unit: str, place: str
) -> Done[SampleAnswer]:
    """Move a sample out of the stock. Runs inside the transaction that `db.once.answer_once` opened."""
    row = records.own_inspection(connection, number)
    lot = ledger.lock_lot(connection, row.lot)
    on_hand = ledger.lock_balances(connection, [(row.lot, place)])[row.lot, place]
    blockers: list[Blocker] = []

    def stop(code: str, found: str, required: str) -> None:
        blockers.append(
            Blocker(
                code=code, entity="inspection", id=number, found=found, required=required, who_can_fix="qcAnalyst"
            )
        )  # fmt: skip

    if row.state in _DECIDED:
        stop("INSPECTION_DECIDED", str(row.state), "an inspection that is not decided")
    if unit != lot.unit:
        stop("UNIT_MISMATCH", unit, lot.unit)
    elif quantity > on_hand:
        found = f"{plain(on_hand)} {unit} of {row.lot} at {place}"
        stop("NOT_THERE", found, f"at least the {plain(quantity)} {unit} of the sample")
    if blockers:
        raise AdapterRefused(blockers[0].code, f"no sample of {row.lot} was taken", tuple(blockers))
    ensure(connection, SAMPLE)
    taken = Move(request.key, row.lot, place, SAMPLE, quantity, unit, "sample")
    ledger.move(connection, [taken], request.actor, request.at)
    answer = SampleAnswer(
        number=number, lot=row.lot, quantity=quantity, unit=unit, place=place, left=on_hand - quantity
    )  # fmt: skip
    move = {"lot": row.lot, "from": place, "to": SAMPLE, "quantity": plain(quantity), "unit": unit}
    news = {
        "inspection": number, "quantity": quantity, "unit": unit, "from": place, "to": SAMPLE, "kind": "sample",
        "moves": [move],
    }  # fmt: skip
    return Done(answer, [request.audit("lot.sampled", news, entity=f"lot/{row.lot}")])
