"""Lot numbers: the next one of a pattern, and what a number says."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from fastapi import Depends
from pydantic import Field, model_validator

from api import lot_numbers
from api.deps import Caller, Reading, only
from api.routing import Router
from api.shapes import Body, Code, Identifier
from domain.numbering import Parts

router = Router(prefix="/mes/traceabilities", tags=["lot numbers"])
Numbering = Annotated[
    Caller,
    Depends(only("generateNumber", "number-series")),
]


class NumberBody(Body):
    """Whose number is wanted: that of a plant and kind by its pattern (`plant`, `kind`), or of a pattern of one's own.

    `line`, `process` and `date` (today in UTC when it is not given) are the parts that the plant's pattern asks for;
    those that it does not write are left out. `pattern` is a code (`B` gives `B26000001`), or text with `{seq:6}`,
    `{yyyy}`, `{yy}`, `{mm}`, `{dd}`. With a `commandId` the same request gives the same number again.
    """

    pattern: (
        Annotated[str, Field(min_length=1, max_length=60, pattern=r"^([\w./-]|\{(seq(:\d{1,2})?|yyyy|yy|mm|dd)\})+$")]
        | None
    ) = None
    plant: Identifier | None = None
    kind: Literal["raw", "semiFinished", "finished"] | None = None
    line: Code | None = None
    process: Code | None = None
    day: date | None = Field(default=None, alias="date")
    command_id: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[!-~]+$")] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.pattern is None) == (self.kind is None) or (self.kind is not None and self.plant is None):
            raise ValueError("either plant and kind are needed, or a pattern")
        return self


@router.post("/generate-batch-no")
def generate(body: NumberBody, who: Numbering) -> dict[str, Any]:
    """The next lot number: `{batchNo}`, by a plant's pattern also `{plant, kind, version, pattern, parts}`.

    A number that was given, or that a lot, work order or plan line has, is never given again. Without the parts that
    the pattern writes it is 422 PARTS_REFUSED; 409 NO_PATTERN and SERIES_EXHAUSTED need a process engineer.
    """
    if body.kind is not None and body.plant is not None:
        parts = Parts(1, body.day, body.line, body.process)
        number = lot_numbers.of_plant(who, body.plant, body.kind, parts, body.command_id)
        return number.model_dump(mode="json", by_alias=True)
    text = body.pattern or ""
    pattern = text if "{seq" in text else f"{text}{{yy}}{{seq:6}}"
    return {"batchNo": lot_numbers.of_text(who, pattern, body.command_id)}


@router.get("/parse-batch-no")
def parse(number: Identifier, reading: Reading, plant: Identifier | None = None) -> dict[str, Any]:
    """What a lot number says: `{batchNo, plant, kind, version, pattern, parts, given, givenBy, givenAt}`.

    404 NO_PATTERN_MATCHES when it has the form of no pattern (of the plant); 422 NUMBER_WRONG when only its date,
    running number or check character is wrong, NUMBER_AMBIGUOUS when several plants could have given it.
    """
    return dict(lot_numbers.parse(reading, number, plant))
