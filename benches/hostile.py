"""Peak memory of reading archives that are made to need much of it, and the bound that ctfast states.

    python benches/hostile.py [--cases NAME,...] [--ways NAME,...] [--folder DIRECTORY]

Each case is a small archive in which one thing is extreme: rows, bad records, keys, lists, texts, sizes.
Each is read in each way in a separate process; the peak is the high-water mark of its memory less what it held after
its imports. The bound is the one of `rust/core/src/bounds.rs`: 64 MiB, and for each thread 48 MiB and the text of a
file that is inflated at once.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ctfast._bench.worker import forget_peak, memory

MIB = 1 << 20
#: As large as a record may be.
RECORD = MIB
#: What is added to the bound of each thread, in MiB, if there are files large enough to be inflated at once.
AT_ONCE = {"files of 50 MB, inflated at once": 50}
#: Every column that can hold text has some, in as few bytes as possible.
FULL = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "p",
        "arn": "a",
        "accountId": "1",
        "accessKeyId": "k",
        "userName": "u",
        "invokedBy": "i",
        "sessionContext": {
            "attributes": {"creationDate": "2024-01-01T00:00:00Z", "mfaAuthenticated": "true"},
            "sessionIssuer": {"type": "Role", "principalId": "p", "arn": "a", "accountId": "1", "userName": "u"},
            "sourceIdentity": "s",
        },
    },
    "eventTime": "2024-01-01T00:00:00Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "awsRegion": "r",
    "sourceIPAddress": "1.1.1.1",
    "userAgent": "a",
    "errorCode": "c",
    "errorMessage": "m",
    "requestParameters": {},
    "responseElements": {},
    "additionalEventData": {},
    "requestID": "r",
    "eventID": "e",
    "eventType": "t",
    "apiVersion": "v",
    "recipientAccountId": "1",
    "serviceEventDetails": {},
    "sharedEventID": "s",
    "vpcEndpointId": "v",
    "eventCategory": "Data",
    "tlsDetails": {"tlsVersion": "1", "cipherSuite": "c", "clientProvidedHostHeader": "h"},
    "resources": [{"ARN": "a", "ARNPrefix": "p", "accountId": "1", "type": "t"}],
}


def records(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Return a log of these parts, which include their commas."""
    yield b'{"Records":['
    yield from parts
    yield b"]}"


def write(path: Path, parts: Iterable[bytes], level: int = 6) -> None:
    """Write a file: of gzip, if its name says so."""
    with gzip.open(path, "wb", level) if path.suffix == ".gz" else path.open("wb") as file:
        for part in parts:
            file.write(part)


