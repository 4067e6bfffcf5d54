"""Numbers of lots by a pattern that a plant has chosen, made from their parts and parsed back into them.

A pattern is text with parts in braces, such as `F{date:yyMMdd}-{line:1-3}-{process:2}-{seq:4}{check}`:

| part | holds |
|---|---|
| `{date:F}` | when it was made; `F` is yyyyMMdd, yyMMdd, yyyyDDD, yyDDD (day of the year), yyyyMM, yyMM, yyyy or yy |
| `{line:W}`, `{process:W}` | a code of `A-Z` and `0-9`; `W` is its exact width, `2`, or its bounds, `1-3` |
| `{seq:W}` | the running number, `W` digits |
| `{check}` | one check character over all letters and digits before it, ISO 7064 Mod 37,36; always last |

A pattern is accepted only if every number of it has one reading, fits AI (10) of GS1 (20 characters) and can stand in
an address: `compile_pattern` refuses the others and says why.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

LONGEST: Final = 20
"""Characters of a lot number on a label: AI (10), GS1 General Specifications."""
DIGITS: Final = frozenset("0123456789")
CODES: Final = DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TOKEN: Final = re.compile(r"\{([a-z]+)(?::([A-Za-z0-9-]+))?\}|([A-Za-z0-9._-])|(.)", re.DOTALL)
_WIDTH: Final = re.compile(r"([1-9]\d?)(?:-([1-9]\d?))?")
_FORMATS: Final = {
    "yyyyMMdd": "%Y%m%d", "yyMMdd": "%y%m%d", "yyyyDDD": "%Y%j", "yyDDD": "%y%j",
    "yyyyMM": "%Y%m", "yyMM": "%y%m", "yyyy": "%Y", "yy": "%y",
}  # fmt: skip
_FIELD: Final = re.compile(r"yyyy|yy|MM|dd|DDD")
CENTURY: Final = 2000
"""Two digits of a year mean a year of this century."""


class PatternRefused(ValueError):
    """The pattern cannot be used; `reasons` says everything that is wrong with it."""

    def __init__(self, pattern: str, reasons: Sequence[str]) -> None:
        super().__init__(f"{pattern}: {'; '.join(reasons)}")
        self.pattern, self.reasons = pattern, tuple(reasons)


class PartsRefused(ValueError):
    """The parts make no number of the pattern; `reasons` says everything that is wrong, by part."""

    def __init__(self, reasons: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{part}: {reason}" for part, reason in reasons))
        self.reasons = tuple(reasons)


class NotOfPattern(ValueError):
    """The text has another shape than numbers of the pattern."""


class NumberWrong(ValueError):
    """The text has the shape of the pattern, but a date that is none, or a check character that does not fit."""


@dataclass(frozen=True)
class Parts:
    """What a number says. A part that the pattern does not have is none; `sequence` starts with 1.

    `day` is the first one of what the pattern tells: of the month for `yyMM`, of the year for `yyyy`.
    """

    sequence: int
    day: date | None = None
    line: str | None = None
    process: str | None = None


class Token(NamedTuple):
    """One piece of a pattern: a literal character (`name` is empty), or a part, `low` to `high` characters wide."""

    name: str
    characters: frozenset[str]
    low: int
    high: int
    form: str = ""


@dataclass(frozen=True)
class Pattern:
    """A pattern that was accepted."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of its parts, in order."""
        return tuple(token.name for token in self.tokens if token.name)

    @property
    def largest(self) -> int:
        """The largest running number."""
        return int("9" * next(token.high for token in self.tokens if token.name == "seq"))

    def period(self, day: date) -> date | None:
        """The first day of the period that the pattern's date tells apart; none when it has no date."""
        form = next((token.form for token in self.tokens if token.name == "date"), None)
        if form is None:
            return None
        if "dd" in form or "DDD" in form:
            return day
        return day.replace(day=1) if "MM" in form else day.replace(month=1, day=1)

    def faults(self, parts: Parts) -> list[tuple[str, str]]:
        """Everything that keeps these parts from making a number: (part, reason)."""
        found = [fault for token in self.tokens if token.name for fault in _faults(token, parts)]
        return found + [
            (name, "the pattern has no such part")
            for name, value in (("date", parts.day), ("line", parts.line), ("process", parts.process))
            if value is not None and name not in self.parts
        ]

    def series(self, parts: Parts) -> str:
        """The number with `{seq}` and `{check}` left open: all numbers that differ only there share one series."""
        return "".join(_written(token, parts) for token in self.tokens)

    def make(self, parts: Parts) -> str:
        """The number of these parts. Raises `PartsRefused` with everything that is wrong."""
        if faults := self.faults(parts):
            raise PartsRefused(faults)
        width = next(token.high for token in self.tokens if token.name == "seq")
        number = self.series(parts).replace("{seq}", str(parts.sequence).zfill(width))
        return number.replace("{check}", check_character(number.removesuffix("{check}")))

    def example(self, day: date) -> str:
        """A number as the pattern writes it on a day, with made-up codes."""
        codes = {
            token.name: ("L1" if token.name == "line" else "P1").ljust(token.low, "0")[: token.high]
            for token in self.tokens
            if token.name in ("line", "process")
        }
        return self.make(Parts(1, self.period(day), codes.get("line"), codes.get("process")))

    def parse(self, number: str) -> Parts:
        """The parts of a number: `parse(make(parts)) == parts`. Raises `NotOfPattern` or `NumberWrong`."""
        found = _expression(self.tokens).fullmatch(number)
        if found is None:
            raise NotOfPattern(f"{number} is not of the form {self.text}")
        values = found.groupdict()
        if "check" in values and check_character(number[:-1]) != values["check"]:
            expected = check_character(number[:-1])
            raise NumberWrong(f"the check character of {number} is {values['check']}, expected {expected}")
        if int(values["seq"]) == 0:
            raise NumberWrong(f"the running number of {number} is 0, expected 1 or more")
        form = next((token.form for token in self.tokens if token.name == "date"), "")
        day = _day(form, values["date"], number) if form else None
        return Parts(int(values["seq"]), day, values.get("line"), values.get("process"))


