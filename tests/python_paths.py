"""Which modules of a package each module imports at run time, read from its source; type-only imports are left out."""

from __future__ import annotations

import ast
from pathlib import Path


def arrows(package: Path) -> dict[str, set[str]]:
    """Each module and the modules that it imports, by their names in the package, which itself has an empty name."""
    files = {_name(file, package): file for file in sorted(package.rglob("*.py*")) if file.suffix in (".py", ".pyi")}
    found = {}
    for name, file in files.items():
        if file.suffix == ".pyi":
            found[name] = set()
            continue
        imported = _Imports(package.name, file.relative_to(package.parent))
        imported.visit(ast.parse(file.read_text()))
        homes = {_nearest(path, files) for path in imported.found if path[0] == package.name}
        found[name] = homes - {name}
    return found


def _name(file: Path, package: Path) -> str:
    return ".".join(file.relative_to(package).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def _nearest(path: tuple[str, ...], files: dict[str, Path]) -> str:
    inside = path[1:]
    return next(name for length in range(len(inside), -1, -1) if (name := ".".join(inside[:length])) in files)


class _Imports(ast.NodeVisitor):
    def __init__(self, package: str, file: Path) -> None:
        self.package = package
        self.here = file.parent.parts
        self.found: set[tuple[str, ...]] = set()

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            # A module with a `__getattr__` imports the same names for type checkers only.
            imports = any(
                isinstance(inside, ast.FunctionDef) and inside.name == "__getattr__" for inside in node.orelse
            )
            for inside in [*(node.body if imports else []), *node.orelse]:
                self.visit(inside)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found.update(tuple(alias.name.split(".")) for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        above = self.here[: len(self.here) - node.level + 1] if node.level else ()
        start = (*above, *(node.module or "").split(".")) if node.module else above
        self.found.update((*start, alias.name) for alias in node.names)
