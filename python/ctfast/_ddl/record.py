"""The columns that a record itself has, for engines that are told the types of JSON."""

from __future__ import annotations

from typing import NamedTuple

from ctfast import _ctfast

__all__ = ["Column", "record"]

#: Kinds of columns that are ctfast's own: no record has them.
_OWN = ("extra", "raw", "file", "record")


class Column(NamedTuple):
    """A column, or a member of one."""

    #: With the names of what it is a member of.
    path: str
    name: str
    #: ``text``, ``flag``, ``time``, ``json``, ``object`` or ``list``.
    kind: str
    #: Of an object, or of the objects in a list.
    members: list[Column]


def record() -> list[Column]:
    """Return the columns of a record, in their order.

    Examples
    --------
    >>> [(each.name, len(each.members)) for each in record()][:3]
    [('eventVersion', 0), ('userIdentity', 13), ('eventTime', 0)]
    """
    found: dict[str, Column] = {}
    for path, kind, _ in _ctfast.columns():
        if kind not in _OWN:
            plain = path.replace("[]", "")
            parent, _, name = plain.rpartition(".")
            found[plain] = Column(plain, name, kind, [])
            if parent:
                found[parent].members.append(found[plain])
    return [each for path, each in found.items() if "." not in path]
