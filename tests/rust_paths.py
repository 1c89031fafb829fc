"""Which other modules each module of a Rust crate names, read from the text of its files.

Names are followed to the module that defines them: the use of a re-exported name (`pub use hash::hex`) is an arrow to
`hash`, not to the module that re-exports it, and a re-export itself is not an arrow. Code that is compiled only for
tests and fuzz targets is left out: it uses modules everywhere. Calls of methods are not seen, only paths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_UNREAD = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\br(?P<marks>\#*)".*?"(?P=marks)|"(?:\\.|[^"\\])*"|'(?:\\[^']+|\\'|[^'\\])'""", re.DOTALL
)
_FOR_TESTS = re.compile(r"#\[cfg\([^\]]*\b(?:test|feature)\b[^\]]*\)\]\s*(?:#\[[^\]]*\]\s*)*")
_MARK = re.compile(r"[{}()\[\];,]")
_USE = re.compile(r"\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")
_DECLARED = re.compile(r"\bmod\s+(\w+)\s*;")
_DEFINED = re.compile(r"\b(?:fn|struct|enum|union|trait|type|const|static|mod)\s+(?:mut\s+)?(\w+)")
_PATH = re.compile(r"(?<![\w:])(?:(?:self|super|crate|[a-z_]\w*)::)+\w+")

Names = tuple[str, ...]
"""A module, or a name in one, from the crate's root on."""


@dataclass
class Module:
    """One file."""

    path: Names
    children: set[str]
    defined: set[str]
    aliases: dict[str, Names] = field(default_factory=dict)
    named: set[Names] = field(default_factory=set)
    globs: list[Names] = field(default_factory=list)


def arrows(source: Path) -> dict[str, set[str]]:
    """Each module, as `a::b`, and the other modules of the crate that it names."""
    modules = {module.path: module for module in (_read(file, source) for file in _files(source))}
    found = {}
    for path, module in modules.items():
        homes = {_home(names, modules) for names in module.named}
        found["::".join(path)] = {"::".join(home) for home in homes - {path}}
    return found


def _files(source: Path) -> list[Path]:
    """The files that a build without tests compiles."""
    found, ahead = [], [source / "lib.rs"]
    while ahead:
        file = ahead.pop()
        found.append(file)
        folder = file.parent if file.name in ("lib.rs", "mod.rs") else file.with_suffix("")
        places = ((folder / f"{name}.rs", folder / name / "mod.rs") for name in _DECLARED.findall(_code(file)))
        ahead += [next(path for path in either if path.exists()) for either in places]
    return found


@cache
def _code(file: Path) -> str:
    """The text without comments, strings, and what is compiled for tests only."""
    text = _UNREAD.sub(" ", file.read_text())
    start = 0
    while match := _FOR_TESTS.search(text, start):
        start = match.start()
        text = text[:start] + text[_end_of_item(text, match.end()) :]
    return text


def _end_of_item(text: str, start: int) -> int:
    is_use = _USE.match(text, start) is not None
    depth = 0
    for mark in _MARK.finditer(text, start):
        depth += (mark[0] in "{([") - (mark[0] in "})]")
        if depth < 0 or (depth == 0 and mark[0] == ","):
            return mark.start()
        if depth == 0 and (mark[0] == ";" or (mark[0] == "}" and not is_use)):
            return mark.end()
    return len(text)


def _read(file: Path, source: Path) -> Module:
    text = _code(file)
    parts = file.relative_to(source).with_suffix("").parts
    module = Module(
        parts[:-1] if parts[-1] in ("mod", "lib") else parts, set(_DECLARED.findall(text)), set(_DEFINED.findall(text))
    )
    for public, tree in _USE.findall(text):
        for names, alias in _spread(tree.strip()):
            whole = _absolute(names, module)
            if whole is None or whole == (*module.path, alias):
                continue
            if alias == "*":
                module.globs.append(whole)
            else:
                module.aliases[alias] = whole
            if not public:
                module.named.add(whole)
    for path in _PATH.findall(_USE.sub(" ", text)):
        whole = _absolute(tuple(path.split("::")), module)
        if whole is not None:
            module.named.add(whole)
    return module


def _spread(tree: str) -> list[tuple[Names, str]]:
    """The paths of a `use`, and the name that each has from then on."""
    before, brace, inside = tree.partition("{")
    if not brace:
        path, _, alias = tree.partition(" as ")
        names = tuple(name.strip() for name in path.split("::"))
        if names[-1] == "*":
            return [(names[:-1], "*")]
        return [(names, alias.strip() or names[-1])]
    start = tuple(name for name in (part.strip() for part in before.split("::")) if name)
    found, depth, last = [], 0, 0
    inside = inside.rstrip().removesuffix("}")
    for place, letter in enumerate(f"{inside},"):
        depth += (letter == "{") - (letter == "}")
        part = inside[last:place].strip()
        if letter == "," and depth == 0:
            last = place + 1
            if part == "self":
                found.append((start, start[-1]))
            elif part:
                found += [((*start, *names), alias) for names, alias in _spread(part)]
    return found


def _absolute(names: Names, module: Module) -> Names | None:
    """A path from the crate's root; `None` if it leads to another crate or begins at an imported name."""
    if names[0] == "crate":
        return names[1:]
    here = module.path
    if names[0] not in ("super", "self"):
        return (*here, *names) if names[0] in module.children else None
    while names and names[0] in ("super", "self"):
        here = here[:-1] if names[0] == "super" else here
        names = names[1:]
    return (*here, *names)


def _home(names: Names, modules: dict[Names, Module]) -> Names:
    """The module that defines what a path names."""
    for _ in range(20):
        length = next(length for length in range(len(names), -1, -1) if names[:length] in modules)
        module, rest = modules[names[:length]], names[length:]
        if rest and rest[0] not in module.defined and rest[0] in module.aliases:
            names = (*module.aliases[rest[0]], *rest[1:])
            continue
        if rest and rest[0] not in module.defined:
            for glob in module.globs:
                if rest[0] in modules[_home(glob, modules)].defined:
                    return _home(glob, modules)
        return module.path
    message = f"{'::'.join(names)} is given on in a circle"
    raise AssertionError(message)
