"""The planted batch: a value out of limits, a correction and a failed test; blocked, resolved by others, certified."""

import io
import re
from pathlib import Path

import pypdf
import pytest
from sqlalchemy import Engine, text

from replay import people as p
from replay.people import Person
from replay.planted import LANGUAGES, Story
from replay.tablets import replay_planted
from tests.replay_client.conftest import Factory

TABLETS = Path(__file__).parent.parent.parent / "plants" / "tablets" / "sample"


@pytest.fixture(scope="module")
async def story(client_factory: Factory, people: dict[str, Person]) -> Story:
    """The planted batch of the plant's sample, from plan line to close."""
    return await replay_planted(client_factory, people, TABLETS)


def words_of(pdf: bytes) -> str:
    """All text of a print without blanks: where a line breaks says nothing."""
    return re.sub(r"\s|\u200b", "", "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages))


@pytest.mark.accepts("B7", "QL-04", "QL-10")
async def test_the_batch_is_stopped_each_time_and_goes_on_when_others_have_decided(story: Story) -> None:
    assert story.state == "closed"
    refused = {(no.who, no.what): set(no.codes) for no in story.refused}
    assert refused.keys() == {
        (p.OPERATOR_2, "operations/COMPRESS/complete"),
        (p.ANALYST_2, "inspection/decision"),
        (p.QUALIFIED, "certify"),
    }
    assert refused[p.ANALYST_2, "inspection/decision"] == {"OOS_OPEN"}
    assert {"DEVIATION_OPEN", "RECORD_NOT_APPROVED"} <= refused[p.QUALIFIED, "certify"]


@pytest.mark.accepts("B12", "EB-07")
async def test_the_review_reads_exactly_what_was_planted(story: Story) -> None:
    assert [(own["type"], own["isOpen"]) for own in story.exceptions] == [
        ("parameterOutOfLimits", False), ("correctedValue", False), ("outOfSpecification", False),
    ]  # fmt: skip


async def test_each_decision_is_by_another_person_than_who_it_is_about(story: Story, engine: Engine) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT body ->> 'commandKind', body ->> 'actor' FROM case_fact WHERE case_number LIKE :order "
                 "AND body ->> 'commandKind' IS NOT NULL ORDER BY case_number, revision"),
            {"order": f"{story.order}-%"},
        ).all()  # fmt: skip
    people = [tuple(row) for row in rows if row[1] != "system"]
    assert people == [
        ("classifyDeviation", p.REVIEWER), ("assignDeviation", p.REVIEWER), ("proposeConclusion", p.SUPERVISOR),
        ("approveDeviation", p.REVIEWER), ("approveDeviationAsQualityManager", p.QUALITY),
        ("closeDeviation", p.REVIEWER),
        ("investigateLaboratory", p.ANALYST_2), ("proveLaboratoryError", p.REVIEWER),
        ("authoriseRetest", p.REVIEWER), ("concludeOutOfSpecification", p.ANALYST_2), ("closeDeviation", p.REVIEWER),
    ]  # fmt: skip


@pytest.mark.accepts("B12", "AT-06", "ES-07")
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_paper_shows_all_of_it_in_both_languages(story: Story, language: str) -> None:
    found = words_of(story.prints[language])
    titles = {
        "en": ("Parameter out of limits", "Corrected value", "Classified", "Approved by the quality manager",
               "Error of the laboratory proven", "Retest authorised"),
        "zh": ("参数超限", "更正的值", "已分级", "质量负责人批准", "已证实实验室差错", "批准复检"),
    }  # fmt: skip
    said = (
        "tbl_max_weight", f"{story.order}-D1", f"{story.order}-D2", "the heavy cores were sorted out",
        "300 cores were weighed one by one", "a digit was lost in typing", "41.0", "pH 7.2 instead of 6.8",
        "medium, log and balance were checked", "Quirin Quality", "Rita Reviewer", "Arne Analyst", "Quentin Qualified",
        *titles[language],
    )  # fmt: skip
    missing = [words for words in said if words.replace(" ", "").lower() not in found.lower()]
    assert missing == []


async def test_doing_it_again_changes_nothing(
    story: Story, client_factory: Factory, people: dict[str, Person], engine: Engine
) -> None:
    def facts() -> int:
        with engine.connect() as connection:
            query = text("SELECT count(*) FROM order_fact WHERE order_number = :n")
            return int(connection.execute(query, {"n": story.order}).scalar_one())

    before = facts()
    again = await replay_planted(client_factory, people, TABLETS)
    assert (again.state, again.exceptions) == ("closed", story.exceptions)
    assert facts() == before
