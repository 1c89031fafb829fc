"""The part of HTTP/1.1 that S3 needs, on loopback: an event loop on its own thread, and keep-alive connections."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit
from weakref import WeakSet

#: Seconds to wait for a step of the loop that should take no time.
_MOMENT = 0.05


@dataclass(frozen=True)
class Request:
    """A request as it was received."""

    head: bytes
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    #: Counts requests of this kind for this object or prefix, from 1.
    attempt: int = 1
    #: Number of requests in progress, including this one.
    in_flight: int = 1

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def bucket(self) -> str:
        return unquote(urlsplit(self.target).path).lstrip("/").partition("/")[0]

    @property
    def key(self) -> str:
        return unquote(urlsplit(self.target).path).lstrip("/").partition("/")[2]

    @property
    def kind(self) -> str:
        """``list``, ``get``, ``head``, ``put``, …"""
        return "list" if self.method == "GET" and not self.key else self.method.lower()

    @property
    def about(self) -> str:
        """The object or the prefix of the request."""
        query = self.query
        place = query.get("prefix", "") + " " + query.get("continuation-token", query.get("start-after", ""))
        return f"{self.kind} {self.bucket}/{place if self.kind == 'list' else self.key}"


class Closed(Exception):  # noqa: N818  # not an error
    """The other side has closed its connection."""


class Answering(Protocol):
    """An object that answers requests, and writes the answers itself."""

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None: ...

    def left(self, writer: asyncio.StreamWriter) -> None: ...


@dataclass
class Traffic:
    """Statistics about the requests received."""

    requests: Counter[str] = field(default_factory=Counter)
    most_in_flight: int = 0
    in_flight: int = 0
    attempts: Counter[str] = field(default_factory=Counter)


async def read_head(reader: asyncio.StreamReader) -> tuple[bytes, list[str], dict[str, str]]:
    """The head unchanged, the words of its first line, and its fields by their names in lower case."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        raise Closed from None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    fields = (line.partition(":") for line in lines)
    return head, first.split(" ", 2), {name.strip().lower(): value.strip() for name, _, value in fields}


async def read_request(reader: asyncio.StreamReader) -> Request:
    head, (method, target, _), headers = await read_head(reader)
    return Request(head, method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def response(status: int, body: bytes = b"", *, kind: str = "application/xml", **headers: str) -> bytes:
    """A complete response."""
    fields = {"Content-Length": str(len(body)), "Content-Type": kind} | {
        name.replace("_", "-").title(): value for name, value in headers.items()
    }
    head = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*head, "", ""]).encode() + body


def error(status: int, code: str, message: str = "by request of a test", **headers: str) -> bytes:
    """An error response as S3 sends it."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return response(status, text.encode(), **headers)


@dataclass
class _Conversations:
    """The connections of one server."""

    server: Answering
    traffic: Traffic
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    #: Those that still have something to send are open after their tasks have ended.
    transports: WeakSet[asyncio.WriteTransport] = field(default_factory=WeakSet)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.transports.add(writer.transport)
        try:
            while True:
                await self.answer(await read_request(reader), writer)
        except (Closed, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # an end, of the other side's will or ours
        finally:
            self.tasks.discard(task)
            self.server.left(writer)
            writer.close()

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        traffic = self.traffic
        traffic.requests[request.kind] += 1
        traffic.attempts[request.about] += 1
        traffic.in_flight += 1
        traffic.most_in_flight = max(traffic.most_in_flight, traffic.in_flight)
        told = {"attempt": traffic.attempts[request.about], "in_flight": traffic.in_flight}
        try:
            await self.server.answer(replace(request, **told), writer)
            await writer.drain()
        finally:
            traffic.in_flight -= 1

    async def stop(self, listening: asyncio.Server) -> None:
        # A connection that was just taken has to begin before it can end.
        while asyncio.all_tasks() - {asyncio.current_task(), *self.tasks}:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(_MOMENT)
        listening.close()
        rest = list(self.tasks)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for transport in self.transports:
            with suppress(AttributeError):  # of CPython 3.11, if the connection has just been lost
                transport.abort()
        await asyncio.sleep(_MOMENT)


@contextmanager
def serving(server: Answering, traffic: Traffic, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve on a free port of loopback while the context is open; its endpoint."""
    loop = asyncio.new_event_loop()
    conversations = _Conversations(server, traffic)
    starting = asyncio.start_server(conversations.converse, "127.0.0.1", 0, limit=1 << 20, backlog=1024, ssl=tls)
    listening = loop.run_until_complete(starting)
    thread = threading.Thread(target=loop.run_forever, name="loopback", daemon=True)
    thread.start()
    try:
        yield f"http{'' if tls is None else 's'}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(conversations.stop(listening), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
