"""Finds the conditions in what the user gives: text, JSON, a file or a folder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ctfast import _small_file
from ctfast._filter.foreign import refuse_document, refuse_text
from ctfast._filter.shapes import STATES, Language, Piece, in_json, nearest_member
from ctfast._filter.templates import from_yaml, in_template
from ctfast._show.words import meant, or_nearest, quoted
from ctfast.exceptions import FilterError, well_formed

__all__ = ["NOTHING", "Condition", "Given", "compact", "conditions", "files", "language_of", "nothing", "the_one"]

Read = TypeVar("Read")
Given: TypeAlias = str | Mapping[str, Any] | list[Any] | os.PathLike[str]

#: The formats of files with conditions, by suffix.
_SUFFIXES = {
    ".json": "json",
    ".filter": "filter",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".template": "yaml",  # or JSON, which is recognised by its first character
}
#: How JSON begins that is not a filter pattern.
_JSON = re.compile(r'\s*(\{\s*["}]|\[\s*[\[\]{"])')
#: The kind of error, and of finding, about a source without any filter.
NOTHING = "none"
#: The language of a document that has none of the known shapes.
_OTHERWISE: Language = "event pattern"


class Condition(NamedTuple):
    """The text of one condition and where it comes from.

    Attributes
    ----------
    language, text : str
        The condition.
    name : str or None
        Its name, if the document has one.
    path : str
        Its path in the document; empty if it is the whole document.
    exact : bool
        Whether the text is as it was written, so that its lines and columns are those of the document.
    file : str or None
        Path of the file, if it was read from one.
    state : str or None
        The state of the rule, if it is the event pattern of a rule.
    problem : FilterError or None
        Why it cannot be read; its kind is ``"unresolved"`` if only CloudFormation knows the complete condition.
    """

    language: Language
    text: str
    name: str | None = None
    path: str = ""
    exact: bool = True
    file: str | None = None
    state: str | None = None
    problem: FilterError | None = None

    def read(self, reader: Callable[[str], Read]) -> Read:
        """Pass the text to a reader that needs UTF-8; refuse text that cannot be encoded as UTF-8."""
        try:
            return reader(self.text)
        except UnicodeEncodeError as error:
            message = f"character {error.start + 1} is half of a pair of surrogates"
            raise FilterError(message, kind="invalid-utf8") from None

    def place(
        self, path: str | None, line: int | None, column: int | None
    ) -> tuple[str | None, int | None, int | None]:
        """Return a place in the condition as one in its document: path, line and column."""
        whole = ".".join(part for part in (self.path, path) if part).replace(".[", "[")
        return (whole or None, line, column) if self.exact else (whole or None, None, None)

    def at_home(self, error: FilterError) -> FilterError:
        """Return the same error, with its place in the document."""
        return FilterError(
            meant(error.message), *self.place(error.path, error.line, error.column), error.kind, self.file
        )


def conditions(given: Given, language: Language | None = None) -> list[Condition]:
    """Return the conditions of a text, of JSON, or of a file; a bare text is of this language."""
    if isinstance(given, os.PathLike):
        file = os.fspath(given)
        try:
            return _in_file(file, language)
        except FilterError as error:
            raise FilterError(error.message, error.path, error.line, error.column, error.kind, file) from None
    if isinstance(given, str):
        return _in_text(given, language, None)
    pieces = _pieces(given)
    whole = Piece(language or _OTHERWISE, given)
    return [_condition(piece, None) for piece in ([whole] if pieces is None else pieces)]


def language_of(text: str) -> Language:
    """Return the language of a bare text: it is a filter pattern unless it begins like JSON."""
    return "event pattern" if _JSON.match(text) else "filter pattern"


def the_one(given: Given, language: Language) -> Condition:
    """Return the only condition of this language; refuse a source with none or with several."""
    found = conditions(given, language)
    right = [condition for condition in found if condition.language == language]
    if len(right) == 1:
        if right[0].problem:
            raise right[0].problem
        return right[0]
    file = os.fspath(given) if isinstance(given, os.PathLike) else None
    if right:
        first = right[0].name or right[0].path
        raise FilterError(
            f"these are {len(right)} {_plural(language)}, the first is {first}; ctfast.rules reads all",
            kind="several",
            key=file,
        )
    others = " and ".join(sorted({_plural(condition.language) for condition in found}))
    slip = _slip(found) if language == "event selectors" else ""
    raise FilterError(f"this holds {f'{others}, but ' if others else ''}no {language}{slip}", kind="none", key=file)


def _slip(found: list[Condition]) -> str:
    """Return a suggestion for the first member of a document that looks like a mistyped member of event selectors."""
    for condition in found:
        is_whole = condition.language == "event pattern" and not condition.path
        for name in json.loads(condition.text) if is_whole else ():
            close = nearest_member(name)
            if close is not None:
                return f": {quoted(name)} is no member of theirs{or_nearest(close)}"
    return ""


def files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a folder that may hold conditions, each with its relative path without suffix as a name."""
    for path in sorted(Path(folder).rglob("*")):
        inner = path.relative_to(folder)
        if path.suffix in _SUFFIXES and path.is_file() and not any(part.startswith(".") for part in inner.parts):
            yield str(path), well_formed(inner.with_suffix("").as_posix())


