"""Orders and their deviations where each deviation has a process of its own: the story on the real servers."""

import pytest

from db.queries import cases, record_document
from domain import case_commands as cc
from domain import commands as c
from domain.case_folding import fold_case
from domain.quality_cases import DeviationCase, begun
from domain.states import LotStatus, OperationState
from tests.cases import LED, Led, of_order, opened, out_of_limit, out_of_specification, until_decided
from tests.desk import tablet_order
from tests.plant import Order, Plant, Refusal


@pytest.fixture(scope="module", autouse=True)
async def _raw_material(plant: Plant) -> None:
    await plant.stock("API-1", "API", "1000")
    await plant.stock("LAC-1", "LAC", "10000")


async def refused(order: Order | Led, kind: type[c.Command], by: str, **fields: object) -> list[str]:
    with pytest.raises(Refusal) as refusal:
        await order.do(kind, by, **fields)
    return refusal.value.codes


@pytest.mark.accepts("QL-06", "B17")
async def test_an_operation_is_held_until_the_deviation_itself_is_closed(plant: Plant) -> None:
    order = await out_of_limit(plant)
    deviation = await of_order(order)
    for kind, more in (
        (c.ReleaseOperationHold, {"operation": "COMPRESS", "reason": "scale was dirty"}),
        (c.DecideDeviation, {"deviation": deviation.number, "decision": "use as is"}),
    ):
        with pytest.raises(Refusal) as refusal:
            await order.do(kind, "rae", **more)
        blocker = next(b for b in refusal.value.outcome.blockers if b.code == "DEVIATION_UNDER_INVESTIGATION")
        assert (blocker.id, blocker.who_can_fix) == (deviation.number, "qaReviewer")
    assert "releaseOperationHold" not in refusal.value.outcome.possible

    await deviation.approved()
    assert (await order.process()).work_orders[order.work_order].operations["COMPRESS"].state == OperationState.HELD
    await deviation.do(cc.CloseDeviation, "rae")
    await deviation.handle.result()
    await until_decided(order)
    work_order = (await order.process()).work_orders[order.work_order]
    assert work_order.operations["COMPRESS"].state == OperationState.RUNNING
    assert work_order.lot_status == LotStatus.QUARANTINE
    told = plant.rows(
        "SELECT actor FROM order_fact WHERE body ->> 'commandKind' = 'noteDeviation' AND order_number = :n",
        n=order.number,
    )
    assert [row.actor for row in told] == ["system"]
    row = plant.rows("SELECT state, decision, decided_by FROM deviation WHERE number = :n", n=deviation.number)[0]
    assert tuple(row) == ("closed", "the scale was dirty", "rae")
    with plant.engine.connect() as connection:
        (shown,) = record_document.read(connection, order.work_order).document()["deviations"]
    assert shown["decidedBy"] == "rae", "a process decides nothing: the person behind it does"

    await order.do(c.RecordParameters, "olu", operation="COMPRESS", values=(_weight("113"),))
    await order.do(c.ReportProduction, "olu", operation="COMPRESS", good=990)
    await order.do(c.CompleteOperation, "olu", operation="COMPRESS")
    await order.operation("COAT", good=980)
    await (await order.until("inspection", "created")).tested()
    await order.put_into_quarantine()
    await order.finished()


def _weight(text: str) -> c.Measurement:
    return c.Measurement(name="weight", text=text, unit="mg")


@pytest.mark.accepts("D2")
async def test_a_failing_measurement_holds_the_lot_and_every_way_on_is_refused(plant: Plant) -> None:
    """Next step, put-away and release by the order; issue of the lot to somebody else by the warehouse."""
    order = await out_of_limit(plant)
    assert plant.rows("SELECT status FROM lot WHERE number = :l", l=order.lot)[0][0] == "onHold"
    assert "LOT_ON_HOLD" in await refused(order, c.StartOperation, "olu", operation="COAT")
    assert "LOT_ON_HOLD" in await refused(order, c.PutAway, "wil", place="QUARANTINE")
    assert {"LOT_NOT_USABLE", "DEVIATION_OPEN"} <= set(await refused(order, c.CertifyBatch, "quinn"))
    assert "LOT_NOT_USABLE" in await refused(order, c.ReleaseBatch, "sam", place="FINISHED")

    deviation = await of_order(order)
    await deviation.closed(disposition="reject")
    await until_decided(order)
    assert plant.rows("SELECT status FROM lot WHERE number = :l", l=order.lot)[0][0] == "rejected"
    assert "LOT_ON_HOLD" in await refused(order, c.StartOperation, "olu", operation="COAT")


