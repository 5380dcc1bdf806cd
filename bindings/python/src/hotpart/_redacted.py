"""The bodies of requests and answers without the values that are in them.

A value's place is taken by what stands for it as a partition key of its table in metrics and log lines. So a redacted
recording tells the same partitions apart, and has the same names for them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any

from hotpart._key import canonical_number

#: Returns what stands for a key in a table.
Digest = Callable[[bytes, bytes], str]

# DynamoDB's longest partition key, in bytes: a longer value needs no name.
_KEY_MAX = 2_048
# The library's longest name of a table.
_NAME_MAX = 1_024
_UNKNOWN = "?"

_SCALARS, _SETS = ("S", "N", "B"), ("SS", "NS", "BS")
_TAGS = frozenset((*_SCALARS, *_SETS))
# Members of a body whose members are named after tables.
_BY_TABLE = frozenset(("RequestItems", "Responses", "UnprocessedItems", "UnprocessedKeys"))
# A request's lists, and an answer's, that have a part for each of a request's.
_ASKED = ("TransactItems", "TransactStatements", "Statements")
_ANSWERED = frozenset(("Responses", "CancellationReasons"))

# A statement's tokens, as far as they matter. What begins with a quote that is not closed goes on to the end, and
# what begins with a digit as far as it may.
_TOKENS = re.compile(
    r"""
      (?P<comment> --[^\n\r]* | /\*(?:.*?\*/|.*) )
    | (?P<name> "(?:[^"]|"")*"(?!") )
    | (?P<attribute> '(?:[^']|'')*'(?!') (?=[ \t-\r]*:) )
    | (?P<text> '(?:[^']|'')*'(?!') | ['"].* )
    | (?P<word> [A-Za-z_$\x80-\U0010FFFF] [0-9A-Za-z_$\x80-\U0010FFFF]* )
    | (?P<number> (?: (?<=[=<>(,\[{:]) [ \t-\r]* - )? \.?[0-9] (?: [eE][+-][0-9] | [0-9A-Za-z_$.\x80-\U0010FFFF] )* )
    """,
    re.VERBOSE | re.DOTALL,
)


def redacted_request(body: dict[str, Any], digest: Digest) -> dict[str, Any]:
    """Returns a request's body without its values."""
    return _Body(digest, _UNKNOWN, ()).whole(body)


def redacted_answer(body: dict[str, Any], request: dict[str, Any], digest: Digest) -> dict[str, Any]:
    """Returns an answer's body without its values; ``request`` tells their tables where it does not."""
    tables = _table(request, _UNKNOWN), _parts(request)
    redacted = _Body(digest, *tables).whole(body)
    if "TransactionCanceledException" in str(body.get("__type")):
        # It lists codes, which may be all that tells of the reasons.
        kept = ((name, body.get(name)) for name in ("message", "Message"))
        redacted.update((name, text) for name, text in kept if isinstance(text, str))
    return redacted


class _Body:
    """A body under way: the table of values that are in nothing that names one, and those of a request's parts."""

    def __init__(self, digest: Digest, table: str, parts: Sequence[str]) -> None:
        self._digest, self._table, self._parts = digest, table, parts

    def whole(self, body: dict[str, Any]) -> dict[str, Any]:
        table = _table(body, self._table)
        return {name: self._top(name, value, table) for name, value in body.items()}

    def _top(self, name: str, value: Any, table: str) -> Any:
        if name in _BY_TABLE and isinstance(value, dict):
            return {of: self._value(each, _known(of)) for of, each in value.items()}
        if name in _ANSWERED and isinstance(value, list) and self._parts:
            tables = [*self._parts, *[table] * len(value)]
            return [self._value(each, of) for each, of in zip(value, tables, strict=False)]
        return self._member(name, value, table)

    def _value(self, value: Any, table: str) -> Any:
        if isinstance(value, list):
            return [self._value(each, table) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((tag, content),) = value.items()
            if tag in _SCALARS and isinstance(content, str):
                return {"S": self._stand_in(tag, content, table)}
            if tag in _SETS and isinstance(content, list) and all(isinstance(each, str) for each in content):
                return {"SS": [self._stand_in(tag[0], each, table) for each in content]}
        table = _table(value, table)
        return {name: self._member(name, each, table) for name, each in value.items()}

    def _member(self, name: str, value: Any, table: str) -> Any:
        if isinstance(value, dict):
            return self._value(value, table)
        if name in _TAGS and value is not None:
            # Of a value that DynamoDB takes for none.
            return "*"
        if isinstance(value, list):
            return self._value(value, table)
        if isinstance(value, str):
            if name == "Statement":
                return self._statement(value, table)
            if name == "NextToken":
                return "*"
            if name in ("message", "Message"):
                return ""
        return value

    def _stand_in(self, tag: str, text: str, table: str) -> str:
        raw = text.encode("utf-8", "surrogatepass")
        key = raw
        if tag == "N":
            key = canonical_number(raw) or raw
        elif tag == "B":
            key = _decoded(raw)
        if len(key) > _KEY_MAX:
            return "*" * len(key)
        return self._digest(table.encode("utf-8", "surrogatepass"), key) if key else ""

    def _statement(self, statement: str, table: str) -> str:
        def stand_in(token: re.Match[str]) -> str:
            text, kind = token.group(), token.lastgroup
            if kind == "comment":
                return " "
            if kind == "text":
                literal = text[1:-1] if len(text) > 1 and text[-1] == text[0] == "'" else text[1:]
                return self._quoted("S", literal.replace("''", "'"), table)
            if kind == "number":
                number = text.lstrip()
                return text[: len(text) - len(number)] + self._quoted("N", number, table)
            return text

        return _TOKENS.sub(stand_in, statement)

    def _quoted(self, tag: str, text: str, table: str) -> str:
        return f"'{self._stand_in(tag, text, table)}'"


def _table(body: dict[str, Any], around: str) -> str:
    """Returns the table that an object names, or the one around it."""
    name, statement = body.get("TableName"), body.get("Statement")
    if isinstance(name, str):
        return _known(name)
    return _stated(statement) if isinstance(statement, str) else around


def _parts(request: dict[str, Any]) -> list[str]:
    """Returns the tables of a request's parts, which its answer has in their order."""
    for name in _ASKED:
        parts = request.get(name)
        if isinstance(parts, list):
            return [_part(part) for part in parts]
    return []


def _part(part: Any) -> str:
    """Returns the table of a statement, or of what is asked for by a part's only member."""
    if not isinstance(part, dict):
        return _UNKNOWN
    inner = next((each for each in part.values() if isinstance(each, dict)), {})
    return _table(part, _table(inner, _UNKNOWN))


def _stated(statement: str) -> str:
    """Returns the table that a statement is on."""
    named = False
    for token in _TOKENS.finditer(statement):
        text = token.group()
        if token.lastgroup == "comment":
            continue
        if named:
            if token.lastgroup == "name":
                return _known(text[1:-1].replace('""', '"'))
            if token.lastgroup == "word":
                return _known(text)
        named = token.lastgroup == "word" and text.upper() in ("FROM", "INTO", "UPDATE")
    return _UNKNOWN


def _known(name: str) -> str:
    """Returns a table's name, of an ARN the one in it, as partitions are counted by that."""
    if name.startswith("arn:") and ":table/" in name:
        name = name.partition(":table/")[2].partition("/")[0]
    return name if 0 < len(name.encode("utf-8", "surrogatepass")) <= _NAME_MAX else _UNKNOWN


def _decoded(text: bytes) -> bytes:
    """Returns what base64 stands for, with its padding or without, or the text itself if it is none."""
    bare = text.rstrip(b"=")
    try:
        decoded = base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return text
    return decoded if base64.b64encode(decoded).rstrip(b"=") == bare else text
