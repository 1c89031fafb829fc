"""Notifications of new objects, from a file or a queue: :class:`Messages` and :class:`Queue`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ctfast._arguments.gate import public
from ctfast._aws import client as aws
from ctfast._bound import Bound
from ctfast._source.lines import LineReader, Lines
from ctfast._source.notices import NoticeError, read_notice
from ctfast._source.object_keys import KeySource, Object, Portion, bad_line
from ctfast.exceptions import FormatError

__all__ = ["Messages", "Queue"]

#: The most messages per request to SQS.
_TOGETHER = 10
_BAD = "invalid-message"
_REGION = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


class _Notified(KeySource):
    """A source of the files that messages name."""

    def _of_message(self, body: str) -> Iterator[Object]:
        notice = read_notice(body)
        for reason in notice.skipped.elements():
            self._pass(reason, self.place)
        for named in notice.objects:
            yield from self._cloudtrail(*named)


class Messages(_Notified):
    """Notifications of new log files as JSON lines: one message per line, as received from a queue.

    CloudTrail's own SNS messages and S3 events are understood, whether S3 sends them directly or through SNS or
    EventBridge, and with or without a wrapper of SNS or SQS. Test messages of AWS are skipped, and so are objects that
    are not CloudTrail's.

    Parameters
    ----------
    source
        A file, ``"-"`` for standard input, or an iterable of lines.

    Raises
    ------
    FileNotFoundError
        The file does not exist. Like the errors below it is raised when the query runs.
    FormatError
        A line is no such notification, with ``on_error="raise"``.

    Examples
    --------
    >>> import ctfast as ct
    >>> messages = ct.Messages([
    ...     "CloudTrail validation message.",
    ...     '{"s3Bucket": "logs", "s3ObjectKey": ["111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz"]}',
    ... ])
    >>> [found.url for found in messages]
    ['s3://logs/111122223333_CloudTrail_us-east-1_20250312T0000Z_Ab12.json.gz']
    >>> dict(messages.skipped)
    {'test': 1}
    """

    @public()
    def __init__(self, source: Lines) -> None:
        super().__init__()
        self._lines = LineReader("Messages", source)

    def __repr__(self) -> str:
        """Return where the messages are."""
        return f"Messages({str(self._lines)!r})"

    @property
    def place(self) -> str:
        """The messages."""
        return self._lines.called("the list of messages")

    def _comes_once(self) -> bool:
        return self._lines.comes_once()

    def _again(self) -> Messages | None:
        source = self._lines.again()
        return None if source is None else Messages(source)

    def _objects(self) -> Iterator[Object]:
        for number, line in self._lines:
            try:
                yield from self._of_message(line)
            except NoticeError as error:
                self._refuse(bad_line(str(self._lines), number, _BAD, str(error)))


@dataclass
class _Message:
    """A received message that was not deleted yet, with the number of its files that are still to be read."""

    handle: str
    waits_for: int
    failed: bool = field(default=False)


class Queue(Bound, _Notified):
    """An SQS queue of notifications of new log files (needs ``ctfast[aws]``).

    It is read until it is empty. A message is deleted only when the rows of all files that it names are safe: when
    their :class:`ctfast.Unit` is committed, at the end of a ``with`` block of the queue, or by :meth:`commit`. A
    message that is not understood, or that names a file of which nothing could be read, stays in the queue, and its
    redrive policy applies. A file that is damaged after some of its records is named in the report, and its message is
    deleted: a queue cannot tell which records were handed over, so all of them would come again.

    Delivery is at least once: a file whose message comes twice is read twice, so drop duplicates by ``file`` and
    ``record``.

    Parameters
    ----------
    url
        URL of the queue.
    client
        A boto3 SQS client, for other credentials or endpoints than the default ones.
    wait
        How long to wait for the next message before the queue counts as empty; 1 to 20 seconds.
    visibility
        How long a received message is hidden from others: longer than it takes to read some thousand files.

    Raises
    ------
    ArgumentError
        The URL is not that of a queue.
    ImportError
        boto3 is not installed. Like the errors below it is raised when the query runs.
    ServiceError
        SQS refuses, or does not answer.
    FormatError
        A message is no such notification, with ``on_error="raise"``.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.Queue("https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs")
    Queue('https://sqs.eu-west-1.amazonaws.com/111122223333/new-logs')
    """

    forgets = True
    _instead = "make it where it is read, with ctfast.Queue(...)"

    @public()
    def __init__(
        self,
        url: str,
        *,
        client: Any = None,
        wait: timedelta = timedelta(seconds=1),
        visibility: timedelta = timedelta(minutes=10),
    ) -> None:
        super().__init__()
        self._url = url
        self._client = client
        self._receive = {
            "QueueUrl": url,
            "MaxNumberOfMessages": _TOGETHER,
            "WaitTimeSeconds": int(wait.total_seconds()),
            "VisibilityTimeout": int(visibility.total_seconds()),
        }
        #: Messages that wait for a file, by its URL, in the order in which they were received.
        self._waiting: dict[str, deque[_Message]] = {}
        self._used: list[str] = []

    def __repr__(self) -> str:
        """Return which queue it is."""
        return f"Queue({self._url!r})"

    @property
    def place(self) -> str:
        """The queue."""
        return f"the queue {self._url}"

    def _objects(self) -> Iterator[Object]:
        self._connect()
        self._waiting.clear()
        self._used.clear()
        while received := self._received():
            for message in received:
                try:
                    found = list(self._of_message(message["Body"]))
                except NoticeError as error:
                    place = f"message {message.get('MessageId')} of {self._url}"
                    self._refuse(FormatError(str(error), place, None, None, _BAD, f"{place}: {error}"))
                    continue
                if not found:
                    self._used.append(message["ReceiptHandle"])
                    continue
                waiting = _Message(message["ReceiptHandle"], len(found))
                for file in found:
                    self._waiting.setdefault(file.url, deque()).append(waiting)
                yield from found

    def done(self, portion: Portion) -> None:
        """Note the messages all of whose files were read without a failure."""
        ledger = portion.ledger or {}
        for file in portion.files:
            waiting = self._waiting[file.url]
            message = waiting.popleft()
            if not waiting:
                del self._waiting[file.url]
            row = ledger.get(file.url)
            message.failed |= row is None or (row.outcome == "bad" and not row.seen)
            message.waits_for -= 1
            if not (message.waits_for or message.failed):
                self._used.append(message.handle)

    def commit(self) -> None:
        """Delete the messages whose files were all handed over."""
        while self._used:
            entries = [
                {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(self._used[:_TOGETHER])
            ]
            del self._used[:_TOGETHER]
            with aws.asking("DeleteMessageBatch", self._url):
                # If that fails, the message is received and read again: delivery is at least once.
                self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _give_up(self) -> None:
        self._used.clear()

    def _received(self) -> list[dict[str, Any]]:
        with aws.asking("ReceiveMessage", self._url):
            return list(self._client.receive_message(**self._receive).get("Messages", []))

    def _connect(self) -> None:
        if self._client is None:
            session = aws.session(None, "messages")
            with aws.asking("a client", self._url):
                region = _REGION.match(self._url)
                self._client = session.client("sqs", region_name=region.group(1) if region else None)
