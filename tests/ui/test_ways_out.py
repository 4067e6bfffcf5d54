"""A refusal leads to the place where somebody can mend it, and is said in one language."""

import pytest

from api.ui import refusals
from api.ui.ways_out import Place, way_out
from wording.texts import Words

PLACE = Place("11111111-1111-1111-1111-111111111111", "COAT", "FCT-1", "TABLET-1")
ITEMS = "room empty, swept / 室内已清空，已清扫, nozzles free / 喷枪畅通"


@pytest.mark.parametrize(
    ("code", "entity", "named", "way"),
    [
        ("CLEARANCE_MISSING", "room", "C-108", "/ui/line-clearances?room=C-108&batch=FCT-1&product=TABLET-1"
         "&operation=COAT&work_order=11111111-1111-1111-1111-111111111111"),
        ("TRAINING_MISSING", "user", "olga o", "/ui/training?person=olga+o"),
        ("LOT_NOT_RELEASED", "lot", "API/5&2", "/ui/scan?code=API%2F5%262"),
        ("NOT_CLEAN", "equipment", "COATER-1", "/ui/scan?code=COATER-1"),
        ("INVALID_TRANSITION", "operation", "WO-1/COAT", ""),
        ("LOT_NOT_RELEASED", "lot", "", ""),
    ],
)  # fmt: skip
def test_a_blocker_leads_to_where_it_is_mended(code: str, entity: str, named: str, way: str) -> None:
    assert way_out({"code": code, "entity": entity, "id": named}, PLACE) == way


def test_without_an_operation_a_missing_clearance_leads_to_its_room() -> None:
    assert way_out({"code": "CLEARANCE_MISSING", "entity": "room", "id": "C-108"}) == "/ui/scan?code=C-108"


@pytest.mark.parametrize(
    ("said", "english", "chinese"),
    [
        ("sieve whole / 筛网完好", "sieve whole", "筛网完好"),
        (ITEMS, "room empty, swept, nozzles free", "室内已清空，已清扫, 喷枪畅通"),
        (f"no clearance; missing: {ITEMS}", "no clearance; missing: room empty, swept, nozzles free",
         "no clearance; missing: 室内已清空，已清扫, 喷枪畅通"),
        ("5 / 10 pieces", "5 / 10 pieces", "5 / 10 pieces"),
        ("3 of 4", "3 of 4", "3 of 4"),
    ],
)  # fmt: skip
def test_a_text_in_two_languages_is_read_in_one(said: str, english: str, chinese: str) -> None:
    assert refusals.own(Words("en"), said) == english
    assert refusals.own(Words("zh"), said) == chinese