def compile_pattern(text: str) -> Pattern:
    """Read a pattern. Raises `PatternRefused` with every reason."""
    tokens: list[Token] = []
    reasons: list[str] = []
    for name, form, literal, wrong in _TOKEN.findall(text):
        if literal:
            tokens.append(Token("", frozenset(literal), 1, 1, literal))
        elif wrong:
            reasons.append(f"{wrong!r} cannot stand in a pattern: letters, digits and . _ - can, and parts in braces")
        else:
            tokens += _part(name, form, reasons)
    pattern = Pattern(text, tuple(tokens))
    reasons += _shape_faults(pattern)
    if not reasons:
        reasons += _ambiguities(pattern.tokens)
    if reasons:
        raise PatternRefused(text, reasons)
    return pattern


def overlap(one: Pattern, other: Pattern) -> str | None:
    """A text that has the shape of both patterns, if there is one: then a number would not tell its pattern.

    Dates and check characters are taken by their characters alone, so a text may be shown that the calendar rules out.
    """
    return _shared(_positions(one.tokens), _positions(other.tokens), differently=False)


def check_character(text: str) -> str:
    """The check character of the letters and digits of a text: ISO 7064, hybrid system Mod 37,36."""
    product = 36
    for character in text.upper():
        if (value := _ALPHABET.find(character)) < 0:
            continue
        product = (product + value) % 36 or 36
        product = product * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def _part(name: str, form: str, reasons: list[str]) -> Iterator[Token]:
    """The token of a part in braces; what is wrong with it is added to `reasons`."""
    shown = f"{{{name}:{form}}}" if form else f"{{{name}}}"
    width = _WIDTH.fullmatch(form)
    match name:
        case "check" if not form:
            yield Token(name, CODES, 1, 1)
        case "date" if form in _FORMATS:
            # An ISO day of the year has 3 digits, as many as its letters: every format is as wide as it is written.
            yield Token(name, DIGITS, len(form), len(form), form)
        case "date":
            reasons.append(f"{shown} has no known format: one of {', '.join(_FORMATS)}")
        case "seq" if width and not width[2]:
            yield Token(name, DIGITS, int(form), int(form))
        case "line" | "process" if width and int(width[1]) <= int(width[2] or width[1]):
            yield Token(name, CODES, int(width[1]), int(width[2] or width[1]))
        case "seq" | "line" | "process":
            reasons.append(f"{shown} needs a width, such as {{{name}:{'4' if name == 'seq' else '1-3'}}}")
        case _:
            reasons.append(f"{shown} is no part: date, line, process, seq and check are")


def _shape_faults(pattern: Pattern) -> Iterator[str]:
    names = pattern.parts
    yield from (f"{{{name}}} stands more than once" for name in sorted({n for n in names if names.count(n) > 1}))
    if "seq" not in names:
        yield "there is no {seq:…}: two lots would get one number"
    if "check" in names and pattern.tokens[-1].name != "check":
        yield "{check} has to be the last part"
    longest = sum(token.high for token in pattern.tokens)
    if longest > LONGEST:
        yield f"its numbers can have {longest} characters; a label holds {LONGEST} (GS1 AI 10)"


