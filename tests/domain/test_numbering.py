"""Numbers of lots: what a pattern makes, it reads back; what could be read in two ways is refused."""

import re
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.numbering import (
    CODES,
    NotOfPattern,
    NumberWrong,
    Parts,
    PartsRefused,
    Pattern,
    PatternRefused,
    check_character,
    compile_pattern,
    overlap,
)

FORMATS = ("yyyyMMdd", "yyMMdd", "yyyyDDD", "yyDDD", "yyyyMM", "yyMM", "yyyy", "yy")
CODE = "".join(sorted(CODES))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """What a plant might write: a running number, other parts in any order, literals before, between and after."""
    names = draw(st.permutations(["seq", *draw(st.sets(st.sampled_from(["date", "line", "process"])))]))
    literal = st.text("AFb7.-_", max_size=2)
    text = draw(literal)
    for name in names:
        low, more = draw(st.integers(1, 3)), draw(st.integers(0, 2))
        match name:
            case "date":
                form = draw(st.sampled_from(FORMATS))
            case "seq":
                form = str(low + more)
            case _:
                form = f"{low}-{low + more}" if more else str(low)
        text += f"{{{name}:{form}}}" + draw(literal)
    return text + draw(st.sampled_from(["", "{check}"]))


@st.composite
def accepted(draw: st.DrawFn) -> Pattern:
    """A pattern that is accepted."""
    try:
        return compile_pattern(draw(texts()))
    except PatternRefused:
        assume(False)
        raise


@st.composite
def parts_of(draw: st.DrawFn, pattern: Pattern) -> Parts:
    """Parts that the pattern can hold."""
    widths = {token.name: (token.low, token.high) for token in pattern.tokens}

    def code(name: str) -> str | None:
        return draw(st.text(CODE, min_size=widths[name][0], max_size=widths[name][1])) if name in widths else None

    day = draw(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
    sequence = draw(st.integers(1, pattern.largest))
    return Parts(sequence, pattern.period(day), code("line"), code("process"))


@pytest.mark.accepts("D1")
@given(st.data())
def test_what_was_made_is_parsed_back(data: st.DataObject) -> None:
    pattern = data.draw(accepted())
    parts = data.draw(parts_of(pattern))
    number = pattern.make(parts)
    assert len(number) <= 20
    assert pattern.parse(number) == parts
    assert pattern.make(pattern.parse(number)) == number


@pytest.mark.accepts("D1")
@given(st.data())
def test_two_numbers_of_one_pattern_have_different_parts(data: st.DataObject) -> None:
    pattern = data.draw(accepted())
    one, other = data.draw(parts_of(pattern)), data.draw(parts_of(pattern))
    assert (pattern.make(one) == pattern.make(other)) == (one == other)


def test_a_number_of_a_plant() -> None:
    pattern = compile_pattern("F{date:yyMMdd}-{line:1-3}-{process:2}-{seq:4}")
    parts = Parts(17, date(2026, 11, 25), "L3", "CO")
    assert pattern.make(parts) == "F261125-L3-CO-0017"
    assert pattern.parse("F261125-L3-CO-0017") == parts
    assert pattern.series(parts) == "F261125-L3-CO-{seq}"
    assert compile_pattern("{date:yyyyDDD}.{seq:2}").parse("2024366.01").day == date(2024, 12, 31)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("R{line:1-3}{process:1-2}-{seq:4}", "can be read in two ways: give {line}, {process} one width"),
        ("{line:1-2}{process:1-2}{seq:2}{check}", "can be read in two ways"),
        ("{line:1-2}X{process:1-2}-{seq:2}", "can be read in two ways"),
        ("R{date:yyMMdd}", "there is no {seq"),
        ("R{seq:2}-{seq:3}", "{seq} stands more than once"),
        ("R{seq}", "{seq:4}"),
        ("R{seq:2-4}", "needs a width"),
        ("R{line:3-1}-{seq:2}", "needs a width"),
        ("R{date:ddMMyy}{seq:4}", "no known format"),
        ("R{check}{seq:4}", "has to be the last part"),
        ("R{shift:1}{seq:4}", "is no part"),
        ("R {seq:4}", "' ' cannot stand"),
        ("R/{seq:4}", "'/' cannot stand"),
        ("批{seq:4}", "'批' cannot stand"),
        ("R{seq:4", "'{' cannot stand"),
        ("LOT-{date:yyyyMMdd}-{line:2}-{seq:6}", "22 characters"),
    ],
)
def test_patterns_that_do_not_work_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(PatternRefused) as refused:
        compile_pattern(text)
    assert reason in "; ".join(refused.value.reasons)


def test_everything_that_is_wrong_with_a_pattern_is_named_at_once() -> None:
    with pytest.raises(PatternRefused) as refused:
        compile_pattern("R {line:1-2}{date:x}{process}{line:2}")
    assert len(refused.value.reasons) == 5