def nothing(path: str | None) -> FilterError:
    """Return the error for a file, a folder or JSON without any filter."""
    is_folder = path is not None and Path(path).is_dir()
    endings = f": of a folder, files are read whose names end in {', '.join(_SUFFIXES)}" if is_folder else ""
    return FilterError(f"there are no rules here{endings}", kind=NOTHING, key=path)


def _in_file(path: str, language: Language | None) -> list[Condition]:
    try:
        text = _small_file.read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FilterError(f"this is no UTF-8, at byte {error.start}", kind="invalid-utf8") from None
    form = _SUFFIXES.get(Path(path).suffix)
    if form == "filter":
        return [Condition("filter pattern", text.rstrip(), file=path)]
    if form == "yaml" and not text.lstrip().startswith("{"):
        return [_condition(piece, path) for piece in _pieces(from_yaml(text)) or ()]
    return _in_text(text, language, path)


def _in_text(text: str, language: Language | None, file: str | None) -> list[Condition]:
    """Return the conditions of a text. Text that is not JSON is one condition; errors in it are left to its reader."""
    whole = Condition(language or _OTHERWISE, text, file=file)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        refuse_text(text)
        return [whole]
    if document == [] and whole.language == "filter pattern":
        return [whole]  # the filter pattern for any fields
    pieces = _pieces(document)
    if pieces is None:
        return [whole]
    return [
        whole._replace(language=piece.language) if piece.value is document else _condition(piece, file)
        for piece in pieces
    ]


def _pieces(document: Any) -> list[Piece] | None:
    refuse_document(document)
    if isinstance(document, Mapping) and isinstance(document.get("Resources"), Mapping):
        return list(in_template(document))
    return in_json(document)


def _condition(piece: Piece, file: str | None) -> Condition:
    name = well_formed(piece.name) if isinstance(piece.name, str) else None
    problem = piece.problem
    if problem is None and name is None and piece.name is not None:
        problem = FilterError("a name must be a text", piece.path, kind="wrong-type")
    if problem is None and not (piece.state is None or piece.state in STATES):
        problem = FilterError(f"the State of a rule is one of {', '.join(STATES)}", piece.path, kind="state")
    if problem:
        problem = FilterError(problem.message, problem.path, kind=problem.kind, key=file)
        return Condition(piece.language, "", name, piece.path, exact=False, file=file, problem=problem)
    if isinstance(piece.value, str):
        return Condition(piece.language, piece.value, name, piece.path, file=file, state=piece.state)
    if piece.language == "filter pattern":
        raise FilterError("a filter pattern must be a text", piece.path, kind="wrong-type")
    try:
        text = compact(piece.value)
    except ValueError as error:
        raise FilterError(str(error), piece.path or None, kind="invalid-json") from None
    return Condition(piece.language, text, name, piece.path, exact=False, file=file, state=piece.state)


def compact(value: Any) -> str:
    """Write a value as JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    except (RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"this cannot be written as JSON: {error}") from None
    # A lone surrogate cannot be encoded as UTF-8, but written as an escape.
    return well_formed(text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    how = ": paths are given one by one" if isinstance(value, os.PathLike) else ""
    raise TypeError(f"it holds {type(value).__name__}{how}")


def _plural(language: str) -> str:
    return language if language.endswith("s") else f"{language}s"