def _ambiguities(tokens: Sequence[Token]) -> Iterator[str]:
    """Parts of no fixed width need something that tells where they end."""
    positions = _positions(tokens)
    if (text := _shared(positions, positions, differently=True)) is not None:
        loose = ", ".join(f"{{{token.name}}}" for token in tokens if token.low != token.high)
        yield f"{text} can be read in two ways: give {loose} one width, or put one of . _ - after it"


def _faults(token: Token, parts: Parts) -> Iterator[tuple[str, str]]:
    match token.name:
        case "seq":
            if not 0 < parts.sequence < 10**token.high:
                yield "seq", f"{parts.sequence} is not between 1 and {10**token.high - 1}"
        case "date":
            if parts.day is None:
                yield "date", "is needed"
            elif "yyyy" not in token.form and not CENTURY <= parts.day.year < CENTURY + 100:
                yield "date", f"{parts.day.year} cannot be written with two digits: {CENTURY} to {CENTURY + 99} can"
        case "line" | "process":
            value = parts.line if token.name == "line" else parts.process
            width = str(token.low) if token.low == token.high else f"{token.low} to {token.high}"
            if value is None or not token.low <= len(value) <= token.high or not set(value) <= token.characters:
                yield token.name, f"{value or 'nothing'} is not {width} characters of A-Z and 0-9"


def _written(token: Token, parts: Parts) -> str:
    match token.name:
        case "":
            return token.form
        case "date":
            assert parts.day is not None
            # strftime leaves years before 1000 unpadded on some systems.
            year = {"yyyy": f"{parts.day.year:04}", "yy": f"{parts.day.year % 100:02}"}
            rest = {
                "MM": f"{parts.day.month:02}",
                "dd": f"{parts.day.day:02}",
                "DDD": f"{_day_of_year(parts.day):03}",
            }
            return _FIELD.sub(lambda field: (year | rest)[field[0]], token.form)
        case "line" | "process":
            return (parts.line if token.name == "line" else parts.process) or ""
        case name:
            return f"{{{name}}}"


def _expression(tokens: Sequence[Token]) -> re.Pattern[str]:
    pieces = [
        f"(?P<{token.name}>[{'0-9' if token.characters == DIGITS else '0-9A-Z'}]{{{token.low},{token.high}}})"
        if token.name
        else re.escape(token.form)
        for token in tokens
    ]
    return re.compile("".join(pieces))


def _day(form: str, text: str, number: str) -> date:
    values, at = {"MM": 1, "dd": 1}, 0
    for field in _FIELD.findall(form):
        values[field] = int(text[at : at + len(field)])
        at += len(field)
    year = values["yyyy"] if "yyyy" in values else CENTURY + values["yy"]
    try:
        if "DDD" not in values:
            return date(year, values["MM"], values["dd"])
        day = date(year, 1, 1) + timedelta(days=values["DDD"] - 1)
    except (ValueError, OverflowError):
        raise NumberWrong(f"{text} in {number} is no date of the form {form}") from None
    if day.year != year:
        raise NumberWrong(f"{text} in {number} is no date of the form {form}")
    return day


def _day_of_year(day: date) -> int:
    return day.timetuple().tm_yday


class _Position(NamedTuple):
    """A place for one character: what may stand there, and where a reader can go on without taking any."""

    characters: frozenset[str]
    skip_to: int | None


def _positions(tokens: Sequence[Token]) -> list[_Position]:
    """A place for every character of the longest number."""
    positions: list[_Position] = []
    for token in tokens:
        end = len(positions) + token.high
        positions += [_Position(token.characters, end if at >= token.low else None) for at in range(token.high)]
    return positions


def _shared(one: Sequence[_Position], other: Sequence[_Position], *, differently: bool) -> str | None:
    """A text that two readers can both take to the end; `differently`: by ways that are not the same.

    A way through the places is a width for each part, so two ways are two readings.
    """
    ways = [(0, 0, False, "")]
    seen = {(0, 0, False)}
    while ways:
        left, right, parted, text = ways.pop(0)
        for here in _reach(one, left):
            for there in _reach(other, right):
                now = parted or here != there
                if (here, there) == (len(one), len(other)):
                    if now or not differently:
                        return text
                elif here < len(one) and there < len(other):
                    common = one[here].characters & other[there].characters
                    if common and (here + 1, there + 1, now) not in seen:
                        seen.add((here + 1, there + 1, now))
                        ways.append((here + 1, there + 1, now, text + min(common)))
    return None


def _reach(positions: Sequence[_Position], start: int) -> Iterator[int]:
    """Where a reader at `start` can take the next character, or be at the end."""
    yield start
    while start < len(positions) and (onward := positions[start].skip_to) is not None:
        start = onward
        yield start
