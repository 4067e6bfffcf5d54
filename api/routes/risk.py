"""Scores of risk: advice from the quality history, with how far it can be trusted. Nothing waits for a score (A22)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import Field
from sqlalchemy import Connection, func, select

from api.clock import now
from api.deps import Caller, Reading, only
from api.direct_acts import act
from api.errors import not_found, refused
from api.routing import Router
from api.shapes import CommandBody, Identifier, Text
from db import audit
from db.once import Request
from db.queries import risk as tables
from db.queries.marking import marked
from db.session import reading
from domain.base import Message
from domain.risk import Learned, learn, score

router = Router(tags=["risk"])
Trainer = Annotated[Caller, Depends(only("trainRiskModel", "risk-model"))]


class TrainBody(CommandBody):
    """What is asked: which batches end badly. `limit` is of the question; `direction` says on which side bad is."""

    code: Annotated[str, Field(min_length=3, max_length=60, pattern=r"^[a-z][a-z0-9-]*$")]
    name: Text
    characteristic: Identifier
    limit: Annotated[Decimal, Field(max_digits=30, decimal_places=12)]
    direction: Literal["above", "below"]
    product: Identifier | None = None


class Trained(Message):
    """The version that was made."""

    code: str
    version: int


@router.post("/quality/risk-models")
def train(body: TrainBody, who: Trainer) -> dict[str, Any]:
    """Learn a new version from the plant's own history: a logistic regression on the older 70 % of the batches.

    The newest 30 %, in the order of time, are held out: `GET /quality/risk-models` has AUC and Brier score on
    them, beside the baseline that gives every batch the same probability. 409 HISTORY_TOO_SHORT says what is missing.
    """
    question = {
        "name": body.name, "characteristic": body.characteristic, "limit": str(body.limit),
        "direction": body.direction, "product": body.product,
    }  # fmt: skip
    request = Request("trainRiskModel", f"risk-model/{body.code}", body.command_id, who.id, now(), question)
    learned = _learned(who, body)

    def work(connection: Connection, _: tuple[str, ...]) -> tuple[Trained, Sequence[audit.Entry]]:
        if isinstance(learned, str):
            raise refused("HISTORY_TOO_SHORT", "risk model", body.code, learned, "a history with good and bad ends")
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"risk-model/{body.code}", 0))))
        version = tables.add(connection, body.code, question, learned, request.actor, request.at)
        found = tables.find(connection, body.code, version)
        assert found is not None
        told = {"version": version, "document": found.document}
        return Trained(code=body.code, version=version), [request.audit("risk-model.trained", told, reason=body.reason)]

    return act(who, request, Trained, work).model_dump(mode="json", by_alias=True)


def _learned(who: Caller, body: TrainBody) -> Learned | str:
    """The model, or why there is none."""
    with reading(who.services.engine) as connection:
        history = tables.history(
            connection, body.product, body.characteristic, body.limit, body.direction == "above",
            who.scope.work_orders(tables.WORK_ORDERS.c.number),
        )  # fmt: skip
    try:
        return learn(history, tables.names_of(history))
    except ValueError as error:
        return str(error)


@router.get("/quality/risk-models")
def models(reading: Reading) -> dict[str, Any]:
    """Every version: its question, what it learned from, its hold-out metrics beside the baseline, its coefficients."""
    return {"models": tables.models(reading), "isAdvice": True}


@router.get("/quality/lots/{lot}/risk")
def of_lot(lot: Identifier, reading: Reading) -> dict[str, Any]:
    """The score of a batch by the newest version of each model that fits its product. Advice: nothing waits for it.

    `contributions` are in log-odds, the largest first; a value that was not measured counts as usual, and is counted in
    `missing`. A lot that was bought has no score.
    """
    made = tables.material_of(reading, lot)
    if made is None:
        raise not_found("batch", lot)
    values = tables.values(reading, [lot]).get(lot, {})
    found = []
    for row in tables.newest(reading):
        if row.document["question"]["product"] not in (None, made[0]):
            continue
        own = score(Learned.model_validate(row.document["learned"]).model, values)
        shown = tables.shown(row)
        found.append(
            own.model_dump(mode="json", by_alias=True)
            | {name: shown[name] for name in ("code", "version", "question", "metrics", "isBetterThanBaseline")}
        )
    told: dict[str, Any] = marked(reading, {"lot": lot, "isAdvice": True, "scores": found})
    return told
