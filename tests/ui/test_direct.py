"""The forms of direct actions: each leads to a route of its own permission, and everything on it has a word."""

import re

from api.permissions import DIRECT_ROUTES
from api.roles import Role
from api.ui.direct import ACTS
from api.ui.equipment import ACTIVITIES, AXES, possible
from domain.equipment import Activity, Item
from domain.equipment_states import AVAILABILITY, CALIBRATION, CLEANING, QUALIFICATION
from wording.texts import texts

FILLED = re.compile(r"\{\w+\}")


def test_every_form_leads_to_a_route_that_asks_for_the_same_permission() -> None:
    routes = {FILLED.sub("0", route.removeprefix("POST ")): action for route, action in DIRECT_ROUTES.items()}
    for name, act in ACTS.items():
        found = {action for path, action in routes.items() if re.fullmatch(act.path, path)}
        assert found == {act.action}, name


def test_every_form_has_its_words() -> None:
    known = texts("zh")
    needed = {f"act.{name}" for name in ACTS}
    for name, act in ACTS.items():
        for field in act.fields:
            bare = field.name.partition(":")[0]
            needed |= {f"field.{bare}"} if f"field.{name}.{bare}" not in known else set()
            group = f"choice.{name}" if any(key.startswith(f"choice.{name}.") for key in known) else "choice"
            group = "zone" if field.kind == "place" else group
            needed |= {f"{group}.{option}" for option in field.options if option not in set(Role)}
    assert sorted(needed - known.keys()) == []


def test_every_state_of_the_four_axes_and_every_activity_has_a_word() -> None:
    known = texts("zh")
    needed = {f"field.{axis}" for axis in AXES} | {f"activity.{one}" for one in Activity}
    for machine in (AVAILABILITY, CALIBRATION, CLEANING, QUALIFICATION):
        needed |= {f"axis.{state}" for state, _ in machine.transitions} | {
            f"axis.{to}" for to in machine.transitions.values()
        }
    assert sorted(needed - known.keys()) == []
    assert set(ACTIVITIES) == set(Activity)


def test_what_is_offered_is_what_the_axes_allow() -> None:
    new = Item(code="M", name="M", equipment_class="C")
    everything = ["clean", "calibrate", "startMaintenance", "reportFault", "reserve", "qualify", "retire"]
    assert possible(new) == everything
    used = new.model_copy(update={"batch": "B-1", "work_order": "W", "cleaning": "inUse", "availability": "inUse"})
    assert {"clean", "calibrate", "reserve"}.isdisjoint(possible(used))
    assert "reportFault" in possible(used)
    waiting = new.model_copy(update={"cleaning": "cleaning", "calibration": "performed"})
    assert possible(waiting)[:2] == ["verifyCleaning", "reviewCalibration"]
    led = new.model_copy(update={"availability": "down", "maintenance_order": "M-M1"})
    assert {"startMaintenance", "returnToService"}.isdisjoint(possible(led))
    room = possible(new.model_copy(update={"kind": "room"}))
    assert "reserve" not in room
    assert room[0] == "cleanRoom"  # which asks about what stands in it, too
