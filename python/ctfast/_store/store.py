"""Where the files of a lake are: they are written once under their names, and never changed."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from ctfast import _ctfast, _small_file
from ctfast._later import pl
from ctfast._new_file import locked, written

__all__ = [
    "HASHED",
    "INDEX",
    "KEYS",
    "File",
    "Folder",
    "OtherContentsError",
    "Store",
    "differs",
    "index_path",
    "keys_path",
]

#: Where the keys of the rows of a part are, which tell the same event in other parts.
KEYS = "_ctfast/keys"
#: Where the filters of a part are, which tell what values its rows may have.
INDEX = "_ctfast/index"
#: Digits of the hash of the content that stands in the name of a file beside the table.
HASHED = 32


def keys_path(part: str) -> str:
    """Return the path of the keys of a part, relative to the same root."""
    return f"{KEYS}/{part.removesuffix('.parquet')}.keys"


def index_path(part: str) -> str:
    """Return the path of the filters of a part, relative to the same root."""
    return f"{INDEX}/{part.removesuffix('.parquet')}.index"


class OtherContentsError(ValueError):
    """A file is there already, and is not the one that is to be written."""


def differs(place: object) -> OtherContentsError:
    """Return the error for a file that is there already, and is not the one that is to be written."""
    message = (
        f"{place} is there already, with other contents: another version of ctfast or PyArrow has written it, or the "
        "files of this split have changed in between; remove it if nothing names it, or name another folder"
    )
    return OtherContentsError(message)


class File(NamedTuple):
    """A file of a store."""

    path: str
    size: int
    #: When it was written or renewed, in seconds since 1970.
    modified: float


class Store(ABC):
    """The files of a lake, by their paths relative to its root.

    Parquet files are read and written on the disk, in :attr:`folder`: :meth:`fetch` brings a file there, and
    :meth:`publish` brings one from there to where others see it.
    """

    def __init__(self) -> None:
        self._sound: set[str] = set()

    @property
    @abstractmethod
    def folder(self) -> Path:
        """Where files are on the disk."""

    @property
    @abstractmethod
    def options(self) -> Mapping[str, str]:
        """How deltalake reaches the files, from now on: credentials may be renewed."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the root, as users name it, and as other readers do."""

    def at(self, path: str) -> str:
        """Return where a file is, as users name it."""
        return f"{self}/{path}"

    @abstractmethod
    def create(self) -> None:
        """Prepare the root to be written to."""

    @abstractmethod
    def fetch(self, path: str) -> Path:
        """Return where the content of a file is on the disk: FileNotFoundError, now or there, if it is gone."""

    def fetch_all(self, paths: Iterable[str]) -> list[Path]:
        """Do the same for several files."""
        return [self.fetch(path) for path in paths]

    @abstractmethod
    def prepare(self, paths: Iterable[str]) -> None:
        """Fetch at once what is going to be fetched file by file, where that is faster, as far as it is there."""

    @abstractmethod
    def open(self, path: str) -> Any:
        """Return what PyArrow reads a Parquet file from of which it needs a part."""

    @abstractmethod
    def frame(self, paths: Iterable[str], **how: Any) -> pl.LazyFrame:
        """Return the rows of some Parquet files, which are read where they are."""

    @abstractmethod
    def publish(self, path: str) -> None:
        """Make a file of :attr:`folder` part of the store, durably."""

    @abstractmethod
    def put(self, path: str, content: bytes) -> None:
        """Write a file whose name tells its content; one that is there is renewed, so that no sweep takes it as old."""

    @abstractmethod
    def put_first(self, path: str, content: bytes) -> None:
        """Write a file; FileExistsError if there is one of this name."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return the content of a small file; FileNotFoundError if there is none."""

    @abstractmethod
    def look(self, path: str) -> File:
        """Return the size of a file and its age; FileNotFoundError if there is none."""

    @abstractmethod
    def renew(self, path: str) -> None:
        """Give a file the time of a new one, where that is possible; FileNotFoundError if it is gone."""

    @abstractmethod
    def lasting(self, part: File, other: str) -> str:
        """Return a path of a part that no sweep removes before the next commit: its own, or another one."""

    @abstractmethod
    def files(self, prefix: str) -> Iterator[File]:
        """Yield the files whose paths begin with this, in any order."""

    @abstractmethod
    def parts_of(self, split: str) -> Iterator[str]:
        """Yield the parts that a split has written, where readers take all that lies there for rows."""

    @abstractmethod
    def remove(self, *paths: str) -> None:
        """Remove files, those that are there."""

    @property
    @abstractmethod
    def keeps_removed(self) -> bool:
        """Whether files that are removed are still there, as earlier versions."""

    @abstractmethod
    def release(self, is_done: Callable[[str], bool]) -> None:
        """Remove copies on the disk of files that are read no more."""

    @abstractmethod
    def remove_leftovers(self, prefix: str) -> None:
        """Remove what killed runs have left of files without a name, in the folders that begin with this."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[bool]:
        """Wait until no other process has the store locked, and lock it until the block ends; tell whether it is."""

    @abstractmethod
    def sync(self, path: str) -> None:
        """Wait until a file that deltalake has written is on the disk."""

    def fetch_sound(self, paths: Iterable[str]) -> list[Path]:
        """Fetch files in whose names a hash of their content stands, as that of each of them is.

        Raises
        ------
        ValueError
            One is cut or was changed.
        """
        named = list(paths)
        places = self.fetch_all(named)
        for path, place in zip(named, places, strict=True):
            if path not in self._sound:
                with place.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()[:HASHED]
                if Path(path).stem[-HASHED:] != found:
                    message = f"{self.at(path)} is cut or was changed: put it back from a copy of the lake"
                    raise ValueError(message)
                self._sound.add(path)
        return places

    def release_parts(self) -> None:
        """Remove the copies on the disk of all parts and of what is beside them."""
        self.release(lambda path: not path.startswith("_") or path.startswith((f"{KEYS}/", f"{INDEX}/")))

    def fetch_part(self, path: str) -> None:
        """Bring a part and its keys to the disk."""
        self.fetch_all([path, keys_path(path)])

    def publish_part(self, path: str) -> None:
        """Make a part that is on the disk part of the store, after what is beside it: none is there without that."""
        for name in (keys_path(path), index_path(path), path):
            self.publish(name)

    def remove_parts(self, paths: Iterable[str]) -> None:
        """Remove parts, and then what is beside them."""
        gone = list(paths)
        self.remove(*gone)
        self.remove(*map(keys_path, gone), *map(index_path, gone))


class Folder(Store):
    """A folder on a disk, which may be shared."""

    folder: Path = Path()
    options: Mapping[str, str] = {}
    keeps_removed = False

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.folder = root

    def __str__(self) -> str:
        """Return its path."""
        return str(self.folder)

    def create(self) -> None:
        """Make the folder."""
        _ctfast.make_folders(self.folder)

    def fetch(self, path: str) -> Path:
        """Return the file itself, whether it is there or not."""
        return self.folder / path

    def prepare(self, paths: Iterable[str]) -> None:
        """Do nothing: they are there already."""

    def open(self, path: str) -> Path:
        """Return the file itself."""
        return self.folder / path

    def frame(self, paths: Iterable[str], **how: Any) -> pl.LazyFrame:
        """Return the rows of some Parquet files."""
        return pl.scan_parquet([self.folder / path for path in paths], glob=False, hive_partitioning=False, **how)

    def publish(self, path: str) -> None:
        """Do nothing: a file is part of the store once it has its name."""

    def put(self, path: str, content: bytes) -> None:
        """Write a file, or renew it."""
        try:
            self.put_first(path, content)
        except FileExistsError:
            self.renew(path)

    def put_first(self, path: str, content: bytes) -> None:
        """Write a file, unless there is one."""
        place = self.folder / path
        _ctfast.make_folders(place.parent)
        with written(place, replace=False) as file:
            file.write(content)

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return _small_file.read(self.folder / path, regular=True)

    def look(self, path: str) -> File:
        """Return the size of a file and its age."""
        found = (self.folder / path).stat()
        return File(path, found.st_size, found.st_mtime)

    def renew(self, path: str) -> None:
        """Set its time."""
        os.utime(self.folder / path)

    def lasting(self, part: File, other: str) -> str:  # noqa: ARG002  # a commit has the lock while it looks and names
        """Return the same path."""
        return part.path

    def files(self, prefix: str) -> Iterator[File]:
        """Yield the files whose paths begin with this, in any order."""
        parent, slash, begin = prefix.rpartition("/")
        with suppress(FileNotFoundError), os.scandir(self.folder / parent) as entries:
            for entry in entries:  # what is removed meanwhile is not there
                path = f"{parent}{slash}{entry.name}"
                if not entry.name.startswith(begin):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self.files(f"{path}/")
                elif entry.is_file(follow_symlinks=False):
                    with suppress(FileNotFoundError):
                        found = entry.stat()
                        yield File(path, found.st_size, found.st_mtime)

    def parts_of(self, split: str) -> Iterator[str]:
        """Yield the parts that a split has written."""
        for place in self.folder.glob(f"*/part-{split}-*.parquet"):
            yield place.relative_to(self.folder).as_posix()

    def remove(self, *paths: str) -> None:
        """Remove files, those that are there."""
        for path in paths:
            (self.folder / path).unlink(missing_ok=True)

    def release(self, is_done: Callable[[str], bool]) -> None:
        """Do nothing: what is on the disk is the store."""

    def remove_leftovers(self, prefix: str) -> None:
        """Remove what killed runs have left of files without a name."""
        parent, _, begin = prefix.rpartition("/")
        for folder in (self.folder / parent).glob(f"{begin}*/"):
            _ctfast.remove_leftovers(folder)

    def locked(self) -> AbstractContextManager[bool]:
        """Lock the folder."""
        return locked(self.folder)

    def sync(self, path: str) -> None:
        """Wait until a file and its entry in the folder are on the disk."""
        place = self.folder / path
        for each in (place, place.parent):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
