"""2.17: a typo in a name or value of the documents gives exit code 2, or an error, and a message with the word.

Each name and value in the commands and calls of README and docs is mistyped, one at a time; ``FREE`` lists the places
where any text is valid, and why.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import doctest
import io
import itertools
import re
import shlex
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result

import ctfast as ct
from ctfast.cli import main
from ctfast.sample import Sample

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

#: Places where any text is valid, and the reason.
FREE = {
    "output": "a new file may have any name",
    "bucket": "which buckets there are, their store alone knows; it is asked first, and the error names the bucket",
    "bucket's region": "AWS has new regions all the time; what is in the form of one is asked for",
    "text": "a value that events are compared with may be any text",
    "alias": "a name that the query gives to its own result",
    "inner": "below requestParameters and responseElements, names are those of each service",
    "data": "what AWS sends is data, and may be of another kind",
    "number": "a number may be any other",
}
#: Options whose values are free, and why.
OPTIONS = {
    **dict.fromkeys(("target", "html", "checkpoint", "keep", "files"), "output"),
    **dict.fromkeys(("slots", "days"), "number"),
}


class Slip(NamedTuple):
    """A mistyped word, and its place in the documents."""

    document: str
    word: str
    given: Any

    def __str__(self) -> str:
        return f"{self.document}: {self.word}: {self.given}"


def slipped(word: str) -> str:
    """The word without its middle letter; a single letter is replaced, and two are swapped."""
    if len(word) < 3:
        return word[::-1] if len(set(word)) == 2 else chr(ord(word[0]) + 1)
    middle = len(word) // 2
    return word[:middle] + word[middle + 1 :]


# Texts with their own grammar

_NAME = re.compile(r"""'[^']*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_]*""")
_FIELD = re.compile(r"\$((?:\.\w+)+)")


def in_sql(text: str, free: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The query with each word mistyped."""
    own = {alias for _, alias in re.findall(r"\b(AS|WITH) (\w+)", text)}
    for found in _NAME.finditer(text):
        word = found[0]
        if word[0] == "'":
            free("text")
        elif word in own:
            free("alias")
        else:
            wrong = slipped(word)
            yield wrong, text[: found.start()] + wrong + text[found.end() :]


