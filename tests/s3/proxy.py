"""A proxy in front of an S3 server, which injects the faults that a test asks for.

Signatures cover the Host header, so the head of a request is forwarded byte for byte.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from loopback import Closed, Request, Traffic, error, read_head, serving


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The fault of one request; its parts may be combined."""

    #: Seconds to wait first.
    delay: float = 0
    #: An error response of S3 instead of the real response: status and code.
    answer: tuple[int, str] | None = None
    #: Part of the body that is sent before the connection is closed or stalls.
    cut: float | None = None
    #: Whether the connection is closed with a reset.
    reset: bool = False
    #: Whether the connection stalls instead of being closed.
    stall: bool = False
    #: Bytes by which the body is shortened, and its Content-Length as well.
    short: int = 0


NOTHING = Fault()


@dataclass
class Proxy:
    """The proxy as a test sees it: ``fault`` decides about each request."""

    upstream: str
    endpoint: str = ""
    fault: Callable[[Request], Fault] = lambda _: NOTHING
    traffic: Traffic = field(default_factory=Traffic)
    _upstreams: dict[asyncio.StreamWriter, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=dict
    )

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        fault = self.fault(request)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.answer is not None:
            writer.write(error(*fault.answer))
            return
        head, body = await self._forward(request, writer)
        if fault.short and len(body) > fault.short:
            body = body[: -fault.short]
            head = _with_length(head, len(body))
        if fault.cut is None:
            writer.write(head + body)
            return
        writer.write(head + body[: int(len(body) * fault.cut)])
        await writer.drain()
        if fault.stall:
            await asyncio.Event().wait()  # until the test is over
        if fault.reset:
            _reset(writer)
        raise Closed

    async def _forward(self, request: Request, writer: asyncio.StreamWriter) -> tuple[bytes, bytes]:
        """Head and body of the real response; each connection has its own connection to the server."""
        for fresh in (False, True):
            if fresh or writer not in self._upstreams:
                place = urlsplit(self.upstream)
                self._upstreams[writer] = await asyncio.open_connection(place.hostname, place.port, limit=1 << 20)
            reader, onward = self._upstreams[writer]
            try:
                onward.write(request.head + request.body)
                await onward.drain()
                head, (_, status, *_), headers = await read_head(reader)
                return await _whole(reader, request, head, status, headers)
            except (Closed, ConnectionError):
                self.left(writer)
                if fresh:
                    raise
        raise Closed

    def left(self, writer: asyncio.StreamWriter) -> None:
        """Close the connection to the server that belongs to this one."""
        _, onward = self._upstreams.pop(writer, (None, None))
        if onward is not None:
            onward.transport.abort()


async def _whole(
    reader: asyncio.StreamReader, request: Request, head: bytes, status: str, headers: dict[str, str]
) -> tuple[bytes, bytes]:
    if request.method == "HEAD" or status in {"204", "304"}:
        return head, b""
    if headers.get("transfer-encoding") != "chunked":
        return head, await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    body = b"".join(parts)
    return _with_length(head, len(body)), body


def _with_length(head: bytes, length: int) -> bytes:
    """The head with this length of the body, instead of another one or of chunks."""
    lines = [
        line
        for line in head.split(b"\r\n")
        if line and line.split(b":")[0].lower() not in {b"content-length", b"transfer-encoding"}
    ]
    return b"\r\n".join([*lines, b"Content-Length: %d" % length, b"", b""])


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection with a reset: unsent data are lost."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def before(upstream: str) -> Iterator[Proxy]:
    """A proxy in front of this endpoint while the context is open."""
    proxy = Proxy(upstream)
    with serving(proxy, proxy.traffic) as endpoint:
        proxy.endpoint = endpoint
        yield proxy
