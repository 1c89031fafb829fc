"""A store that answers each request by the script of a test, and keeps the requests."""

from __future__ import annotations

from asyncio import StreamWriter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from loopback import Closed, Request, Traffic, response, serving


class Cut(bytes):
    """An answer after which the connection is closed, whatever its Content-Length."""


@dataclass
class Scripted:
    """The store as a test sees it."""

    script: Callable[[Request], bytes]
    endpoint: str = ""
    asked: list[Request] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)

    async def answer(self, request: Request, writer: StreamWriter) -> None:
        self.asked.append(request)
        told = self.script(request)
        writer.write(told)
        if isinstance(told, Cut):
            await writer.drain()
            raise Closed

    def left(self, writer: StreamWriter) -> None:
        pass

    @property
    def options(self) -> dict[str, str]:
        """The storage options to reach it."""
        return {
            "endpoint_url": self.endpoint,
            "access_key_id": "an-access-key",
            "secret_access_key": "a-secret-that-nobody-sees",
            "session_token": "a-token-that-nobody-sees",
            "max_retries": "3",
        }


@contextmanager
def playing(script: Callable[[Request], bytes]) -> Iterator[Scripted]:
    """A store with this script while the context is open."""
    store = Scripted(script)
    with serving(store, store.traffic) as endpoint:
        store.endpoint = endpoint
        yield store


def page(keys: Sequence[tuple[str, int]], token: str | None = None) -> bytes:
    """A page of a listing."""
    contents = "".join(f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>" for key, size in keys)
    following = "" if token is None else f"<NextContinuationToken>{token}</NextContinuationToken>"
    truncated = str(token is not None).lower()
    text = f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{following}{contents}</ListBucketResult>"
    return response(200, text.encode())