def test_a_separator_or_the_end_makes_it_clear() -> None:
    for text in (
        "{seq:3}{line:1-3}",
        "{line:1-3}-{seq:3}",
        "{line:1-3}.{process:1-2}_{seq:1}{check}",
        "{line:2}{seq:1}",
    ):
        compile_pattern(text)


# GRid Standard v2.1 gives A1-2425G-ABC1234002 the check character M.
def test_the_check_character_is_that_of_iso_7064() -> None:
    assert check_character("A1-2425G-ABC1234002-") == "M"


@given(st.data())
def test_one_wrong_character_is_noticed(data: st.DataObject) -> None:
    pattern = compile_pattern("R{line:3}{seq:5}{check}")
    number = pattern.make(data.draw(parts_of(pattern)))
    at = data.draw(st.integers(1, len(number) - 1))
    other = data.draw(st.sampled_from("0123456789" if 4 <= at <= 8 else CODE))
    assume(other != number[at])
    with pytest.raises(NumberWrong):
        pattern.parse(number[:at] + other + number[at + 1 :])


def test_dates_that_are_none_are_refused() -> None:
    pattern = compile_pattern("R{date:yyMMdd}{seq:2}")
    for number in ("R26023001", "R26130101", "R26010001"):
        with pytest.raises(NumberWrong, match="is no date"):
            pattern.parse(number)
    with pytest.raises(NumberWrong, match="is no date"):
        compile_pattern("R{date:yyDDD}{seq:2}").parse("R2636601")
    with pytest.raises(NumberWrong, match="running number"):
        pattern.parse("R26010100")
    for number in ("R260101", "X26010101", "R2601011", "R26010101 ", "R26010101\n", "R٢٦٠١٠١01"):
        with pytest.raises(NotOfPattern):
            pattern.parse(number)


def test_all_parts_that_are_wrong_are_named() -> None:
    pattern = compile_pattern("{date:yyMM}{line:2}{seq:2}")
    with pytest.raises(PartsRefused) as refused:
        pattern.make(Parts(100, None, "l1", "P"))
    assert [part for part, _ in refused.value.reasons] == ["date", "line", "seq", "process"]
    with pytest.raises(PartsRefused, match="two digits"):
        pattern.make(Parts(1, date(1999, 1, 1), "L1"))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("R{seq:4}", "F{seq:4}", False),
        ("R{seq:4}", "R{seq:5}", False),
        ("R{seq:4}", "R{date:yy}{seq:2}", True),
        ("{line:1-3}-{seq:2}", "AB-{seq:2}", True),
        ("{line:1-3}-{seq:2}", "ABCD-{seq:2}", False),
        ("{seq:2}{line:1-3}", "{seq:4}{check}", True),
    ],
)
def test_patterns_that_share_a_number_are_found(one: str, other: str, both: bool) -> None:
    shared = overlap(compile_pattern(one), compile_pattern(other))
    assert (shared is not None) == both


@given(st.data())
def test_patterns_without_an_overlap_never_share_a_number(data: st.DataObject) -> None:
    one, other = compile_or_none(data.draw(texts())), compile_or_none(data.draw(texts()))
    assume(one is not None and other is not None)
    assert one is not None
    assert other is not None
    number = one.make(data.draw(parts_of(one)))
    try:
        other.parse(number)
    except (NotOfPattern, NumberWrong):
        return
    assert overlap(one, other) is not None


@given(texts())
def test_only_what_really_has_two_readings_is_called_ambiguous(text: str) -> None:
    try:
        compile_pattern(text)
    except PatternRefused as refused:
        shown = [reason.split()[0] for reason in refused.reasons if "in two ways" in reason]
        assert all(len(readings(text, number)) > 1 for number in shown)


def readings(text: str, number: str) -> list[tuple[str, ...]]:
    """Every way to cut a number into the pieces of a pattern, found by trying all widths."""
    found: list[tuple[list[str], str]] = [([], number)]
    for piece in re.findall(r"\{[^}]*\}|.", text):
        name, _, form = piece.strip("{}").partition(":")
        low, _, high = form.partition("-") if name in ("line", "process", "seq") else (str(len(form) or 1), "", "")
        longer = []
        for cut, rest in found:
            for width in range(int(low), int(high or low) + 1):
                taken = rest[:width]
                fits = taken == piece if not piece.startswith("{") else set(taken) <= CODES
                if len(taken) == width and fits and (name not in ("seq", "date") or taken.isdigit()):
                    longer.append(([*cut, taken], rest[width:]))
        found = longer
    return [tuple(cut) for cut, rest in found if not rest]


def compile_or_none(text: str) -> Pattern | None:
    """The pattern, if it is accepted."""
    try:
        return compile_pattern(text)
    except PatternRefused:
        return None
