"""The command that ends an order, sent several times at once: a copy that comes after the end hears the same."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.queries import outcomes
from tests.api.company import PASSWORD, Company
from tests.api.words import at_stage, receive

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture(scope="module", autouse=True)
async def _stock(company: Company, working: None) -> None:
    await receive(company, "API-LAST", "1000")


@pytest.mark.accepts("E2")
async def test_five_copies_at_once_have_one_effect_and_one_answer(company: Company) -> None:
    order, _ = await at_stage(company, "completed")
    sam = await company.desk("sam")
    path = f"/mes/orders/{order}/close"
    answers = await asyncio.gather(*(sam.command(path, commandId=f"close/{order}") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    other = await sam.command(path, commandId=f"again/{order}")
    assert (other.status_code, other.json()["code"]) == (409, "INVALID_TRANSITION"), "another command is another matter"


@pytest.mark.accepts("E2")
async def test_five_copies_of_a_signed_command_at_once_are_one_signature(company: Company, engine: Engine) -> None:
    order, _ = await at_stage(company, "submitted", policy="gmp")
    sam = await company.desk("sam")
    path, command = f"/mes/orders/{order}/approve", f"approve/{order}"
    answers = await asyncio.gather(*(sam.command(path, commandId=command, signed=PASSWORD) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    assert len({answer.text for answer in answers}) == 1
    with engine.connect() as connection:
        statement = text("SELECT count(*) FROM signature WHERE command_id = :c")
        assert connection.execute(statement, {"c": command}).scalar_one() == 1


@pytest.mark.accepts("E2")
async def test_a_copy_that_was_looked_up_before_the_verdict_and_sent_after_the_end_hears_the_verdict(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _ = await at_stage(company, "completed")
    sam = await company.desk("sam")
    path, command = f"/mes/orders/{order}/close", f"close/{order}"
    told = await sam.command(path, commandId=command)
    assert told.status_code == 200
    # Until the process is over: then another command hears that nothing is possible any more.
    for attempt in range(100):
        other = await sam.command(path, commandId=f"other/{attempt}/{order}")
        if other.json()["blockers"][0]["required"].startswith("an order that is not over"):
            break
        await asyncio.sleep(0.1)
    looked: list[str] = []
    really = outcomes.earlier

    def too_early(connection: Any, command_id: str) -> Any:
        looked.append(command_id)
        return None if len(looked) == 1 else really(connection, command_id)

    monkeypatch.setattr("api.commands.record.earlier", too_early)
    late = await sam.command(path, commandId=command)
    assert looked == [command, command]
    assert (late.status_code, late.json()) == (200, told.json())
    monkeypatch.undo()
    trail = await (await company.desk("aud")).get("/audit", commandId=command)
    if trail.status_code == 200:
        assert "command.refused" not in trail.text
