"""The parts of the console that need no browser: fields, numbers, times, stages, who is told of what."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.concurrency import run_in_threadpool

from api.app import create_app
from api.permissions import COMMAND_ROUTES
from api.ui import refusals, said, shell
from api.ui.actions import action, safe_back
from api.ui.ask import KINDS, body_of_route, fields_of, route_of
from api.ui.audit import _read
from api.ui.board import STAGES, stage
from api.ui.forms import body_of, number
from api.ui.live import Changes, Listener
from api.ui.steps import SCREENS, step
from api.ui.svg.charts import gauge
from api.ui.words import duration, icon, inside, share, tone
from domain.states import LotStatus, OperationState, OrderState, WorkOrderState
from settings import Settings
from wording.texts import Words
from wording.values import Clock, quantity

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("12.5", "12.5"), ("１２。５", "12.5"), ("1,234.50", "1234.50"), (" 7 ", "7"), ("-0.5", "-0.5"),
        ("１，０００", "1000"), ("12.500", "12.500"), ("5 000", "5000"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_it_was_meant_and_keeps_its_decimals(typed: str, meant: str) -> None:
    assert number(typed) == meant


def test_the_name_of_a_field_says_where_its_value_goes() -> None:
    fields = [
        ("form_token", "x"), ("back", "/ui/"), ("commandId", "c1"), ("accept:bool", "false"), ("good:number", "１２"),
        ("values.0.name", "weight"), ("values.0.unit", "mg"), ("values.0.text:entry", "113.5"),
        ("values.1.name", "colour"), ("values.1.text:entry", " white "), ("values.2.name", "hardness"),
        ("values.2.text:entry", ""), ("signature.password:secret", " blank at the ends "),
        ("dueAt:time", "2026-11-27T08:30"),
        ("affected:list", "B1, B2，B3"), ("reason", "  "), ("limit:int", "5"),
    ]  # fmt: skip
    assert body_of(fields, SHANGHAI) == {
        "commandId": "c1", "accept": False, "good": "12", "dueAt": "2026-11-27T08:30:00+08:00", "limit": 5,
        "values": [{"name": "weight", "unit": "mg", "text": "113.5"}, {"name": "colour", "text": "white"}],
        "affected": ["B1", "B2", "B3"], "signature": {"password": " blank at the ends "},
    }  # fmt: skip


def test_a_time_that_is_none_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="tomorrow"):
        body_of([("dueAt:time", "tomorrow")], SHANGHAI)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=12))
def test_whatever_is_sent_is_a_body_or_a_value_error(fields: list[tuple[str, str]]) -> None:
    with suppress(ValueError):
        assert isinstance(body_of(fields, SHANGHAI), dict)


@pytest.mark.parametrize(
    ("state", "work_orders", "at"),
    [
        ("draft", ["pending"], "approve"), ("approved", ["pending"], "approve"), ("released", ["pending"], "dispatch"),
        ("released", ["dispatched"], "pick"), ("released", ["ready"], "execute"), ("inProgress", ["paused"], "execute"),
        ("inProgress", ["inspecting"], "inspect"), ("inProgress", ["puttingAway"], "putAway"),
        ("completed", ["completed"], "close"), ("inProgress", ["completed", "pending"], "dispatch"),
        ("inProgress", ["running", "pending"], "execute"), ("inProgress", ["inspecting", "running"], "execute"),
        ("held", ["running"], "execute"), ("cancelling", ["cancelled"], "approve"), ("draft", [], "approve"),
    ],
)  # fmt: skip
def test_where_an_order_stands_on_the_board(state: str, work_orders: list[str], at: str) -> None:
    assert stage(state, work_orders) == at


@given(st.sampled_from(OrderState), st.lists(st.sampled_from(WorkOrderState), max_size=5))
def test_every_order_stands_somewhere(state: OrderState, work_orders: list[WorkOrderState]) -> None:
    assert stage(state, work_orders) in STAGES


def test_every_state_has_a_colour_and_an_icon() -> None:
    for state in (*OrderState, *WorkOrderState, *OperationState, *LotStatus):
        assert tone(state) in ("ready", "running", "hold", "bad", "done")
        assert icon(state)
    assert {tone(LotStatus.REJECTED), tone(LotStatus.EXPIRED), tone(LotStatus.RECALLED)} == {"bad"}


@pytest.mark.parametrize(
    ("value", "text"),
    [("951360", "951,360"), ("12.500", "12.5"), (Decimal("0.000"), "0"), ("100", "100"), ("", ""), (None, ""),
     ("NaN", "NaN"), ("white", "white"), ("-1234.5", "-1,234.5"), ("0.000000001", "0.000000001")],
)  # fmt: skip
def test_a_quantity_can_be_read(value: Any, text: str) -> None:
    assert quantity(value) == text


def test_shares_stay_between_nothing_and_all() -> None:
    assert [share(50, 200), share(300, 200), share(1, 0), share("x", 5), share(-5, 10)] == [25.0, 100.0, 0.0, 0.0, 0.0]
    assert [duration(0), duration(75), duration(3725)] == ["0:00 min", "1:15 min", "1:02 h"]


def test_times_are_those_of_the_plant() -> None:
    clock = Clock("Asia/Shanghai")
    assert clock.exact("2026-11-27T16:30:00Z") == "2026-11-28 00:30:00 +0800"
    assert clock.field("2026-11-27T16:30:00Z") == "2026-11-28T00:30"
    assert clock.short("2001-01-01T00:00:00Z") == "2001-01-01"
    assert (clock.short(None), clock.age(None), clock.is_past(None)) == ("", "", False)
    assert clock.is_past("2001-01-01T00:00:00Z")
    assert (clock.offset(), clock.today()) == ("UTC+08:00", clock.now().astimezone(clock.zone).date().isoformat())
    assert clock.stamp("2026-11-27T06:05:09Z") == "11-27 14:05 +0800"
    hour_ago = clock.now() - timedelta(hours=1, minutes=5)
    assert clock.age(hour_ago) == "1 h"
    assert Clock("Asia/Shanghai", Words("zh")).age(hour_ago) == "1 小时"


def test_limits_are_never_shown_wider_than_they_are() -> None:
    low, high = inside("50.658434", "51.167566", "50.913")
    assert (str(low), str(high)) == ("50.659", "51.167")
    assert inside("49.75", "50.25", "50") == (Decimal("49.75"), Decimal("50.25"))
    assert inside(None, "1", "2") == (None, "1")


def test_a_thing_with_its_state_is_said_in_chinese() -> None:
    assert refusals.text(Words("zh"), "MIX (held), PRESS (ready)") == "MIX（冻结）、PRESS（就绪）"
    assert refusals.text(Words("zh"), "what somebody wrote (twice)") == "what somebody wrote (twice)"


def test_the_sentence_of_an_audit_entry_is_cut_at_the_record_and_not_at_the_person() -> None:
    entry = {"actor": "rae", "entity": "user/rae", "action": "user.login", "old": None, "new": None}
    row = _read(entry | {"text": {"en": "Rae (rae) logged in: account rae.", "zh": "Rae (rae)登录。"}})
    assert row["before"] == {"en": "Rae (rae) logged in: account ", "zh": None}


def test_yes_and_no_and_ways_are_said() -> None:
    zh = Words("zh")
    assert [said.value(zh, "isGiven", text) for text in ("true", "false")] == ["是", "否"]
    assert [said.value(zh, name, text) for name, text in (("direction", "both"), ("origin", "produced"))] == [
        "双向",
        "生产",
    ]


def test_the_form_of_a_command_asks_for_what_its_route_takes_and_nothing_else() -> None:
    nothing = Settings(database_url="postgresql://", database_owner_url="postgresql://", temporal_address="x:1")
    app = create_app(nothing)
    lists = {
        "recordParameters", "enterInspectionResults", "returnMaterials", "splitOrder", "chooseLots", "countMaterials",
    }  # fmt: skip
    with_a_route = {kind.kind_name() for kind in COMMAND_ROUTES.values()} - lists
    for name in sorted(with_a_route):
        taken, required = body_of_route(app, name)
        asked = {one.name.partition(":")[0] for one in fields_of(name)}
        assert required - {"commandId", "reason", "workOrderId", "operation"} <= asked, name
        assert "commandId" in taken, name
    assert "corrections" not in body_of_route(app, "correctParameter")[0]


def test_every_command_leads_somewhere() -> None:
    for name in KINDS:
        found = step(name, "PO-1-01/MIX", "PO-1")
        assert found.href or found.path
        if found.path:
            assert "{" not in found.path
            assert action(found.path)[0] == name
    assert set(SCREENS) <= set(KINDS)
    assert action(route_of("approveOrder").format(order_id="x")) == ("approveOrder", None)


@pytest.mark.parametrize(
    "elsewhere",
    ["", "https://example.org", "//example.org", "/uix", "/api/v1/orders", "/ui/\\x", None, "/ui/\nset-cookie: a"],
)
def test_the_way_back_stays_in_the_console(elsewhere: object) -> None:
    assert safe_back(elsewhere) == "/ui/"


def test_a_page_is_told_of_what_it_shows_and_of_nothing_else() -> None:
    changes = Changes("")
    topics: list[frozenset[str]] = [frozenset({"work-order"}), frozenset({"PO-1"}), frozenset()]
    heard: list[list[bool]] = []
    for payload in ("work-order/PO-2-01", "production-order/PO-1 lot/L1", "lot/L9", "*", None):
        with changes.listen(topics[0]) as a, changes.listen(topics[1]) as b, changes.listen(topics[2]) as c:
            changes.tell(payload)
            heard.append([one.changed.is_set() for one in (a, b, c)])
    assert heard == [[True, False, True], [False, True, True], [False, False, True], [True] * 3, [True] * 3]
    assert changes.sequence == 5
    assert not Listener(frozenset({"PO-1"})).is_about("production-order/PO-2")


def test_a_gauge_shows_the_limits_there_are() -> None:
    assert gauge(None, None) == ""
    assert 'x="20.0" width="60.0"' in gauge("108", "118")
    assert 'x="20.0" width="80.0"' in gauge("0", None)
    assert 'x1="50.0"' in gauge("100", "120", "110")
    assert "script" not in gauge("1", "2", None)


def test_the_scripts_of_a_page_come_as_one_and_every_part_is_in_it() -> None:
    bundle = shell.content_of("console.js")
    apart = {path.name for path in shell.STATIC.glob("*.js")} - {"worker.js", "andon.js"}
    assert apart == set(shell.BUNDLES["console.js"])
    assert all((shell.STATIC / name).read_bytes() in bundle for name in apart)
    with pytest.raises(FileNotFoundError):
        shell.content_of("../shell.py")


async def test_what_pages_share_is_made_once_per_change_also_when_they_ask_at_the_same_time() -> None:
    changes, made = Changes(""), list[int]()
    changes.listening.set()

    async def make() -> int:
        await asyncio.sleep(0)
        made.append(len(made))
        return made[-1]

    assert await asyncio.gather(*(changes.once("k", make) for _ in range(5))) == [0] * 5
    changes.tell("work-order/1")
    assert [await changes.once("k", make), await changes.once("k", make)] == [1, 1]

    async def overtaken() -> int:
        changes.tell("work-order/1")
        return await make()

    changes.tell("work-order/1")
    found = [await changes.once("k", overtaken), await changes.once("k", make)]
    assert found == [2, 3], "what was made before the change may not know of it"

    async def in_a_thread() -> int:
        return await run_in_threadpool(lambda: 100 + len(made))

    assert await asyncio.gather(*(changes.once("t", in_a_thread) for _ in range(2))) == [104, 104]
    assert await changes.once("k", make) == 3, "a key has its own"

    async def fail() -> int:
        raise ValueError

    changes.tell("work-order/1")
    with pytest.raises(ValueError):  # noqa: PT011 its own
        await changes.once("k", fail)
    assert await changes.once("k", make) == 4, "what could not be made is tried again"
    changes.listening.clear()
    assert [await changes.once("k", make), await changes.once("k", make)] == [5, 6], "nobody listens: nothing is kept"
