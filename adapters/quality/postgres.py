"""Quality on our own PostgreSQL: the built-in implementation of `Quality`. Its answers are command outcomes."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from adapters.in_the_record import InTheRecord
from adapters.quality import cases, inspecting, records, sampling
from adapters.quality.port import (
    CancelAnswer,
    DecisionAnswer,
    DeviationAnswer,
    InspectionTicket,
    LotAnswer,
    ResultsAnswer,
    SampleAnswer,
)
from db.once import Done
from domain.commands import Measurement
from domain.errors import AdapterRefused
from domain.quality_cases import CaseDisposition
from domain.rules.common import SYSTEM as SYSTEM_ACTOR
from domain.specification import Characteristic

_ADDED_LATER: Final = {"method": "", "sample_size": "", "plan_version": None, "evidence": ()}


def _said(asked: Characteristic) -> dict[str, object]:
    """What a request says: fields that earlier releases did not know say nothing as they usually are."""
    return {name: value for name, value in asked if name not in _ADDED_LATER or value != _ADDED_LATER[name]}


class PostgresQuality(InTheRecord):
    """Inspections, results and deviations in the record."""

    _system = "quality"

    def request_inspection(
        self,
        lot: str,
        material: str,
        work_order: str | None,
        characteristics: Sequence[Characteristic] | None,
        *,
        key: str,
        actor: str,
    ) -> InspectionTicket:
        """See `Quality.request_inspection`."""
        asked = None if characteristics is None else list(characteristics)
        request = self._request(
            "requestInspection", f"lot/{lot}", key, actor, material=material, workOrder=work_order,
            asked=None if asked is None else [_said(one) for one in asked],
        )  # fmt: skip
        return self._once(
            request,
            InspectionTicket,
            lambda c: inspecting.request_inspection(c, request, lot, material, work_order, asked),
        )

    def take_sample(
        self, number: str, quantity: Decimal, unit: str, place: str, *, key: str, actor: str
    ) -> SampleAnswer:
        """See `Quality.take_sample`."""
        subject = f"inspection/{number}"
        request = self._request("takeSample", subject, key, actor, quantity=quantity, unit=unit, place=place)
        return self._once(
            request, SampleAnswer, lambda c: sampling.take_sample(c, request, number, quantity, unit, place)
        )

    def enter_results(self, number: str, values: Sequence[Measurement], *, key: str, actor: str) -> ResultsAnswer:
        """See `Quality.enter_results`."""
        request = self._request("enterResults", f"inspection/{number}", key, actor, values=list(values))
        return self._once(request, ResultsAnswer, lambda c: inspecting.enter_results(c, request, number, values))

    def decide(
        self,
        number: str,
        accept: bool,
        *,
        key: str,
        actor: str,
        reason: str | None = None,
        retest_on: date | None = None,
    ) -> DecisionAnswer:
        """See `Quality.decide`."""
        later = {} if retest_on is None else {"retestOn": retest_on}  # older keys stay what they were
        request = self._request("decide", f"inspection/{number}", key, actor, accept=accept, reason=reason, **later)
        return self._once(
            request, DecisionAnswer, lambda c: inspecting.decide(c, request, number, accept, reason, retest_on)
        )

    def cancel_inspection(self, number: str, *, key: str, actor: str) -> CancelAnswer:
        """See `Quality.cancel_inspection`."""
        request = self._request("cancelInspection", f"inspection/{number}", key, actor)
        return self._once(request, CancelAnswer, lambda c: inspecting.cancel_inspection(c, request, number))

    def open_deviation(
        self,
        code: str,
        detail: str,
        lot: str | None,
        order_number: str | None,
        *,
        key: str,
        actor: str,
        equipment: str | None = None,
    ) -> DeviationAnswer:
        """See `Quality.open_deviation`."""
        about = {"production-order": order_number, "lot": lot, "equipment": equipment}
        subjects = [f"{kind}/{name}" for kind, name in about.items() if name is not None]
        if not subjects:
            raise AdapterRefused("SUBJECT_MISSING", "a deviation names a lot, an order or equipment")
        content = {"code": code, "detail": detail, "lot": lot}
        if equipment is not None:
            content["equipment"] = equipment
        request = self._request("openDeviation", subjects[0], key, actor, **content)

        def work(connection: Connection) -> Done[DeviationAnswer]:
            is_led = cases.is_led(connection)
            number = records.write_deviation(
                connection, request, code, detail, lot, order_number, equipment=equipment, has_process=is_led
            )
            news = {
                "code": code, "detail": detail, "lot": lot, "orderNumber": order_number, "equipment": equipment,
                "state": "open", "hasProcess": is_led,
            }  # fmt: skip
            entry = request.audit("deviation.opened", news, entity=f"deviation/{number}")
            return Done(DeviationAnswer(number=number, has_process=is_led), [entry])

        return self._once(request, DeviationAnswer, work)

    def settle_lot(
        self, lot: str, deviation: str, standing: str, disposition: CaseDisposition | None, *, key: str
    ) -> LotAnswer:
        """See `Quality.settle_lot`."""
        request = self._request(
            "settleLot",
            f"lot/{lot}",
            key,
            SYSTEM_ACTOR,
            deviation=deviation,
            standing=standing,
            disposition=disposition,
        )
        work = cases.settle_lot
        return self._once(request, LotAnswer, lambda c: work(c, request, lot, deviation, standing, disposition))
