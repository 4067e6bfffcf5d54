"""Labels of lots."""

from typing import Final

from fastapi import Response

from adapters.printing import label_sheet
from adapters.printing.label_sheet import Format, Symbology
from api.deps import Reading
from api.errors import not_found
from api.routing import Router
from api.shapes import Identifier
from db.queries import labels
from domain.errors import Blocker, Refused
from domain.gs1 import Gs1Refused

router = Router(prefix="/wms", tags=["labels"])
MEDIA_TYPES: Final = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


@router.get(
    "/lots/{lot}/label",
    response_class=Response,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}, "description": "The label, A6."}},
)
def label(lot: Identifier, reading: Reading, symbology: Symbology = "dataMatrix", format: Format = "svg") -> Response:
    """The label of a lot: material, lot, quantity on hand, expiry, status and plant, as text and as a GS1 symbol.

    With a GTIN the symbol holds (01), (17), (10) and the quantity (30, 310n …); a material without one has the
    company's own (91) material, (92) lot, (93) quantity, (94) unit, (95) expiry. What a GS1-128 has no room for (48
    characters) is in the text. 409 LABEL_REFUSED names every character that cannot stand in a symbol.
    """
    found = labels.of_lot(reading, lot)
    if found is None:
        raise not_found("lot", lot)
    shown, made_at = found
    try:
        content = label_sheet.draw(shown, symbology, format, made_at)
    except Gs1Refused as refused:
        raise label_refused("lot", lot, refused) from None
    return Response(content, media_type=MEDIA_TYPES[format])


def label_refused(entity: str, identity: str, refused: Gs1Refused) -> Refused:
    """409 that names everything that cannot stand in a symbol."""
    required = "1 to 20 characters of GS1 set 82 for a lot, 1 to 90 for a material code or a number"
    return Refused(tuple(
        Blocker(code="LABEL_REFUSED", entity=entity, id=identity, found=reason, required=required,
                who_can_fix="processEngineer")
        for reason in refused.reasons
    ))  # fmt: skip
