"""Plan lines as a file: what is read, and where it says that something is wrong. Pure: no server."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import plan_file
from api.planning import PlanLineBody

HEADING = "reference,product,quantity,unit,policy,plant"
LINE = "R,TAB,1,pcs,gmp,p"

_words = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cs"]),
    min_size=1,
    max_size=12,
)
_texts = st.builds(
    lambda a, gap, b: a + gap + b, _words, st.sampled_from([" ", ",", ";", '"', '","', "\r", "'"]), _words
)
_times = st.integers(0, 6_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_lines = st.builds(
    PlanLineBody,
    reference=_texts,
    product=_texts,
    quantity=st.decimals("0.001", "1000000", places=3),
    unit=_words,
    policy=_texts,
    plant=_texts,
    due_at=st.none() | _times,
    batch_number=st.none() | _texts,
    fixed_lots=st.none() | st.dictionaries(_texts, st.lists(_texts, max_size=2), max_size=2),
    order_number=st.none() | st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True),
)


@given(st.lists(_lines, min_size=1, max_size=4))
def test_what_is_written_is_read_back(lines: list[PlanLineBody]) -> None:
    read = plan_file.read(plan_file.written(lines).encode())
    assert read.faults == ()
    assert [own.body for own in read.placed] == lines


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"{HEADING}\n{text}".encode()))
def test_anything_at_all_is_read_or_told(content: bytes) -> None:
    read = plan_file.read(content)
    assert read.placed or read.faults
    last = content.count(b"\n") + content.count(b"\r") + 1
    assert all(1 <= fault.line <= last for fault in read.faults)


@pytest.mark.parametrize("before", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write(before: str, separator: str, end: str) -> None:
    rows = [
        "Reference,PRODUCT,quantity,unit,policy,plant,Due at,order_number",
        "",
        "R,TAB,1.50,pcs,gmp,Görlitz,,",
        ",,,,,,,",
    ]
    text = before + end.join(row.replace(",", separator) for row in rows) + end
    (placed,) = plan_file.read(text.encode()).placed
    assert (placed.line, placed.body.quantity, placed.body.plant) == (3, Decimal("1.50"), "Görlitz")
    assert (placed.body.due_at, placed.body.order_number) == (None, None)


def test_the_template_is_a_heading_that_is_taken() -> None:
    for separator in ",;":
        text = plan_file.template(separator)
        row = [
            dict(zip(HEADING.split(","), LINE.split(","), strict=True)).get(column, "") for column in plan_file.COLUMNS
        ]
        assert plan_file.read((text + separator.join(row)).encode()).faults == ()


def test_a_date_is_the_end_of_its_day() -> None:
    read = plan_file.read(f"{HEADING},dueAt\n{LINE},2026-12-31\n{LINE},2026-12-31T14:00:00+08:00".encode())
    times = [own.body.due_at for own in read.placed]
    assert times[0] == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert times[1] == datetime(2026, 12, 31, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ("quantity=0", "quantity", "QUANTITY_NOT_POSITIVE"), ("quantity=-2", "quantity", "QUANTITY_NOT_POSITIVE"),
        ("quantity=1,5", "quantity", "INVALID_VALUE"), ("quantity=1e3", "quantity", "INVALID_VALUE"),
        ("quantity=", "quantity", "VALUE_MISSING"), ("dueAt=31.12.2026", "dueAt", "INVALID_DATE"),
        ("dueAt=2026-02-30", "dueAt", "INVALID_DATE"), ("dueAt=20261231", "dueAt", "INVALID_DATE"),
        ("dueAt=2026-12-31T10:00:00", "dueAt", "INVALID_DATE"), ("orderNumber=a/b", "orderNumber", "INVALID_VALUE"),
        ("fixedLots=A-1", "fixedLots", "INVALID_VALUE"), ('fixedLots={"A": [1, 2]}', "fixedLots", "INVALID_VALUE"),
        ("plant=a\x00b", "plant", "INVALID_VALUE"), ("reference=" + "x" * 81, "reference", "INVALID_VALUE"),
    ],
)  # fmt: skip
def test_a_bad_cell_is_named_with_line_and_column(cells: str, column: str, code: str) -> None:
    good = dict(zip(HEADING.split(","), LINE.split(","), strict=True))
    name, _, value = cells.partition("=")
    bad = good | {name: value}
    rows = [
        ";".join(bad),
        ";".join(good.get(key, "") for key in bad),
        ";".join(f'"{v}"'.replace('{"', '{""').replace('":', '"":') for v in bad.values()),
    ]
    read = plan_file.read("\n".join(rows).encode())
    assert [(fault.line, fault.column, fault.code) for fault in read.faults] == [(3, column, code)]
    assert [own.line for own in read.placed] == [2]


@pytest.mark.parametrize(
    ("content", "line", "code"),
    [
        (b"", 1, "NO_LINES"), (b"\n \n", 1, "NO_LINES"), (HEADING.encode(), 1, "NO_LINES"),
        (f"{HEADING}\n{LINE}\n\xe4".encode("latin-1"), 3, "NOT_UTF8"),
        (f'{HEADING}\n{LINE}\n"R'.encode(), 3, "NOT_CSV"),
        (f"{HEADING}\n{LINE},x".encode(), 2, "WRONG_NUMBER_OF_CELLS"),
        (f"{HEADING},colour\n{LINE},x".encode(), 1, "UNKNOWN_COLUMN"),
        (f"{HEADING},plant\n{LINE},x".encode(), 1, "COLUMN_TWICE"),
        (HEADING.replace(",unit", "").encode(), 1, "MISSING_COLUMN"),
        ((HEADING + f"\n{LINE}" * 5001).encode(), 1, "TOO_MANY_LINES"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(content: bytes, line: int, code: str) -> None:
    read = plan_file.read(content)
    assert [(fault.line, fault.code) for fault in read.faults] == [(line, code)]


def test_a_cell_of_several_lines_counts_as_its_first() -> None:
    read = plan_file.read(f'{HEADING}\n"a\nb",TAB,1,pcs,gmp,p\nR,TAB,0,pcs,gmp,p'.encode())
    assert [(fault.line, fault.column) for fault in read.faults] == [(2, "reference"), (4, "quantity")]