def repeated(part: bytes, size: int, last: bytes = b"{}") -> Iterator[bytes]:
    """Yield `part` again and again, `size` bytes of it, then `last`."""
    block = part * max(1, MIB // len(part))
    for _ in range(size // len(block)):
        yield block
    yield part * (size % len(block) // len(part))
    yield last


def noise(size: int) -> bytes:
    """Return text that does not compress below a half."""
    return random.Random(7).randbytes(size // 2).hex().encode()  # no secret


def cases() -> dict[str, Callable[[Path], dict[str, Any] | None]]:
    """Return the function that creates each case in a folder; some cases need options to be readable."""
    full = json.dumps(FULL, separators=(",", ":")).encode()

    def one(name: str, parts: Iterable[bytes]) -> Callable[[Path], None]:
        return lambda folder: write(folder / name, parts)

    def many(count: int, name: str, parts: Callable[[], Iterable[bytes]]) -> Callable[[Path], None]:
        def make(folder: Path) -> None:
            write(folder / f"0{name}", parts())
            text = (folder / f"0{name}").read_bytes()
            for number in range(1, count):
                (folder / f"{number}{name}").write_bytes(text)

        return make

    def huge_record(folder: Path) -> dict[str, Any]:
        write(folder / "a.json.gz", records([b'{"x":[', *repeated(b"{},", 160_000_000 * 3), b"]}"]))
        return {"limits": {"ratio": 2_000}}

    def ordinary(size: int) -> Callable[[], Iterable[bytes]]:
        # As dense as possible, at a ratio within the limits.
        text = noise(size // 14)
        return lambda: records(
            [b'{"requestParameters":"' + text[at : at + 100_000] + b'"},' for at in range(0, len(text), 100_000)]
            + [*repeated(b"{},", size // 6)]
        )

    def largest() -> Iterable[bytes]:
        # As large as CloudTrail's largest files, at a ratio at which a file is inflated at once.
        text = noise(2_400 * 4_000)
        pieces = (text[at : at + 4_000] for at in range(0, len(text), 4_000))
        filler = b"x" * 15_000
        return records([b",".join(full[:-1] + b',"requestParameters":"' + piece + filler + b'"}' for piece in pieces)])

    def filled(inside: bytes, count: int = 40) -> Iterator[bytes]:
        # Records of the largest size, filled with one kind of content.
        record = b'{"eventName":"x",' + inside + b"}"
        return records([b",".join([record] * count)])

    members = RECORD - 100
    wide = b'"":1,' * (members // 5) + b'"eventName":"y"'
    deep = (
        b'"insightDetails":{"insightContext":{"statistics":{"baseline":{'
        + b'"":1,' * (members // 5 - 40)
        + b'"a":1}}}}'
    )
    lists = b'"resources":[' + b"{}," * (16_000) + b'{"ARN":"a","accountId":"b","type":"c","ARNPrefix":"d"}]'
    long_lists = b'"resources":[' + b"1," * (members // 2 - 100) + b"1]"
    event = json.dumps({"EventId": "x", "CloudTrailEvent": "{"}).encode() + b","
    good = json.dumps({"CloudTrailEvent": full.decode()}).encode() + b","
    plain = {"limits": {"ratio": 2_000}}
    return {
        "rows of a small file": one("rows.json.gz", records([full, b",", *repeated(b"{},", 5_600_000 * 3)])),
        "bad records of a small file": one("bad.json.gz", records(repeated(b"1,", 8_400_000 * 2, b"1"))),
        "bad CloudTrailEvents": lambda folder: write(
            folder / "a.json", [b'{"Events":[', *repeated(event, 2_700_000 * len(event), b"{}"), b"]}"]
        ),
        "a large lookup-events array": lambda folder: write(
            folder / "a.json", [b'{"Events":[', *repeated(good, 60 * MIB, b"{}"), b"]}"]
        ),
        "many small files that inflate hugely": many(8, ".json.gz", lambda: records(repeated(b"{},", MIB - 20))),
        "files at the ratio cap": many(
            60,
            ".json.gz",
            lambda: [*records([b'{"requestParameters":"' + noise(48 << 10) + b'"},', *repeated(b"{},", 6 * MIB)])],
        ),
        "files of 50 MB, dense": many(3, ".json.gz", ordinary(48 * MIB)),
        "files of 50 MB, of text": many(
            6,
            ".json.gz",
            lambda: records([b",".join([full[:-1] + b',"requestParameters":"' + noise(20_000) + b'"}'] * 2_200)]),
        ),
        "files of 50 MB, inflated at once": many(6, ".json.gz", largest),
        "a plain file of rows": one("a.json", records(repeated(b"{},", 8 * MIB))),
        "one record of 160 million {}": huge_record,
        "one record of 8 million duplicates": lambda folder: (
            write(folder / "a.json.gz", records([b"{", *repeated(b'"a":1,', 48 * MIB, b'"a":1'), b"}"])) or plain
        ),
        "one record of ten million keys": lambda folder: (
            write(
                folder / "a.json.gz", records([b"{", *(b'"%d":1,' % number for number in range(10_000_000)), b'"a":1}'])
            )
            or plain
        ),
        "records full of unknown keys": one("a.json", filled(wide)),
        "records full of unknown keys with long paths": one("a.json", filled(deep)),
        "records full of one known key": one(
            "a.json", filled(b'"eventName":1,' * (members // 14 - 100) + b'"eventName":2')
        ),
        "records full of resources": one("a.json", filled(lists)),
        "records full of what are no resources": one("a.json", filled(long_lists)),
        "brackets and escapes only": one(
            "a.json", filled(b'"x":[' + b"[" * 500 + b"]" * 500 + b',"' + b"\\n" * 500_000 + b'"]')
        ),
        "nothing, then a value in every column": one("a.json", records([b"{}," * 8_000 + full + b","] * 30 + [full])),
        "long texts": one("a.json", filled(b'"requestParameters":"' + b"x" * 1_000_000 + b'"', 200)),
        "text after escapes": one(
            "a.json", filled(b'"requestParameters":{"a":"b"},"errorMessage":"' + b"\\u0041" * 170_000 + b'"', 200)
        ),
    }


#: How each case is read: the threads and the query.
WAYS = {
    "all columns, 1 thread": (1, {}),
    "all columns, 2 threads": (2, {}),
    "one column, 1 thread": (1, {"columns": ["requestParameters"]}),
    "without raw, 2 threads": (2, {"columns": ["eventName", "extra", "resources", "userIdentity"]}),
    "keys without sizes, 2 threads": (2, {"keys": True}),
    "300 rules, 2 threads": (2, {"rules": 300}),
}


def run(
    folder: Path,
    threads: int,
    columns: list[str] | None = None,
    *,
    keys: bool = False,
    rules: int = 0,
    limits: dict[str, int] | None = None,
) -> None:
    """Read a case, and print the peak, the rows and the bad records."""
    import polars as pl  # noqa: F401, PLC0415  # its import is not part of the peak
    import pyarrow as pa  # noqa: F401, PLC0415  # as above

    import ctfast as ct  # noqa: PLC0415  # in a process of its own

    options: dict[str, Any] = {"on_error": "collect", "threads": threads, "report": ct.Report()}
    if rules:
        options["rules"] = {
            f"rule {number}": ct.FilterPattern(f'{{ $.eventName != "{number}" }}') for number in range(rules)
        }
    if limits:
        options["limits"] = ct.Limits(**limits)
    source = ct.KeyList(sorted(map(str, folder.iterdir()))) if keys else folder
    gc.collect()
    forget_peak()
    before = memory("VmRSS")
    rows = 0
    with ct.stream(source, columns=columns, **options) as batches:
        for batch in batches:
            rows += batch.num_rows
    report = options["report"]
    assert rows == report.records.read
    named = report.bad.height + int(report.unnamed["count"].sum())
    peak = memory("VmHWM") - before
    assert named == report.records.bad + report.files.bad, report
    print(json.dumps({"peak": peak, "rows": rows, "bad": report.records.bad, "files bad": report.files.bad}))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure the peak memory of hostile input.")
    parser.add_argument("--cases", help="names, or parts of names, with commas between them")
    parser.add_argument("--ways", help="ways to read them, likewise")
    parser.add_argument(
        "--folder", type=Path, help="where to make the archives; by default they are removed in the end"
    )
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run(Path(options.run[0]), **json.loads(options.run[1]))
        return
    over = []
    with tempfile.TemporaryDirectory() as temporary:
        print(f"{'case':46}{'way':32}{'rows':>11}{'bad':>10}{'peak, MiB':>11}{'bound':>7}")
        for number, (name, make) in enumerate(cases().items()):
            if options.cases and not any(part in name for part in options.cases.split(",")):
                continue
            folder = (options.folder or Path(temporary)) / str(number)
            options_of = folder.with_suffix(".options")
            if not folder.exists():
                folder.mkdir(parents=True)
                options_of.write_text(json.dumps(make(folder) or {}))
            more = json.loads(options_of.read_text())
            for way, (threads, asked) in WAYS.items():
                if options.ways and not any(part in way for part in options.ways.split(",")):
                    continue
                bound = 64 + (48 + AT_ONCE.get(name, 0)) * threads
                arguments = json.dumps({"threads": threads, **asked, **more})
                ran = subprocess.run(
                    [sys.executable, __file__, "--run", folder, arguments], capture_output=True, text=True, check=False
                )
                if ran.returncode:
                    over.append(name)
                    print(f"{name:46}{way:32} exit {ran.returncode}: {ran.stderr.strip().splitlines()[-1:]}")
                    continue
                found = json.loads(ran.stdout)
                peak = found["peak"] / MIB
                if peak > bound:
                    over.append(name)
                print(f"{name:46}{way:32}{found['rows']:11,}{found['bad']:10,}{peak:11,.0f}{bound:7}", flush=True)
    sys.exit(f"over the bound: {', '.join(dict.fromkeys(over))}" if over else 0)


if __name__ == "__main__":
    main()
