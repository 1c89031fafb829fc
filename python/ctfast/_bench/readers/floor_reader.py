"""The floor: reading and inflating every file, and nothing else."""

from __future__ import annotations

from ctfast import _ctfast
from ctfast._bench.readers.base import Archive

__all__ = ["Floor"]


class Floor:
    """libdeflate, into a reused buffer."""

    def __init__(self, archive: Archive, threads: int) -> None:
        self.archive = archive
        self.threads = threads
        self.files = archive.files

    def version(self) -> str:
        """Return the versions that matter."""
        return f"libdeflate in ctfast {_ctfast.__version__}"

    def inflate(self) -> list[int | None]:
        """Inflate every file."""
        return _ctfast.floor(self.files, self.threads)

    def facts(self, _task: str, result: list[int | None]) -> dict[str, int]:
        """Return the bytes of text."""
        return {"text": sum(text or 0 for text in result)}
