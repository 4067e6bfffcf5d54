"""A batch record as the database would give it, with everything in it that can be printed."""

import copy
from datetime import UTC, datetime
from typing import Any

from adapters.printing.port import Language, PrintJob

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
PEOPLE = {
    "olu": "Olu Operator", "ole": "Ole Operator", "sam": "Sam Supervisor", "rae": "Rae Reviewer", "quinn": "Quinn 王芳",
    "ana": "Ana Analyst", "ben": "Ben Analyst", "pia": "Pia Planner",
}  # fmt: skip


def version(number: int, text: str, by: str = "olu", minute: int = 0, **more: Any) -> dict[str, Any]:
    """One version of a value."""
    at = f"2026-11-02T06:{minute:02d}:13.250000Z"
    return {
        "version": number, "text": text, "low": "108", "high": "118", "withinLimits": True, "isWarning": False,
        "isTyped": True, "isLate": False, "measuredAt": at, "recordedBy": by, "recordedAt": at, "reason": None, **more,
    }  # fmt: skip


def value(number: str, *versions: dict[str, Any], name: str = "weight", unit: str = "mg") -> dict[str, Any]:
    """A value with its versions."""
    return {
        "number": number, "name": name, "unit": unit, "versions": list(versions), "text": versions[-1]["text"],
        "isCorrected": len(versions) > 1,
    }  # fmt: skip


def signature(signer: str, meaning: str, minute: int, entity: str = "work-order/PO-1-01") -> dict[str, Any]:
    """A signature."""
    return {
        "id": f"sig-{minute}", "signer": signer, "fullName": PEOPLE[signer], "meaning": meaning, "entity": entity,
        "signedAt": f"2026-11-02T09:{minute:02d}:30.125000Z", "contentHash": f"{minute:02d}" * 32, "commandId": "c",
    }  # fmt: skip


def operation(code: str, sequence: int, **more: Any) -> dict[str, Any]:
    """One operation of the record."""
    return {
        "code": code, "sequence": sequence, "name": code.title(), "workstation": "PRESS-1", "equipmentClass": "press",
        "room": "R-12", "instructions": [], "parameters": [], "state": "completed", "startedBy": "olu",
        "completedBy": ["olu"], "verifiedBy": None, "isVerified": False, "countsPieces": False,
        "startedAt": "2026-11-02T06:00:00Z", "endedAt": "2026-11-02T08:00:00Z", "netSeconds": 7200, "good": "0",
        "scrap": "0", "reviewBoard": "0", "job": None, "jobState": None, "yieldPercent": None, "balancePercent": None,
        "yieldLimits": [None, None], "values": [], "reports": [], "verifications": [], "comments": [], **more,
    }  # fmt: skip


def report(number: str, good: str, **more: Any) -> dict[str, Any]:
    """A production report."""
    return {
        "number": number, "good": good, "scrap": "10", "scrapReason": "dust", "reviewBoard": "0", "unit": "pcs",
        "isRework": False, "source": "person", "operator": "olu", "worker": None, "workstation": "PRESS-1",
        "labourSeconds": 3600, "reverses": None, "reportedAt": "2026-11-02T07:50:00Z", **more,
    }  # fmt: skip


def exception(identity: str, kind: str, detail: str, **more: Any) -> dict[str, Any]:
    """An exception of the record."""
    return {
        "id": identity, "type": kind, "at": "2026-11-02T06:10:00Z", "actor": "olu", "detail": detail,
        "operation": "COMPRESS", "deviation": None, "decidedBy": "rae", "decision": "print-out attached",
        "isOpen": False, **more,
    }  # fmt: skip


_PRESSING = operation(
    "COMPRESS", 20, countsPieces=True, good="980", scrap="10", yieldPercent="98.00", balancePercent="99.00",
    yieldLimits=["95", "101"], verifiedBy="ole", isVerified=True, job="PO-1-01/COMPRESS", jobState="ended",
    instructions=[
        {"number": 10, "text": {"en": "Set the press to 45 rpm.", "zh": "将压片机转速设为 45 转/分。"}},
        {"number": 20, "text": {"en": "Weigh 20 tablets every 15 minutes.", "zh": "每 15 分钟称量 20 片。"}},
    ],
    parameters=[{"name": "weight", "unit": "mg", "low": "108", "high": "118", "required": True, "target": "113",
                 "warningLow": "110", "warningHigh": "116", "secondCheck": True},
                {"name": "hardness", "unit": "N", "low": "40", "high": None, "required": True}],
    values=[
        value("V1", version(1, "113.0", checkedBy="ole", checkedAt="2026-11-02T06:05:00Z")),
        value("V2", version(1, "121.7", minute=10, withinLimits=False),
              version(2, "112.7", "ole", 12, reason="misread the balance"),
              version(3, "112.9", "olu", 14, reason="second look at the print-out")),
        value("V3", version(1, "119.5", minute=20, withinLimits=False)),
        value("V4", version(1, "116.5", minute=30, isWarning=True, isLate=True)),
    ],
    reports=[report("PO-1-01-R1", "970"), report("PO-1-01-R2", "-970", scrap="-10", reverses="PO-1-01-R1"),
             report("PO-1-01-R3", "980", source="machine")],
    verifications=[{"doneBy": ["olu"], "verifiedBy": "ole", "verifiedAt": "2026-11-02T08:01:00Z"}],
    comments=[{"number": 1, "text": "die 7 was polished\n第 7 号冲模已抛光", "writtenBy": "olu",
               "writtenAt": "2026-11-02T06:40:00Z"}],
)  # fmt: skip