def in_pattern(text: str, free: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The filter pattern with each field and operator mistyped."""
    free("text")
    for found in _FIELD.finditer(text):
        names = found[1].split(".")
        if len(names) > 2:
            free("inner")
        wrong = slipped(names[1])
        yield wrong, text[: found.start() + 2] + wrong + text[found.start() + 2 + len(names[1]) :]


def in_event_pattern(text: str, free: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The pattern in JSON with each name mistyped."""
    free("text")
    for found in re.finditer(r'"(\w+)":', text):
        wrong = slipped(found[1])
        yield wrong, text.replace(f'"{found[1]}"', f'"{wrong}"', 1)


# The command line


def commands() -> Iterator[tuple[str, list[str]]]:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in text.splitlines():
            found = re.match(r"(?:\$ | +)?(ctfast +[a-z].*)", line)
            if found and not line.startswith(("ctfast reads", "ctfast turns")) and "[OPTIONS]" not in line:
                words = shlex.split(found[1], comments=True)[1:]
                yield path.name, list(itertools.takewhile(lambda word: word not in ("|", ">", "&&"), words))


def slips_of_commands(free: Callable[[str], None]) -> Iterator[Slip]:
    for document, words in commands():
        for at, word, wrong in _in_command(words, free):
            yield Slip(document, wrong, [*words[:at], word, *words[at + 1 :]])


def _in_command(words: list[str], free: Callable[[str], None]) -> Iterator[tuple[int, str, str]]:
    """Place, new text, and the mistyped word in it."""
    yield 0, slipped(words[0]), slipped(words[0])
    verb = main.commands.get(words[0])
    assert verb is not None, words
    name, at = words[0], 1
    if isinstance(verb, click.Group):
        yield 1, slipped(words[1]), slipped(words[1])
        verb, name, at = verb.commands[words[1]], f"{name} {words[1]}", 2
    options = {flag: option for option in verb.params if isinstance(option, click.Option) for flag in option.opts}
    arguments = iter([option for option in verb.params if isinstance(option, click.Argument)])
    argument: click.Parameter | None = None
    while at < len(words):
        word = words[at]
        if word.startswith("-") and word != "-":
            wrong = "-" + slipped(word[1:]) if word.startswith("--") else slipped(word[1:]).join(["-", ""])
            yield at, wrong, wrong
            option = options[word]
            at += 1
            if option.is_flag:
                continue
            yield from _in_value(name, str(option.name), at, words[at], free)
        else:
            if argument is None or argument.nargs == 1:
                argument = next(arguments)
            yield from _in_value(name, str(argument.name), at, word, free)
        at += 1


def _in_value(verb: str, name: str, at: int, value: str, free: Callable[[str], None]) -> Iterator[tuple[int, str, str]]:
    if (verb, name) == ("sql", "query"):
        yield from ((at, text, wrong) for wrong, text in in_sql(value, free))
    elif name == "filter_pattern" or (name == "where" and value.startswith("{")):
        yield from ((at, text, wrong) for wrong, text in in_pattern(value, free))
    elif name == "event_pattern" and value.startswith("{"):
        yield from ((at, text, wrong) for wrong, text in in_event_pattern(value, free))
    elif name == "columns":
        for column in value.split(","):
            wrong = slipped(column)
            yield at, value.replace(column, wrong, 1), wrong
    elif name in OPTIONS:
        free(OPTIONS[name])
    elif (verb, name) in (("ingest", "lake"), ("lake hold", "name"), ("lake export", "dest")):
        free("output")
    elif value.startswith("s3://"):
        free("bucket")
    elif (verb, name) == ("fetch-keys", "regions"):
        free("bucket's region")
    else:
        yield at, slipped(value), slipped(value)


@pytest.fixture(scope="module")
def world(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the files that the commands of the documents name."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "sample").mkdir()
    for name, path in (("keys.json", sample.keys), ("signatures.json", sample.signatures)):
        shutil.copy(path, folder / name)
        shutil.copy(path, folder / "sample" / name)
    shutil.copy(sample.signatures, folder / "archive.signatures.json")
    for name in ("ARCHIVE", "archive", "logs", f"sample/{sample.archive.name}"):
        (folder / name).symlink_to(sample.archive)
    text = (ROOT / "docs" / "filters.md").read_text(encoding="utf-8")
    for name, content in re.findall(r"`(\w+\.json)`[^`]*?\n\n```json\n(.*?)\n```", text, re.DOTALL):
        (folder / name).write_text(content)
    shutil.copy(folder / "selectors.json", folder / "new.json")
    (folder / "root.filter").write_text('{ $.userIdentity.type = "Root" }\n')
    (folder / "rules").mkdir()
    shutil.copy(folder / "pattern.json", folder / "rules")
    (folder / "part.aa").write_text("".join(f"{split.json()}\n" for split in ct.splits(sample.archive)))
    with contextlib.chdir(folder):
        yield folder


def run(words: list[str]) -> Result:
    """Run a command with relative times replaced: the sample is older than a week, but not than some decades."""
    return CliRunner().invoke(main, [re.sub(r"^7d$", "2000w", word) for word in words])


def reaches_out(words: list[str]) -> bool:
    """Whether the command would send requests to a store or to AWS if nothing in it were wrong."""
    return words[0].startswith("fetch-") or any(word.startswith("s3://") for word in words)


def test_the_commands_as_they_stand(world: Path) -> None:
    """They succeed: else every typo in them would seem to be found."""
    found = [words for _, words in commands()]
    assert len(found) >= 30
    for words in found:
        if words[0] != "demo" and not reaches_out(words):
            result = run(words)
            assert result.exit_code in (0, 1), (words, result.output)


def test_a_slip_in_a_command(world: Path) -> None:
    silent = []
    for slip in slips_of_commands(lambda _: None):
        result = run(slip.given)
        words = " ".join(result.output.split())
        if result.exit_code != 2 or slip.word not in words or "Traceback" in words:
            silent.append(f"{slip} -> {result.exit_code}: {words[:300]} {result.exception!r}")
    assert not silent, "\n".join(silent)


# Python


def slips_of_calls(source: str, free: Callable[[str], None]) -> Iterator[tuple[str, ast.Module]]:
    """The example with each name and value of a call of ctfast, and each column of Polars, mistyped."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        for change, wrong in _in_node(node, tree, free):
            other = copy.deepcopy(tree)
            change(list(ast.walk(other))[number])
            yield wrong, other


def _in_node(
    node: ast.AST, tree: ast.Module, free: Callable[[str], None]
) -> Iterator[tuple[Callable[[Any], None], str]]:
    def named(field: str, text: str) -> Callable[[Any], None]:
        return lambda other: setattr(other, field, text)

    if isinstance(node, ast.Attribute) and _root(node) == "ct":
        yield named("attr", slipped(node.attr)), slipped(node.attr)
    call, is_key = _calls(tree).get(node, ("", False))
    if isinstance(node, ast.keyword) and node.arg and call.startswith("ct."):
        yield named("arg", slipped(node.arg)), slipped(node.arg)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and call:
        for wrong, text in _in_text(call, node.value, free, is_key=is_key):
            yield named("value", text), wrong


def _in_text(call: str, text: str, free: Callable[[str], None], *, is_key: bool) -> Iterator[tuple[str, str]]:
    if call == "ct.sql" and " " in text:
        yield from in_sql(text, free)
    elif call == "ct.FilterPattern":
        yield from in_pattern(text, free)
    elif call == "ct.EventPattern" and not is_key:
        free("text")
    elif text == "bucketName":
        free("inner")
    elif text.startswith("arn:"):
        free("bucket")
    elif call == "ct.Messages":
        free("data")
    elif call in ("ct.Checkpoint", "ct.Lake"):
        free("output")
    else:
        yield slipped(text), slipped(text)


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


#: Methods of Polars that take names of columns.
_OF_COLUMNS = ("col", "select", "group_by", "sort", "field")


def _calls(tree: ast.Module) -> dict[ast.AST, tuple[str, bool]]:
    """For each name and value, its call of ctfast or of a method that takes columns, and whether it is a key."""
    found: dict[ast.AST, tuple[str, bool]] = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            name = ast.unparse(call.func) if _root(call.func) == "ct" else call.func.attr
            if name.startswith("ct."):
                parts = [part for given in (*call.args, *call.keywords) for part in ast.walk(given)]
                keys = {key for part in parts if isinstance(part, ast.Dict) for key in part.keys}
                found |= {part: (name, part in keys) for part in parts}
            elif name in _OF_COLUMNS:
                found |= dict.fromkeys((part for part in call.args if isinstance(part, ast.Constant)), (name, False))
    return found


def test_a_slip_in_a_call(sample: Sample) -> None:
    silent = []
    for path in DOCUMENTS:
        space: dict[str, Any] = {name: str(getattr(sample, name)) for name in ("archive", "keys", "signatures")}
        for example in doctest.DocTestParser().get_examples(path.read_text(encoding="utf-8")):
            if "duckdb" in example.source:
                break
            if not (example.exc_msg or re.search(r"\b(def|try|explain)\b", example.source)):
                for wrong, tree in slips_of_calls(example.source, lambda _: None):
                    words = told(tree, dict(space))
                    if wrong not in words:
                        silent.append(f"{path.name}: {wrong}: {ast.unparse(tree)[:200]} -> {words[:200]}")
            if example.exc_msg is None:
                quietly(example.source, space)
    assert not silent, "\n".join(silent)


def told(tree: ast.Module, space: dict[str, Any]) -> str:
    """The error or findings of an example, after evaluating its verifications, lazy scans and filters."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            before = dict(space)
            quietly(ast.unparse(tree), space)
            said = [
                " ".join(_asked(value))
                for name, value in space.items()
                if before.get(name) is not value or isinstance(value, ct.Report)
            ]
            said += [" ".join(_linted(call)) for call in ast.walk(tree) if isinstance(call, ast.Call)]
    except Exception as error:  # noqa: BLE001  # whatever it is, it must have the word
        said = [str(error)]
    return " ".join(" ".join(said).split())


def _asked(value: Any) -> Iterator[str]:
    if isinstance(value, pl.LazyFrame):
        value.collect()
    if isinstance(value, ct.Report):
        yield from map(str, value.unmatched)
    if isinstance(value, ct.Verification):
        yield value.summary()
        yield from value.findings["message"]


def _linted(call: ast.Call) -> Iterator[str]:
    """The findings of lint on a filter in an example."""
    if ast.unparse(call.func) in ("ct.FilterPattern", "ct.EventPattern") and isinstance(
        call.args[0], ast.Constant | ast.Dict
    ):
        given = ast.literal_eval(call.args[0])
        given = {"filterPattern": given, "filterName": "x"} if isinstance(given, str) else given
        yield from ct.lint(given)["message"]


def quietly(source: str, space: dict[str, Any]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, "<example>", "exec"), space)


def test_each_exception_is_one() -> None:
    used: set[str] = set()
    list(slips_of_commands(used.add))
    for path in DOCUMENTS:
        for example in doctest.DocTestParser().get_examples(path.read_text(encoding="utf-8")):
            list(slips_of_calls(example.source, used.add))
    assert used == set(FREE)
