"""Exact decimals. A quantity is never a float, and a measured value keeps the text that was entered."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

_PLAIN_DECIMAL = re.compile(r"[+-]?\d{1,18}(\.\d{1,12})?")


class NotAPlainDecimal(ValueError):
    """The text is not a decimal number written out in full."""


def exact(text: str) -> Decimal:
    """Read a decimal written out in full, `"12.500"`; exponents, blanks, signs like `NaN` are refused."""
    if not _PLAIN_DECIMAL.fullmatch(text):
        raise NotAPlainDecimal(f"{text!r} is not a plain decimal number, such as 12.500")
    return Decimal(text)


def _validated(value: object) -> Decimal:
    match value:
        case Decimal():
            if not value.is_finite():
                raise NotAPlainDecimal(f"{value} is not a number")
            return value
        case bool():
            raise NotAPlainDecimal("true and false are not numbers")
        case int():
            return exact(str(value))
        case str():
            return exact(value)
        case float():
            # JSON has one number type; its shortest text is what the sender wrote.
            return exact(repr(value))
        case _:
            raise NotAPlainDecimal(f"{value!r} is not a number")


def plain(value: Decimal) -> str:
    """Write a decimal without exponent."""
    return format(value, "f")


Exact = Annotated[Decimal, BeforeValidator(_validated), PlainSerializer(plain, return_type=str)]


def rounded(value: Decimal, places: int) -> Decimal:
    """Round half up to `places` decimals, as scales and people do."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


_ALL_DIGITS = Context(prec=100)
"""Python's own 28 digits are fewer than two quantities of 18 + 12 digits can need."""


def total(quantities: Iterable[Decimal]) -> Decimal:
    """The sum with all its digits."""
    found = Decimal(0)
    for quantity in quantities:
        found = _ALL_DIGITS.add(found, quantity)
    return found


def difference(first: Decimal, second: Decimal) -> Decimal:
    """`first` − `second` with all its digits."""
    return _ALL_DIGITS.subtract(first, second)


def shortest(quantity: Decimal) -> str:
    """Written without exponent and without zeros at the end that only a calculation has brought."""
    return plain(_ALL_DIGITS.normalize(quantity)) if quantity else "0"
