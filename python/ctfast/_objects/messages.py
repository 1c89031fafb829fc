"""Notifications of new objects, from a file or a queue: :class:`Messages` and :class:`Queue`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ctfast import _aws as aws
from ctfast._objects import KeySource, Object, bad_line
from ctfast._objects.lines import Lines, lines, named
from ctfast._objects.notices import NoticeError, read_notice
from ctfast.exceptions import FormatError

__all__ = ["Messages", "Queue"]

#: What SQS gives and takes in one request.
_TOGETHER = 10
_BAD = "invalid-message"
_REGION = re.compile(r"https://sqs\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/")


class _Notified(KeySource):
    """What messages name."""

    def _of_message(self, body: str) -> Iterator[Object]:
        notice = read_notice(body)
        self.skipped.update(notice.skipped)
        for told in notice.objects:
            yield from self._cloudtrail(*told)


class Messages(_Notified):
    """Notifications of new log files as JSON lines: one message per line, as it was taken from a queue.

    CloudTrail's own messages of SNS, and the events of S3, direct, through SNS or through EventBridge, are understood,
    wrapped in a message of SNS or SQS or not. What AWS sends to try a new configuration is skipped, and so are objects that
    are none of CloudTrail's.

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

    def __init__(self, source: Lines) -> None:
        super().__init__()
        self._source = source

    def __repr__(self) -> str:
        """Return where the messages are."""
        return f"Messages({named(self._source)!r})"

    def _objects(self) -> Iterator[Object]:
        for number, line in lines(self._source):
            try:
                yield from self._of_message(line)
            except NoticeError as error:
                self._refuse(bad_line(named(self._source), number, _BAD, str(error)))


@dataclass
class _Message:
    """A message that was received and not yet deleted."""

    handle: str
    waits_for: list[str]
    failed: bool = field(default=False)


class Queue(_Notified):
    """An SQS queue of notifications of new log files (needs ``ctfast[aws]``).

    It is read until it is empty. A message is deleted only when the rows of all files that it names are safe: ``ctfast.stream``
    deletes it once the loop has come back for more; in a ``with`` block it is deleted at the end; after ``ctfast.scan``,
    ``read`` and ``sql`` call :meth:`commit`. A message that names a file that could not be read, or that is not understood, stays
    in the queue, where the redrive policy decides about it. Delivery is at least once: a file whose message comes twice is read
    twice.

    Parameters
    ----------
    url
        URL of the queue.
    client
        A boto3 SQS client, for other credentials or endpoints than the default ones.
    wait
        How long to wait for the next message before the queue counts as empty; between one second and 20.
    visibility
        How long a message that was received is hidden from others: longer than it takes to read some thousand files.

    Raises
    ------
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

    def __init__(
        self,
        url: str,
        *,
        client: Any = None,
        wait: timedelta = timedelta(seconds=1),
        visibility: timedelta = timedelta(minutes=10),
    ) -> None:
        super().__init__()
        seconds = wait.total_seconds()
        # A wait of zero asks some of SQS's servers only, and finds a queue empty that is not.
        if not 1 <= seconds <= 20:  # noqa: PLR2004  # the bounds of WaitTimeSeconds
            message = f"wait must be between 1 and 20 seconds, not {seconds:g}"
            raise ValueError(message)
        self._url = url
        self._client = client
        self._receive = {
            "QueueUrl": url,
            "MaxNumberOfMessages": _TOGETHER,
            "WaitTimeSeconds": int(seconds),
            "VisibilityTimeout": int(visibility.total_seconds()),
        }
        #: In the order in which they were received, which is the order of their files.
        self._open: deque[_Message] = deque()
        self._used: list[str] = []

    def __repr__(self) -> str:
        """Return which queue it is."""
        return f"Queue({self._url!r})"

    def _objects(self) -> Iterator[Object]:
        self._connect()
        self._open.clear()
        self._used.clear()
        while received := self._received():
            for message in received:
                try:
                    found = list(self._of_message(message["Body"]))
                except NoticeError as error:
                    place = f"message {message.get('MessageId')} of {self._url}"
                    self._refuse(FormatError(str(error), place, None, None, _BAD, f"{place}: {error}"))
                    continue
                self._open.append(_Message(message["ReceiptHandle"], [file.url for file in found]))
                yield from found

    def done(self, files: Sequence[Object], failed: Container[str]) -> None:
        """Note of which messages every file is read, and none failed."""
        waiting = (message for message in self._open if message.waits_for)
        message = next(waiting, None)
        for file in files:
            if message is not None and not message.waits_for:
                message = next(waiting, None)
            if message is None or file.url not in message.waits_for:
                raise LookupError(f"the queue did not name {file.url} next")
            message.waits_for.remove(file.url)
            message.failed |= file.url in failed

    def commit(self) -> None:
        """Delete the messages of which every file was handed over."""
        while self._open and not self._open[0].waits_for:
            message = self._open.popleft()
            if not message.failed:
                self._used.append(message.handle)
        while self._used:
            entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(self._used[:_TOGETHER])]
            del self._used[:_TOGETHER]
            with aws.asking("DeleteMessageBatch", self._url):
                # One that cannot be deleted is received again, and read again: at least once.
                self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)

    def _received(self) -> list[dict[str, Any]]:
        with aws.asking("ReceiveMessage", self._url):
            return list(self._client.receive_message(**self._receive).get("Messages", []))

    def _connect(self) -> None:
        if self._client is None:
            session = aws.session(None, "messages")
            with aws.asking("a client", self._url):
                region = _REGION.match(self._url)
                self._client = session.client("sqs", region_name=region.group(1) if region else None)
