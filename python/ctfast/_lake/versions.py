"""Old versions of objects: those that were replaced, or are hidden by a delete marker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctfast import _ctfast
from ctfast._aws.buckets import client
from ctfast._aws.client import asking
from ctfast._lake.plan import Found
from ctfast._source.buckets import split

__all__ = ["VERSION", "old_versions"]

#: What stands between the address of an object and the version of it that is meant.
VERSION = "?versionId="
_CLASSES = ("GLACIER", "DEEP_ARCHIVE")
#: Stores with another end of their address may not tell whether objects are restored.
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


def old_versions(
    sources: list[str], selection: _ctfast.Selection, storage_options: Mapping[str, str] | None
) -> Iterator[list[Found]]:
    """Yield the old versions of objects below these addresses that are selected by their keys, page by page."""
    for source in sources:
        bucket, prefix = split(source)
        found = client(storage_options, source, 1)
        pages = iter(
            found.get_paginator("list_object_versions").paginate(
                Bucket=bucket, Prefix=prefix, OptionalObjectAttributes=["RestoreStatus"]
            )
        )
        while True:
            with asking("ListObjectVersions", source):
                page = next(pages, None)
            if page is None:
                break
            versions = (each for each in page.get("Versions", ()) if not each["IsLatest"])
            yield [
                _found(f"s3://{bucket}/{each['Key']}", each, is_aws=found.meta.endpoint_url.endswith(_AWS))
                for each in versions
                if selection.skips(f"s3://{bucket}/{each['Key']}") is None
            ]


def _found(address: str, version: Mapping[str, Any], *, is_aws: bool) -> Found:
    file = f"{address}{VERSION}{version['VersionId']}", version["Size"], version["ETag"], None
    storage = version.get("StorageClass")
    if storage not in _CLASSES:
        return Found(file, "new", None)
    status = version.get("RestoreStatus")
    if status is None:
        return Found(file, "archived" if is_aws else "unknown", storage)
    return Found(file, "restoring" if status.get("IsRestoreInProgress") else "new", storage)