_RECORD: dict[str, Any] = {
    "batch": "LOT-PO-1", "workOrder": "PO-1-01", "orderNumber": "PO-1", "plant": "P1", "product": "TAB",
    "productName": "Tablet 50 mg 片剂", "quantity": "1000", "unit": "pcs",
    "masterBatchRecord": {"product": "TAB", "version": "7", "contentHash": "ab" * 32},
    "billOfMaterialVersion": "3", "routeVersion": "4", "policy": {"code": "gmp", "version": 2}, "createdBy": "pia",
    "approvedBy": ["sam"], "startedAt": "2026-11-02T05:55:00Z", "endedAt": "2026-11-02T08:02:00Z",
    "goodQuantity": "980",
    "materials": [{"material": "API", "lot": "API-1", "operation": "MIX", "quantity": "5.0", "unit": "kg",
                   "required": "5.0", "supplier": "Supplier 供应商", "expiresOn": "2028-01-31",
                   "consumedAt": "2026-11-02T06:00:00Z"}],
    "operations": [operation("MIX", 10), _PRESSING],
    "inspection": {
        "number": "LOT-PO-1-I1", "state": "accepted", "enteredBy": "ana", "decidedBy": "ben",
        "results": [{"name": "dissolution", "text": "90.0", "unit": "%", "low": "80", "high": "110",
                     "withinLimits": True, "enteredBy": "ana", "enteredAt": "2026-11-02T08:30:00Z"}],
    },
    "inProcessInspections": [{"number": "PO-1-01-Q1", "operation": "COMPRESS", "reportNumber": "PO-1-01-R3",
                              "quantity": "980", "isOutput": True, "reportedBy": "olu", "rework": None,
                              "state": "failed", "failed": "5", "defect": "capping", "decidedBy": "ana"}],
    "reworks": [{"number": "PO-1-01-W1", "operation": "COMPRESS", "reportNumber": "PO-1-01-R3",
                 "inspection": "PO-1-01-Q1", "quantity": "5", "isOutput": True, "proposedBy": "system",
                 "state": "completed", "approvedBy": "rae", "doneBy": "ole", "good": "4", "scrap": "1"}],
    "deviations": [{"number": "PO-1-D1", "operation": "COMPRESS", "code": "OUT_OF_LIMIT",
                    "detail": "weight 119.5 mg, limits 108 … 118", "openedBy": "olu",
                    "openedAt": "2026-11-02T06:20:13Z", "decision": "tablets sorted, press adjusted",
                    "decidedBy": "rae", "decidedAt": "2026-11-02T06:35:00Z"}],
    "cases": [{"number": "PO-1-D1", "steps": [
        {"step": "proposeConclusion", "by": "olu", "at": "2026-11-02T06:30:00Z",
         "said": ["punch 3 was worn", "accept", "report 17"], "reason": None},
        {"step": "closeDeviation", "by": "rae", "at": "2026-11-02T06:35:00Z", "said": [], "reason": "seen"},
    ]}],
    "exceptions": [
        exception("1-0", "parameterOutOfLimits", "weight 119.5 mg, limits 108 … 118", deviation="PO-1-D1"),
        exception("2-0", "correctedValue", "weight V2: 121.7 → 112.7 mg"),
        exception("3-0", "comment", "die 7 was polished", decision=None, decidedBy=None, isOpen=True),
    ],
    "revision": 40, "contentHash": "cd" * 32,
    "review": {"state": "archived", "steps": [
        {"event": "issue", "state": "open", "at": "2026-11-02T05:55:00Z", "by": "system", "reason": None,
         "fields": [], "contentHash": None},
        {"event": "return", "state": "correction", "at": "2026-11-02T08:40:00Z", "by": "rae",
         "reason": "weight after adjusting is missing", "fields": ["COMPRESS/V3"], "contentHash": None},
        {"event": "approve", "state": "approved", "at": "2026-11-02T09:20:00Z", "by": "rae", "reason": None,
         "fields": [], "contentHash": "cd" * 32},
    ]},
    "release": {"certifiedBy": "quinn", "certifiedAt": "2026-11-02T09:30:00Z", "releasedBy": "sam",
                "releasedAt": "2026-11-02T09:40:00Z", "status": "released"},
    "signatures": [
        signature("sam", "approved", 0, "production-order/PO-1"), signature("sam", "reviewed", 10),
        signature("rae", "approved", 20), signature("quinn", "certified", 30), signature("sam", "released", 40),
    ],
}  # fmt: skip


def record(**changes: Any) -> dict[str, Any]:
    """A fresh copy of the record."""
    return copy.deepcopy(_RECORD) | changes


def job(document: dict[str, Any] | None = None, language: Language = "en", **more: Any) -> PrintJob:
    """The record to be printed."""
    return PrintJob(
        document=record() if document is None else document, language=language, printed_at=AT, people=PEOPLE,
        printed_by="Aud Auditor (aud)", **more,
    )  # fmt: skip
