"""What a notification says: which objects are new.

The forms, in the order in which they are checked:

- S3's test event, ``{"Service": "Amazon S3", "Event": "s3:TestEvent", ...}``;
- S3's events, ``{"Records": [{"s3": {"bucket": {"name": ...}, "object": {"key": ...}}}]}``, with keys encoded as in a
  web form;
- CloudTrail's message, ``{"s3Bucket": ..., "s3ObjectKey": [...]}``, with keys as they are;
- a message of SNS, ``{"Type": "Notification", "Message": "..."}``, or of SQS, ``{"Body": "..."}``, around one of these;
- the text ``CloudTrail validation message.``, which is sent when a trail is set up;
- EventBridge's ``Object Created``, with the key as it is.

See "Configuring Amazon SNS notifications for CloudTrail" in AWS's CloudTrail user guide, and "Event message structure"
and "EventBridge event message structure" in that of S3.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from ctfast._source.buckets import wrong_bucket
from ctfast._source.lines import is_text

__all__ = ["Named", "Notice", "NoticeError", "read_notice"]

_VALIDATION = "CloudTrail validation message"
_CREATED = "ObjectCreated:"
#: Messages in messages: SQS around SNS around S3 has three levels.
_DEEPEST = 8
#: The longest message, in characters: SQS allows 1 MiB.
_LONGEST = 4 << 20
#: The largest size: it must fit into a signed number of 64 bits.
_LARGEST = (1 << 63) - 1


class Named(NamedTuple):
    """An object that a notification names."""

    bucket: str
    key: str
    size: int | None = None


class Notice(NamedTuple):
    """The content of one message: objects, and the number of other things by reason."""

    objects: list[Named]
    skipped: Counter[str]


class NoticeError(ValueError):
    """The message is none of the known forms, or names what S3 cannot have."""


def read_notice(body: str | Mapping[str, Any]) -> Notice:
    """Read a message, with or without wrappers.

    Parameters
    ----------
    body
        The text of the message, or the parsed object.

    Returns
    -------
    Notice
        The objects in it.

    Raises
    ------
    NoticeError
        It is none of the known forms, or names what S3 cannot have.

    Examples
    --------
    >>> read_notice('{"s3Bucket": "logs", "s3ObjectKey": ["AWSLogs/a.json.gz"]}').objects
    [Named(bucket='logs', key='AWSLogs/a.json.gz', size=None)]
    """
    message: Any = body
    for _ in range(_DEEPEST):
        if isinstance(message, str):
            if len(message) > _LONGEST:
                raise NoticeError("a message of more than 4 MiB")
            if message.strip().startswith(_VALIDATION):
                return Notice([], Counter(test=1))
            message = _parsed(message)
            continue
        if not isinstance(message, Mapping):
            raise NoticeError(f"a notification is a JSON object, not {_kind(message)}")
        inner = _inner(message)
        if inner is None:
            return _content(message)
        message = inner
    raise NoticeError(f"messages are wrapped in more than {_DEEPEST} others")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NoticeError("neither JSON nor a message that is known") from None


def _inner(message: Mapping[str, Any]) -> str | None:
    """Return the inner message, if this is a wrapper."""
    if message.get("Event") == "s3:TestEvent" or "Records" in message or "s3ObjectKey" in message:
        return None
    for member in ("Message", "Body", "body"):
        wrapped = message.get(member)
        if isinstance(wrapped, str):
            return wrapped
    return None


def _content(message: Mapping[str, Any]) -> Notice:
    if message.get("Event") == "s3:TestEvent":
        return Notice([], Counter(test=1))
    if "Records" in message:
        return _s3_events(message["Records"])
    if "s3ObjectKey" in message:
        return _cloudtrail(message)
    if "detail-type" in message:
        return _eventbridge(message)
    raise NoticeError("a JSON object that is no notification of CloudTrail, S3, SNS or EventBridge")


def _s3_events(records: Any) -> Notice:
    found = Notice([], Counter())
    if not isinstance(records, list):
        raise NoticeError(f"Records is not a list, but {_kind(records)}")
    for record in records:
        if not isinstance(record, Mapping) or "s3" not in record:
            # A CloudTrail log file has Records, too.
            raise NoticeError("a record that is no event of S3: without a member s3")
        if not str(record.get("eventName", "")).removeprefix("s3:").startswith(_CREATED):
            found.skipped["event"] += 1
            continue
        described = _member(record, "s3", Mapping)
        described_object = _member(described, "object", Mapping)
        try:
            key = unquote_plus(_member(described_object, "key", str), errors="strict")
        except UnicodeDecodeError:
            raise NoticeError("a key that is not UTF-8") from None
        found.objects.append(
            _named(_member(_member(described, "bucket", Mapping), "name", str), key, _size(described_object))
        )
    return found


def _cloudtrail(message: Mapping[str, Any]) -> Notice:
    keys = message["s3ObjectKey"]
    keys = [keys] if isinstance(keys, str) else keys
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise NoticeError("s3ObjectKey is not a list of keys")
    bucket = _member(message, "s3Bucket", str)
    return Notice([_named(bucket, key) for key in keys], Counter())


def _eventbridge(message: Mapping[str, Any]) -> Notice:
    if message["detail-type"] != "Object Created":
        return Notice([], Counter(event=1))
    detail = _member(message, "detail", Mapping)
    described = _member(detail, "object", Mapping)
    bucket = _member(_member(detail, "bucket", Mapping), "name", str)
    return Notice([_named(bucket, _member(described, "key", str), _size(described))], Counter())


def _named(bucket: str, key: str, size: int | None = None) -> Named:
    """Return an object, if S3 can have it."""
    if wrong := wrong_bucket(bucket):
        raise NoticeError(wrong)
    if not is_text(key):
        raise NoticeError("a key that is not UTF-8")
    return Named(bucket, key, size)


def _member(holder: Mapping[str, Any], name: str, kind: type) -> Any:
    value = holder.get(name)
    if not isinstance(value, kind):
        raise NoticeError(f"{name} is missing" if value is None else f"{name} is {_kind(value)}")
    return value


def _size(described: Mapping[str, Any]) -> int | None:
    size = described.get("size")
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size <= _LARGEST else None


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "a flag", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "an object")
