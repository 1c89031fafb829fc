"""The usual loop: gunzip, parse, build columns; with orjson and with the standard library.

Parsing holds the GIL, so the second thread can only inflate ahead. For tiny files that costs more than it gains, and is
left out.
"""

from __future__ import annotations

import gzip
import json
import platform
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ctfast._bench.readers import frames
from ctfast._bench.readers.base import Archive
from ctfast._bench.readers.schema import COLUMNS, IDENTITY, Kind

AHEAD = 4  # files inflated before they are needed


def arrow_type(kind: Kind) -> pa.DataType:
    """Return the Arrow type of `kind`; times are text until the end."""
    if isinstance(kind, dict):
        return pa.struct([(name, arrow_type(member)) for name, member in kind.items()])
    if isinstance(kind, list):
        return pa.list_(arrow_type(kind[0]))
    return pa.bool_() if kind == "flag" else pa.string()


class Loop:
    """A loop over the files; `loads` and `dumps` are the JSON library's."""

    def __init__(
        self, archive: Archive, threads: int, loads: Callable[[bytes], Any], dumps: Callable[[Any], str]
    ) -> None:
        self.archive = archive
        self.threads = threads
        self.loads = loads
        self.dumps = dumps

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """Return path and inflated bytes of each file."""
        files = self.archive.files
        if self.archive.small_files or self.threads == 1:
            for file in files:
                yield str(file), gzip.decompress(file.read_bytes())
            return
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[tuple[Path, Future[bytes]]] = deque()
            for file in files:
                waiting.append((file, pool.submit(_inflate, file)))
                if len(waiting) > AHEAD:
                    done, body = waiting.popleft()
                    yield str(done), body.result()
            for done, body in waiting:
                yield str(done), body.result()

    def columns(self) -> pl.DataFrame:
        """Read every event with every column."""
        plain = [name for name, kind in COLUMNS.items() if kind != "json" and name != "userIdentity"]
        opened = [name for name, kind in COLUMNS.items() if kind == "json"]
        values: dict[str, list[Any]] = {name: [] for name in (*COLUMNS, "file")}
        appends = [(name, values[name].append) for name in plain]
        opened_appends = [(name, values[name].append) for name in opened]
        identities, files = values["userIdentity"], values["file"]
        dumps = self.dumps
        for file, body in self.bodies():
            records = self.loads(body)["Records"]
            for record in records:
                get = record.get
                for name, append in appends:
                    append(get(name))
                for name, append in opened_appends:
                    value = get(name)
                    append(None if value is None else dumps(value))
                identity = get("userIdentity")
                if identity is not None and (
                    federation := identity.get("sessionContext", {}).get("webIdFederationData")
                ):
                    federation["attributes"] = dumps(federation.get("attributes"))
                identities.append(identity)
            files.extend([file] * len(records))
        arrays = {
            name: pa.array(values[name], arrow_type(kind)) for name, kind in COLUMNS.items() if name != "userIdentity"
        }
        arrays["userIdentity"] = pa.array(identities, arrow_type(IDENTITY))
        arrays["file"] = pa.array(files, pa.string())
        frame = pl.DataFrame(pa.table(arrays))
        return frame.with_columns(
            pl.col("eventTime").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        )

    def count(self) -> Counter[str | None]:
        """Count the events by name."""
        counts: Counter[str | None] = Counter()
        for _, body in self.bodies():
            counts.update([record.get("eventName") for record in self.loads(body)["Records"]])
        return counts

    def rare(self) -> list[tuple[Any, ...]]:
        """Return five columns of the DeleteBucket events; only files that hold the text are parsed."""
        return self._five(search=True)

    def rare_typed(self) -> list[tuple[Any, ...]]:
        """Return the same with every file parsed."""
        return self._five(search=False)

    def _five(self, *, search: bool) -> list[tuple[Any, ...]]:
        needle = f'"{self.archive.rare}"'.encode()
        return [
            (
                record["eventTime"],
                record["eventName"],
                record["userIdentity"].get("arn"),
                record["sourceIPAddress"],
                record["eventID"],
            )
            for _, body in self.bodies()
            if not search or needle in body
            for record in self.loads(body)["Records"]
            if record.get("eventName") == self.archive.rare
        ]

    def facts(self, task: str, result: Any) -> Any:
        """Return what is compared with the manifest."""
        return frames.facts(task, result) if task == "columns" else result


class Orjson(Loop):
    """The loop with orjson."""

    def __init__(self, archive: Archive, threads: int) -> None:
        import orjson  # noqa: PLC0415 — the loop over `json` needs no orjson

        def dumps(value: Any) -> str:
            return orjson.dumps(value).decode()

        super().__init__(archive, threads, orjson.loads, dumps)
        self._version = f"orjson {orjson.__version__}"

    def version(self) -> str:
        """Return the versions that matter."""
        return self._version


class Stdlib(Loop):
    """The loop with `json`."""

    def __init__(self, archive: Archive, threads: int) -> None:
        super().__init__(
            archive, threads, json.loads, json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        )

    def version(self) -> str:
        """Return the versions that matter."""
        return f"json of Python {platform.python_version()}"


def _inflate(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes())
