"""A lake in a bucket: each object is written once, by a PUT that fails if there is one of its name."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from ctfast import _ctfast
from ctfast._bound import Bound
from ctfast._later import load, pl
from ctfast._source.addresses import is_address, whole
from ctfast._source.buckets import split
from ctfast._store.object_file import ObjectFile
from ctfast._store.reach import Reach
from ctfast._store.store import File, Folder, Store, differs, index_path, keys_path
from ctfast._store.temporary import temporary

__all__ = ["Bucket", "opened", "words_of"]

#: Requests that are under way at once.
_AT_ONCE = 16
#: PUTs of one new object at the same time, of which one may succeed. One after another they would prove nothing.
_PROBES = 8
#: The hash of the content among the metadata of an object.
_SHA256 = "ctfast-sha256"
#: A part that was written earlier is not named by a commit: a sweep takes those that are twice as old for left behind.
_YOUNG = 12 * 3600
_NO_BUCKET = "there is no such bucket"
#: What a store says of credentials.
_CREDENTIALS = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "TokenRefreshRequired"}
_WORDS = {"AccessDenied": "access denied", "NoSuchBucket": _NO_BUCKET}
_CODE = re.compile(r"<Code>(\w{1,100})</Code>")
#: The longest sentence of a library.
_LONGEST = 500
#: How often a write is tried again that fails since an object is there, which then is not.
_TRIES = 5


def opened(root: str | os.PathLike[str], storage_options: Mapping[str, str] | None) -> Store:
    """Return the store of a folder, or of an address of a bucket."""
    place = os.fspath(root)
    return Bucket(place, storage_options) if is_address(place) else Folder(Path(whole(place)))


class Bucket(Bound, Store):
    """The objects below a prefix of a bucket, and a folder of this process for copies of them."""

    _instead = "send the address of the lake, and open it there"

    def __init__(self, url: str, storage_options: Mapping[str, str] | None) -> None:
        super().__init__()
        self._url = url.rstrip("/")
        self._bucket, self._prefix = split(self._url)
        self._reach = Reach(storage_options)
        self._guard = threading.Lock()
        self._folder: Path | None = None
        #: Copies on the disk of objects that are there.
        self._copies: set[str] = set()
        self._keeps_removed = False

    def __str__(self) -> str:
        """Return its address."""
        return self._url

    @property
    def folder(self) -> Path:
        """A folder that goes with this object."""
        with self._guard:
            if self._folder is None:
                self._folder = temporary(self)
            return self._folder

    @property
    def options(self) -> Mapping[str, str]:
        """The storage options of deltalake."""
        return self._reach.deltalake()

    @property
    def keeps_removed(self) -> bool:
        """Whether the store has told that the bucket has versions."""
        return self._keeps_removed

    def create(self) -> None:
        """Refuse a bucket in which two writers may write the same object."""
        for _ in range(_TRIES):
            won = self._trial()
            if won == 1:
                return
            if won > 1:
                break  # none may be for want of an answer
        message = (
            f"{self} cannot have a lake: of {_PROBES} writes of one new object at the same time, of which one has to "
            f"succeed (If-None-Match: *), {won} did; in such a store two commits could replace each other, or none be "
            "made: use one with conditional writes"
        )
        raise ValueError(message)

    def _trial(self) -> int:
        """Write one new object several times at once, and tell how often that was possible."""
        path = f"_ctfast/probe-{uuid.uuid4().hex}"
        barrier = threading.Barrier(_PROBES)

        def write(number: int) -> bool:
            barrier.wait()
            return self._create(path, b"%d" % number)

        try:
            with ThreadPoolExecutor(_PROBES) as pool:
                won = sum(pool.map(write, range(_PROBES)))
        except BaseException:
            with suppress(OSError):  # the first error tells more
                self.remove(path)
            raise
        self.remove(path)
        return won

    def fetch(self, path: str) -> Path:
        """Return where a copy is, which is made if there is none."""
        place = self.folder / path
        if place.exists():
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                self._download(path, file)
            Path(name).rename(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._has_copy(path)
        return place

    def fetch_all(self, paths: Iterable[str]) -> list[Path]:
        """Fetch several files at once."""
        return self._each(self.fetch, paths)

    def prepare(self, paths: Iterable[str]) -> None:
        """Fetch several files at once; what cannot be fetched is told to whoever asks for it."""

        def fetch(path: str) -> None:
            with suppress(OSError, ValueError):
                self.fetch(path)

        self._each(fetch, paths)

    def open(self, path: str) -> ObjectFile:
        """Return the object as a file."""

        def read(start: int, length: int) -> bytes:
            with self._told(path):
                return bytes(load("obstore").get_range(self._objects, path, start=start, length=length))

        return ObjectFile(self.look(path).size, read)

    def frame(self, paths: Iterable[str], **how: Any) -> pl.LazyFrame:
        """Return the rows of some Parquet files, of which Polars requests what it needs."""
        places = [self.at(path) for path in paths]
        return pl.scan_parquet(places, glob=False, hive_partitioning=False, **self._reach.polars(), **how)

    def publish(self, path: str) -> None:
        """Upload a file, unless there is one with the same content."""
        with (self.folder / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            # The system may take its pages back, unlike those of a copy in memory.
            size = os.fstat(file.fileno()).st_size
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._create_or_compare(path, content, sha256)
        self._has_copy(path)

    def put(self, path: str, content: bytes) -> None:
        """Write an object, unless there is one with the same content."""
        self._create_or_compare(path, content, hashlib.sha256(content).hexdigest())

    def put_first(self, path: str, content: bytes) -> None:
        """Write an object, unless there is one."""
        if not self._create(path, content):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self.at(path))

    def read(self, path: str) -> bytes:
        """Return the content of an object."""
        with self._told(path):
            return bytes(load("obstore").get(self._objects, path).bytes())

    def look(self, path: str) -> File:
        """Return the size of an object and its age."""
        with self._told(path):
            return self._seen(load("obstore").head(self._objects, path))

    def renew(self, path: str) -> None:
        """Do nothing: no object is written again, and a commit looks at the age of its parts."""

    def lasting(self, part: File, other: str) -> str:
        """Return the path of a part that is young, and else that of a copy of it."""
        if part.modified > time.time() - _YOUNG:
            return part.path
        with suppress(FileNotFoundError):  # an earlier version of ctfast has written none
            self._copy(index_path(part.path), index_path(other))
        self._copy(keys_path(part.path), keys_path(other))
        self._copy(part.path, other)
        return other

    def _copy(self, path: str, other: str) -> None:
        with self._told(path):
            load("obstore").copy(self._objects, path, other)

    def files(self, prefix: str) -> Iterator[File]:
        """Yield the objects whose paths begin with this, folder by folder, several at once."""
        parent, _, begin = prefix.rpartition("/")
        if not begin:
            yield from self._below(parent)
            return
        with self._told(parent):
            found = load("obstore").list_with_delimiter(self._objects, parent or None)
        yield from (file for file in map(_file, found["objects"]) if file.path.startswith(prefix))
        folders = [each for each in found["common_prefixes"] if each.startswith(prefix)]
        for files in self._each(self._below, folders):
            yield from files

    def parts_of(self, split: str) -> Iterator[str]:  # noqa: ARG002  # it would list the whole lake
        """Yield nothing: a bucket is read as a lake, whose table names the parts."""
        yield from ()

    def remove(self, *paths: str) -> None:
        """Remove objects, those that are there."""
        if paths:
            with self._told(paths[0]):
                load("obstore").delete(self._objects, list(paths))
            gone = set(paths)
            self.release(gone.__contains__)

    def release(self, is_done: Callable[[str], bool]) -> None:
        """Remove copies on the disk that are read no more."""
        with self._guard:
            gone = {path for path in self._copies if is_done(path)}
            self._copies -= gone
        for path in gone:
            (self.folder / path).unlink(missing_ok=True)

    def remove_leftovers(self, prefix: str) -> None:
        """Do nothing: an object is there as a whole, or not at all."""

    def locked(self) -> AbstractContextManager[bool]:
        """Tell that there is no lock: a sweep makes a version of the table, and commits that began before it fail."""
        return nullcontext(enter_result=False)

    def sync(self, path: str) -> None:
        """Do nothing: an object that is there is durable."""

    @cached_property
    def _objects(self) -> Any:
        try:
            store = load("obstore.store")
        except ImportError:
            message = "a lake in a bucket needs obstore: pip install 'ctfast[lake]'"
            raise ImportError(message) from None
        return store.S3Store(self._bucket, prefix=self._prefix or None, **self._reach.obstore())

    def _each(self, act: Callable[[str], Any], paths: Iterable[str]) -> list[Any]:
        with ThreadPoolExecutor(_AT_ONCE, "ctfast-lake") as pool:
            return list(pool.map(act, paths))

    def _below(self, folder: str) -> list[File]:
        with self._told(folder):
            pages = load("obstore").list(self._objects, folder or None)
            return [_file(found) for page in pages for found in page]

    def _create_or_compare(self, path: str, content: Any, sha256: str) -> None:
        for _ in range(_TRIES):
            if self._create(path, content, sha256):
                return
            try:
                is_same = self._is(path, len(content), sha256)
            except FileNotFoundError:
                continue  # it was removed meanwhile, or is being written
            if not is_same:
                raise differs(self.at(path))
            return
        raise FileExistsError(errno.EEXIST, "is written and removed by others again and again", self.at(path))

    def _create(self, path: str, content: Any, sha256: str | None = None) -> bool:
        """Write an object, and tell whether that was possible: it is not if there is one, which may be this one."""
        try:
            try:
                self._put(path, content, sha256)
            except ConnectionError:
                # obstore does not repeat a write whose answer is lost. If it was done, there is an object now.
                self._put(path, content, sha256)
        except FileExistsError:
            return False
        return True

    def _put(self, path: str, content: Any, sha256: str | None) -> None:
        attributes = {} if sha256 is None else {_SHA256: sha256}
        with self._told(path, is_new=True):
            done = load("obstore").put(
                self._objects, path, content, attributes=attributes, mode="create", use_multipart=False
            )
        self._keeps_removed |= done["version"] is not None

    def _is(self, path: str, size: int, sha256: str) -> bool:
        """Whether an object has this content."""
        with self._told(path):
            found = load("obstore").get(self._objects, path, options={"head": True})
            if self._seen(found.meta).size != size:
                return False
            # Tools that copy buckets may leave the metadata out.
            known = found.attributes.get(_SHA256)
            return sha256 == (known or hashlib.sha256(self.read(path)).hexdigest())

    def _download(self, path: str, file: IO[bytes]) -> None:
        sha256 = hashlib.sha256()
        with self._told(path):
            found = load("obstore").get(self._objects, path)
            for chunk in found.stream():
                sha256.update(chunk)
                file.write(chunk)
        digits = sha256.hexdigest()
        if file.tell() != self._seen(found.meta).size or found.attributes.get(_SHA256, digits) != digits:
            message = f"{self.at(path)} is cut or was changed: put it back from a copy of the lake"
            raise ValueError(message)

    def _seen(self, found: Mapping[str, Any]) -> File:
        self._keeps_removed |= found["version"] is not None
        return _file(found)

    def _has_copy(self, path: str) -> None:
        with self._guard:
            self._copies.add(path)

    @contextmanager
    def _told(self, path: str, *, is_new: bool = False) -> Iterator[None]:
        """Turn an error of obstore into one of Python with one sentence."""
        errors = load("obstore.exceptions")
        try:
            yield
        except FileNotFoundError as error:
            if error.filename is not None:
                raise  # of the disk, or from here
            words = _NO_BUCKET if is_new else "no such object"
            raise FileNotFoundError(errno.ENOENT, words, self.at(path)) from None
        except errors.AlreadyExistsError:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), self.at(path)) from None
        except errors.BaseError as error:
            raise _failure(error, self.at(path)) from None


def _file(found: Mapping[str, Any]) -> File:
    return File(found["path"], found["size"], found["last_modified"].timestamp())


def _failure(error: Exception, place: str) -> OSError:
    code = _CODE.search(str(error))
    if code is None:
        return ConnectionError(errno.EIO, words_of(error), place)
    if code[1] in _CREDENTIALS or code[1] == "AccessDenied":
        return PermissionError(errno.EACCES, words_of(error), place)
    return OSError(errno.EIO, words_of(error), place)


def words_of(error: Exception) -> str:
    """Return what is wrong with a request, in one sentence without secrets."""
    text = str(error)
    if (code := _CODE.search(text)) is not None:
        if code[1] in _CREDENTIALS:
            return f"the credentials are refused: {code[1]}"
        if code[1] in _WORDS:
            return _WORDS[code[1]]
        return f"the store refuses it: {code[1]}"
    # What follows repeats it, as obstore's programmers see it.
    return _ctfast.without_secrets(" ".join(text.partition("\n\nDebug source")[0].split()))[:_LONGEST]