@pytest.mark.accepts("D2")
async def test_a_semi_finished_lot_on_hold_is_not_issued(plant: Plant) -> None:
    order = await out_of_specification(plant)
    specification = tablet_order(LED, plant.next_number())
    (own,) = specification.work_orders
    line = own.materials[0].model_copy(update={"material": "TAB", "fixed_lots": (order.lot,), "unit": "pcs"})
    work_order = own.model_copy(update={"materials": (line,)})
    using = Order(plant, specification.model_copy(update={"work_orders": (work_order,)}))
    await using.start()
    await using.released()
    await using.do(c.DispatchWorkOrder, "sam")
    await using.until("pick_list", "short")
    short = plant.rows("SELECT short FROM pick_list WHERE work_order = :w", w=using.work_order)[0][0]
    assert short[0]["material"] == "TAB"
    assert "LOT_ON_HOLD" in await refused(order, c.PutAway, "wil", place="QUARANTINE")


@pytest.mark.accepts("QL-04")
async def test_a_result_out_of_specification_is_tested_again_only_after_a_proven_error(plant: Plant) -> None:
    order = await out_of_specification(plant)
    result = await of_order(order)
    again = {"values": (c.Measurement(name="dissolution", text="92.5", unit="%"),)}
    for kind, by, more in (
        (c.EnterInspectionResults, "ana", again),
        (c.DecideInspection, "ben", {"accept": True}),
    ):
        with pytest.raises(Refusal) as refusal:
            await order.do(kind, by, **more)
        assert refusal.value.codes == ["OOS_OPEN"]
        assert "dissolution 70.0 %" in refusal.value.blocker.found
        assert result.number in refusal.value.blocker.found

    assert await refused(result, cc.AuthoriseRetest, "rae") == ["INVALID_TRANSITION"]
    await result.do(cc.InvestigateLaboratory, "ben")
    assert await refused(result, cc.ProveLaboratoryError, "ana", finding="wrong medium") == ["SEPARATION_OF_DUTIES"]
    await result.do(cc.ProveLaboratoryError, "rae", finding="the medium had pH 7.2, proven by its log")
    await result.do(cc.AuthoriseRetest, "rae")
    await order.until("inspection", "created")
    await order.do(c.EnterInspectionResults, "ana", **again)
    assert await refused(order, c.DecideInspection, "ben", accept=True) == ["OOS_OPEN"]
    kept = plant.rows(
        "SELECT r.text FROM inspection_result r JOIN inspection i ON i.number = r.inspection "
        "WHERE i.work_order = :w ORDER BY r.id",
        w=order.work_order,
    )
    assert [row.text for row in kept] == ["70.0", "92.5"]

    conclusion = {"root_cause": "pH of the medium", "needs_capa": False, "report": "report 18"}
    assert await refused(
        result, cc.ConcludeOutOfSpecification, "ben", confirmed=False, disposition="reject", **conclusion
    ) == ["DISPOSITION_CONTRADICTS"]
    await result.do(cc.ConcludeOutOfSpecification, "ben", confirmed=False, disposition="accept", **conclusion)
    assert await refused(result, cc.CloseDeviation, "ben") == ["SEPARATION_OF_DUTIES"]
    await result.do(cc.CloseDeviation, "rae")
    await result.handle.result()
    await until_decided(order)
    await order.do(c.DecideInspection, "ben", accept=True)
    await order.put_into_quarantine()
    await order.finished()


@pytest.mark.accepts("QL-04")
async def test_a_confirmed_result_can_only_be_rejected(plant: Plant) -> None:
    order = await out_of_specification(plant)
    result = await of_order(order)
    await result.do(cc.InvestigateLaboratory, "ben")
    await result.do(cc.BeginPhaseTwo, "ben", finding="no error in the laboratory")
    await result.do(
        cc.ConcludeOutOfSpecification, "ben", confirmed=True, disposition="reject", root_cause="wet granulate",
        needs_capa=True, report="report 19",
    )  # fmt: skip
    await result.do(cc.CloseDeviation, "rae")
    await result.handle.result()
    await until_decided(order)
    assert await refused(order, c.DecideInspection, "ben", accept=True) == ["INVALID_TRANSITION"]
    await order.do(c.DecideInspection, "ben", accept=False)
    assert (await order.process()).work_orders[order.work_order].lot_status == LotStatus.REJECTED
    await Led(plant, f"{result.number}-C1", "capa").until("draft")


async def test_a_phase_two_that_does_not_confirm_sets_the_result_aside(plant: Plant) -> None:
    order = await out_of_specification(plant)
    result = await of_order(order)
    await result.do(cc.InvestigateLaboratory, "ben")
    await result.do(cc.BeginPhaseTwo, "ben", finding="no error in the laboratory")
    await result.do(
        cc.ConcludeOutOfSpecification, "ben", confirmed=False, disposition="accept", root_cause="one broken tablet",
        needs_capa=False, report="report 20",
    )  # fmt: skip
    await result.do(cc.CloseDeviation, "rae")
    await result.handle.result()
    await order.until("inspection", "resultsEntered")
    await order.do(c.DecideInspection, "ben", accept=True)


