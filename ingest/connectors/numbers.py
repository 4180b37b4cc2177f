"""Numbers as people write them, made plain: `1.234,56 €` is 1234.56, `(12,00)` and `12,00-` are -12.00.

Only where a source's options say how numbers are written, because `1.234` is two numbers. A cell that is not
a number as a whole stays as it is: a date, a code with a leading zero, a phone number in groups of three.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Spaces between groups of digits are often ones that do not break: U+00A0, U+2009, U+202F.
SPACES = r"[ \x{00A0}\x{2009}\x{202F}]"
APOSTROPHES = "['\u2019]"
CURRENCY = r"\p{Sc}?"
MINUS = "[-\u2212]"  # the hyphen and the real minus


@dataclass(frozen=True)
class Style:
    """How numbers are written: the sign before the decimals, and the one between thousands."""

    decimal: str
    thousands: str

    @classmethod
    def of(cls, options: dict[str, Any]) -> "Style | None":
        """The style that a source's options ask for; None where they do not speak of numbers. Who says only
        that the decimal sign is the comma means `1.234,56`, and the other way round."""
        if not options.keys() & {"decimal", "thousands"}:
            return None
        decimal = (
            options.get("decimal", ",") if options.get("thousands") == "." else options.get("decimal", ".")
        )
        return cls(decimal, options.get("thousands", "." if decimal == "," else ","))

    def plain_columns(self, table: pa.Table, names: Sequence[str]) -> pa.Table:
        """A table whose columns of these names went through ``plain``."""
        for position, name in enumerate(names):
            table = table.set_column(position, name, self.plain(table.column(position)))
        return table

    def plain(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column of texts with its numbers as digits, a point and a minus in front."""
        negative, positive = self._patterns()
        is_negative = pc.match_substring_regex(column, negative)
        is_number = pc.or_(is_negative, pc.match_substring_regex(column, positive))
        if not pc.any(is_number).as_py():
            return column
        digits = pc.replace_substring_regex(column, f"[^0-9{re.escape(self.decimal)}]+", "")
        if self.decimal != ".":
            digits = pc.replace_substring(digits, self.decimal, ".")
        signed = pc.if_else(is_negative, pc.binary_join_element_wise("-", digits, ""), digits)
        return pc.if_else(is_number, signed, column)

    def _patterns(self) -> tuple[str, str]:
        """What matches a negative number as a whole, and any other."""
        group = {" ": SPACES, "'": APOSTROPHES}.get(self.thousands, re.escape(self.thousands))
        decimal = re.escape(self.decimal)
        # The first of several groups begins with no zero, else 030 123 456 were a number.
        body = rf"(?:(?:[0-9]+|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+)(?:{decimal}[0-9]+)?|{decimal}[0-9]+)"
        s, c = f"{SPACES}*", CURRENCY
        money = f"{c}{s}{body}{s}{c}"
        negative = "|".join(
            (
                f"{MINUS}{s}{money}",
                rf"\p{{Sc}}{s}{MINUS}{s}{body}",
                f"{money}{s}{MINUS}",
                rf"{c}{s}\({s}{money}{s}\){s}{c}",
            )
        )
        positive = rf"\+?{s}{money}|\p{{Sc}}{s}\+{s}{body}"
        return f"^{s}(?:{negative}){s}$", f"^{s}(?:{positive}){s}$"
