"""Arrow types: what their values become elsewhere, and which type a column of mixed values gets.

How Arrow types become JSON values, for csv, jsonl and the model: timestamps, dates, times and
durations become ISO 8601 text, those with a zone in UTC; decimals become text, digit for digit;
bytes become base64; lists become lists, structs objects, maps lists of pairs; categories become
their values. From parquet to parquet every type stays what it is, except that indices of
categories become 32 bits wide, so that the categories of several files have room.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

__all__ = ["column_type", "is_plain", "kept", "to_plain"]

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def is_plain(type_: Any) -> bool:
    """Whether values of an Arrow type are values of JSON, and come back from them unharmed."""
    if pa.types.is_dictionary(type_):
        return _is_string(type_.value_type)
    return (
        _is_string(type_)
        or pa.types.is_integer(type_)
        or pa.types.is_floating(type_)
        or pa.types.is_boolean(type_)
        or pa.types.is_null(type_)
    )


def _is_string(type_: Any) -> bool:
    return bool(
        pa.types.is_string(type_) or pa.types.is_large_string(type_) or type_ == pa.string_view()
    )


def kept(type_: Any) -> Any:
    """The type a column keeps from reading to writing."""
    if pa.types.is_dictionary(type_):
        value = type_.value_type
        return pa.dictionary(pa.int32(), value, type_.ordered) if _is_string(value) else value
    return type_


def _word(type_: Any) -> str:
    """The word of ``rows.kind`` for an Arrow type, for columns that are not of one type."""
    if pa.types.is_dictionary(type_):
        return _word(type_.value_type)
    if pa.types.is_integer(type_):
        if type_ == pa.uint64():
            return "huge"
        return "long" if type_ == pa.int64() else "int"
    if pa.types.is_floating(type_):
        return "float"
    if pa.types.is_boolean(type_):
        return "bool"
    return "text" if _is_string(type_) else "nested"


def column_type(kinds: set[object]) -> Any:
    """The one Arrow type that holds every value of a column, whatever kinds it has.

    A column of one Arrow type keeps it. Whole numbers together make int64, whole numbers and
    fractions float64 as long as that is exact; any other mixture, and lists and objects from
    jsonl, become text: strings as they are, the rest as JSON.
    """
    if len(kinds) > 1:
        kinds = kinds - {pa.null()}
    if len(kinds) == 1 and isinstance(next(iter(kinds)), pa.DataType):
        return next(iter(kinds))
    words = {_word(kind) if isinstance(kind, pa.DataType) else kind for kind in kinds}
    if words == {"bool"}:
        return pa.bool_()
    if words and words <= {"int", "long"}:
        return pa.int64()
    if words and words <= {"int", "float"}:
        return pa.float64()
    return pa.string()


def to_plain(scalar: Any) -> Any:
    """One Arrow value as a value of JSON, by the rules at the top of this module."""
    if not scalar.is_valid:
        return None
    type_ = scalar.type
    if pa.types.is_dictionary(type_) or isinstance(type_, pa.BaseExtensionType):
        return to_plain(scalar.value)
    if pa.types.is_map(type_):
        return [[to_plain(pair["key"]), to_plain(pair["value"])] for pair in scalar.values]
    if pa.types.is_struct(type_):
        return {f.name: to_plain(scalar[i]) for i, f in enumerate(type_)}
    if pa.types.is_nested(type_):
        return [to_plain(part) for part in scalar.values]
    if pa.types.is_temporal(type_):
        return _to_iso(scalar)
    value = scalar.as_py()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if is_plain(type_) else str(value)


def _to_iso(scalar: Any) -> str:
    """A point or stretch of time in ISO 8601; beyond the year 9999, its number as it is stored."""
    type_ = scalar.type
    if pa.types.is_date(type_) or not hasattr(type_, "unit"):
        try:
            return str(scalar.as_py())
        except OverflowError:
            return str(scalar.value)
    per_second = PER_SECOND[type_.unit]
    backwards = pa.types.is_duration(type_) and scalar.value < 0
    seconds, part = divmod(-scalar.value if backwards else scalar.value, per_second)
    fraction = f".{part:0{len(str(per_second)) - 1}d}" if part else ""
    if pa.types.is_duration(type_):
        return f"{'-' if backwards else ''}PT{seconds}{fraction}S"
    try:
        moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    except OverflowError:
        return str(scalar.value)
    if pa.types.is_time(type_):
        return f"{moment:%H:%M:%S}{fraction}"
    return f"{moment.isoformat()}{fraction}{'+00:00' if type_.tz else ''}"