@pytest.mark.accepts("QL-06", "QL-10")
async def test_what_is_opened_by_hand_keeps_the_order_from_its_certificate(plant: Plant) -> None:
    order = await (await plant.order(LED)).stored()
    outcome = await order.do(c.OpenDeviation, "olu", code="SPILL", detail="granulate on the floor")
    deviation = await of_order(order)
    assert outcome.result == {"deviation": deviation.number}
    assert await refused(order, c.CertifyBatch, "quinn") == ["DEVIATION_OPEN"]
    await deviation.do(cc.VoidDeviation, "rae", reason="it was another room")
    await deviation.handle.result()
    await until_decided(order)
    await order.finished()


async def test_without_the_policy_nobody_opens_one_by_hand_and_a_person_cannot_note_a_decision(plant: Plant) -> None:
    simple = await plant.order()
    assert await refused(simple, c.OpenDeviation, "olu", code="SPILL", detail="x") == ["DEVIATION_PROCESS_OFF"]
    order = await out_of_limit(plant)
    number = f"{order.number}-D1"
    news = {"deviation": number, "standing": "decided", "decision": "fine", "disposition": "accept"}
    assert await refused(order, c.NoteDeviation, "olu", **news) == ["NOT_A_PERSON"]


async def test_a_deviation_outlives_its_cancelled_order(plant: Plant) -> None:
    order = await out_of_limit(plant)
    deviation = await of_order(order)
    await order.do(c.CancelOrder, "sam", reason="customer withdrew", disposition=c.Disposition.SCRAP)
    await order.until("order", "aborted")
    assert deviation.recorded().state == "open"
    await deviation.closed(classification="critical")
    assert deviation.recorded().state == "closed"


@pytest.mark.accepts("QL-06")
async def test_refusals_of_a_deviation_name_everything_and_leave_one_audit_row(plant: Plant) -> None:
    case = await opened(plant)
    await case.investigated("critical")
    with pytest.raises(Refusal) as refusal:
        await case.do(cc.ProposeConclusion, "olu", root_cause=" ", disposition="accept", needs_capa=False)
    assert refusal.value.codes == ["NOT_THE_OWNER", "ROOT_CAUSE_MISSING", "REPORT_MISSING"]
    assert refusal.value.outcome.possible == ("proposeConclusion", "voidDeviation")
    rows = plant.rows("SELECT action, entity FROM audit_row WHERE command_id = :c", c=refusal.value.outcome.command_id)
    assert [tuple(row) for row in rows] == [("command.refused", f"deviation/{case.number}")]


@pytest.mark.accepts("QL-06", "E2")
async def test_the_same_command_sent_again_has_one_effect_and_one_answer(plant: Plant) -> None:
    case = await opened(plant)
    command = case.command(cc.ClassifyDeviation, "rae", classification="minor", impact="none")
    for _ in range(5):
        await case.handle.signal("command", command)
    await case.verdict(command.command_id)
    await case.do(cc.AssignDeviation, "rae", owner="ida")
    assert case.recorded().revision == 3


async def test_the_record_folds_to_the_case_that_its_workflow_holds(plant: Plant) -> None:
    order = await out_of_limit(plant)
    deviation = await of_order(order)
    await deviation.closed(capa=True)
    held = await deviation.handle.query("case", result_type=DeviationCase)
    with plant.engine.begin() as connection:
        facts = cases.facts(connection, deviation.number)
    again = begun(held.specification)
    for fact in facts:
        fold_case(again, fact)
    assert again == held == deviation.recorded()
    await Led(plant, f"{deviation.number}-C1", "capa").until("draft")


@pytest.mark.accepts("E8")
async def test_a_case_continues_in_a_new_run_and_loses_nothing(plant: Plant) -> None:
    """The server suggests a new run after 300 events."""
    case = await opened(plant)
    first = (await case.handle.describe()).run_id
    early = case.command(cc.CloseDeviation, "rae")
    await case.handle.signal("command", early)
    for _ in range(90):
        command = case.command(cc.ApproveDeviation, "rae")
        await case.handle.signal("command", command)
        assert not (await case.verdict(command.command_id)).accepted
    assert (await case.handle.describe()).run_id != first
    await case.handle.signal("command", early)  # an old command in a new run
    await case.closed()
    revisions = plant.rows("SELECT revision FROM case_fact WHERE case_number = :n ORDER BY 1", n=case.number)
    assert [row.revision for row in revisions] == list(range(1, len(revisions) + 1))
    answers = plant.rows("SELECT 1 FROM case_fact WHERE command_id = :c", c=early.command_id)
    assert len(answers) == 1
