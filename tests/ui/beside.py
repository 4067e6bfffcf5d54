"""Neighbours that fail: a parked message, one in quarantine, alarms; for the console's tests."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from adapters.outbound.courier import Courier
from adapters.outbound.http import HttpReceiver
from db import audit, outbox
from tests.api.company import PREFIX, Company
from tests.api.records import ok


def happens(engine: Engine, action: str, entity: str) -> None:
    """Something happens in the plant."""
    with engine.begin() as connection:
        audit.append(connection, [audit.Entry(datetime.now(UTC), "sam", action, entity, source="test")])


async def neighbours(company: Company, engine: Engine) -> dict[str, str]:
    """An endpoint without its secret, a message parked for it; a message that nobody registered may send; a rule."""
    ada = await company.desk("ada")
    body: dict[str, Any] = {
        "code": "QMS",
        "name": "Quality system",
        "url": "https://qms.example/in",
        "topics": ["probe.*", "recall.*"],
    }
    ok(await ada.command("/integration/endpoints", **body))
    ok(await ada.command("/integration/systems", account="erp", name="ERP", kinds=["operations-schedule"]))
    rule = {"code": "PROBE_FAILED", "name": "Probe failed", "topic": "probe.failed", "severity": "critical"}
    ok(await (await company.desk("pat")).command("/alarm-rules", **rule))
    await asyncio.to_thread(happens, engine, "probe.failed", "equipment/SAW-1")
    receiver = HttpReceiver({})
    with engine.begin() as connection:
        (endpoint,) = [own for own in outbox.due(connection) if own.code == "QMS"]
    await Courier(engine, receiver).deliver_next(endpoint)
    await receiver.close()
    desk = await company.desk("erp")
    sent = await company.client.post(
        f"{PREFIX}/integration/messages/laboratory-result", content=b'{"sample": "S-1"}',
        headers=desk.headers | {"Message-Id": "LIMS-4711"},
    )  # fmt: skip
    assert sent.status_code == 202
    (parked,) = (await ada.get("/integration/outbound-messages", state="parked")).json()["messages"]
    return {"parked": parked["id"], "quarantined": str(sent.json()["number"])}
