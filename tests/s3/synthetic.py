"""A bucket of very many log files that is never stored: its keys are computed when they are listed.

It knows ListObjectsV2 with prefix, delimiter, start-after, continuation and max-keys, and GetObject; a thousand keys to
a page, as S3 has them. See "ListObjectsV2" in AWS's API reference of S3.
"""

from __future__ import annotations

import gzip
import json
from asyncio import StreamWriter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from xml.sax.saxutils import escape

from loopback import Request, Traffic, error, response, serving

_PAGE = 1000
#: Sorts after all keys that begin with the text before it.
_LAST = "\U0010ffff"


@dataclass
class Bucket:
    """The bucket: every account has the same regions, days and number of files a day."""

    accounts: int
    regions: Sequence[str]
    first: date
    days: int
    files: int
    kinds: Sequence[str] = ("CloudTrail",)
    prefix: str = ""
    #: There are digests, too, so that there is something to skip.
    digests: bool = True
    endpoint: str = ""
    traffic: Traffic = field(default_factory=Traffic)

    def __len__(self) -> int:
        """Log files."""
        return self.accounts * len(self.regions) * self.days * self.files * len(self.kinds)

    @cached_property
    def account_ids(self) -> list[str]:
        return [f"{100_000_000_000 + number * 7919:012}" for number in range(self.accounts)]

    @cached_property
    def _days(self) -> list[str]:
        return [f"{self.first + timedelta(number):%Y/%m/%d}" for number in range(self.days)]

    def keys(self, prefix: str = "", after: str = "") -> Iterator[str]:
        """The keys that begin with ``prefix`` and come after ``after``, in order."""

        def ahead(folder: str) -> bool:
            matches = folder.startswith(prefix) or prefix.startswith(folder)
            return matches and folder + _LAST > after

        kinds = sorted([*self.kinds, "CloudTrail-Digest"] if self.digests else self.kinds, key=lambda kind: f"{kind}/")
        for account in self.account_ids:
            if not ahead(owned := f"{self.prefix}AWSLogs/{account}/"):
                continue
            for kind in kinds:
                if not ahead(sorted_by_kind := f"{owned}{kind}/"):
                    continue
                for region in sorted(self.regions):
                    if not ahead(place := f"{sorted_by_kind}{region}/"):
                        continue
                    for day in self._days:
                        if ahead(folder := f"{place}{day}/"):
                            names = self._names(account, kind, region, day)
                            yield from (
                                key for name in names if (key := folder + name).startswith(prefix) and key > after
                            )

    def _names(self, account: str, kind: str, region: str, day: str) -> list[str]:
        stamp = day.replace("/", "")
        if kind == "CloudTrail-Digest":
            return [f"{account}_{kind}_{region}_trail_{region}_{stamp}T{hour:02}0000Z.json.gz" for hour in range(24)]
        times = (divmod(number * 1440 // self.files, 60) for number in range(self.files))
        return [
            f"{account}_{kind}_{region}_{stamp}T{hour:02}{minute:02}Z_{number:016}.json.gz"
            for number, (hour, minute) in enumerate(times)
        ]

    def page(self, prefix: str, delimiter: str, after: str, most: int) -> tuple[list[str], list[str], str | None]:
        """Keys and common prefixes of one page, and where the next page begins."""
        keys: list[str] = []
        folders: list[str] = []
        rest = self.keys(prefix, after)
        last = after
        while (key := next(rest, None)) is not None:
            if len(keys) + len(folders) == most:
                return keys, folders, last
            end = key.find(delimiter, len(prefix)) if delimiter else -1
            if end < 0:
                keys.append(key)
                last = key
            else:
                folders.append(key[: end + len(delimiter)])
                last = folders[-1] + _LAST
                rest = self.keys(prefix, last)
        return keys, folders, None

    async def answer(self, request: Request, writer: StreamWriter) -> None:
        match request.kind:
            case "list":
                writer.write(response(200, self._listing(request).encode()))
            case "get" | "head":
                writer.write(self._object(request))
            case _:
                writer.write(error(405, "MethodNotAllowed"))

    def left(self, writer: StreamWriter) -> None:
        pass

    def _listing(self, request: Request) -> str:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        # A token is the key in hexadecimal: it need not be readable, but must be safe in a URL.
        token = query.get("continuation-token")
        after = bytes.fromhex(token).decode() if token else query.get("start-after", "")
        keys, folders, following = self.page(prefix, delimiter, after, min(_PAGE, int(query.get("max-keys", _PAGE))))
        parts = [
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        ]
        parts += [f"<Name>{request.bucket}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>{_PAGE}</MaxKeys>"]
        parts += [
            (
                f"<KeyCount>{len(keys) + len(folders)}</KeyCount>"
                f"<IsTruncated>{str(following is not None).lower()}</IsTruncated>"
            )
        ]
        if following is not None:
            parts += [f"<NextContinuationToken>{following.encode().hex()}</NextContinuationToken>"]
        size = len(self._body(""))
        parts += [
            f"<Contents><Key>{escape(key)}</Key><LastModified>2025-03-12T00:00:00.000Z</LastModified>"
            f'<ETag>"0"</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>'
            for key in keys
        ]
        parts += [f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders]
        return "".join([*parts, "</ListBucketResult>"])

    def _object(self, request: Request) -> bytes:
        if next(self.keys(request.key), None) != request.key:
            return error(404, "NoSuchKey")
        headers = {"last_modified": "Wed, 12 Mar 2025 00:00:00 GMT", "etag": '"0"'}
        whole = response(200, self._body(request.key), kind="application/x-gzip", **headers)
        return whole if request.kind == "get" else whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    @staticmethod
    def _body(_key: str) -> bytes:
        """Every file holds one event."""
        event = {"eventVersion": "1.08", "eventTime": "2025-03-12T00:00:00Z", "eventName": "ListBuckets"}
        return gzip.compress(json.dumps({"Records": [event]}).encode(), mtime=0)


@contextmanager
def served(bucket: Bucket) -> Iterator[Bucket]:
    """The bucket, under any name, at an endpoint of its own while the context is open."""
    with serving(bucket, bucket.traffic) as endpoint:
        bucket.endpoint = endpoint
        yield bucket
