"""What pydantic found, in words for operators."""

import re
from collections.abc import Mapping
from typing import Any

# By pydantic's name for the mistake; the braces are filled in from what it says about it.
WORDS = {
    "missing": "is missing; it has no default",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number that ends somewhere",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "bool_parsing": "must be yes or no",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
}
COMMENT = re.compile(r"\s[;#]")
ITS_OWN_LINE = "a comment needs a line of its own"
SAME = {"int_from_float": "int_parsing", "int_parsing_size": "int_parsing"}


def explain(details: Mapping[str, Any], written: str) -> str:
    """What is wrong with one value, and what it must be."""
    return f"{_wrong(details)}; {ITS_OWN_LINE}" if COMMENT.search(written) else _wrong(details)


def _wrong(details: Mapping[str, Any]) -> str:
    kind = SAME.get(details["type"], details["type"])
    if kind in WORDS:
        return WORDS[kind].format(**details.get("ctx", {}))
    return str(details["msg"]).removeprefix("Value error, ")


def swallowed(written: str) -> str:
    """What to know of a value that may hold what was a comment in 2013; empty if it does not."""
    return f"the semicolon belongs to the value; {ITS_OWN_LINE}" if " ;" in written else ""
