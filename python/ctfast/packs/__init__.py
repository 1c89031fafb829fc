"""Sets of filters that are ready to use, by name.

=======  ==================================================================================
Name     Filters
=======  ==================================================================================
``cis``  metric filters of the CIS AWS Foundations Benchmark: :mod:`ctfast.packs.cis`
=======  ==================================================================================
"""

from __future__ import annotations

from ctfast._arguments.gate import public
from ctfast._filter.filters import FilterPattern
from ctfast._show.words import nearest, or_nearest, quoted
from ctfast.exceptions import ArgumentError
from ctfast.packs import cis

__all__ = ["load", "names"]

_PACKS = {"cis": cis.CONTROLS}


def names() -> list[str]:
    """Return the names of the packs.

    Examples
    --------
    >>> import ctfast as ct
    >>> ct.packs.names()
    ['cis']
    """
    return list(_PACKS)


@public()
def load(name: str) -> dict[str, FilterPattern]:
    """Return the filters of a pack by their names, ready for :func:`ctfast.match`.

    Parameters
    ----------
    name
        One of :func:`names`.

    Returns
    -------
    dict of str to FilterPattern
        In the order of the benchmark.

    Raises
    ------
    ArgumentError
        There is no such pack.

    Examples
    --------
    >>> import ctfast as ct
    >>> pack = ct.packs.load("cis")
    >>> len(pack)
    15
    >>> pack["console-failures"]
    FilterPattern('{ $.eventName = "ConsoleLogin" && $.errorMessage = "Failed authentication" }')
    """
    if name not in _PACKS:
        close = nearest(name, _PACKS)
        message = f"name: there is no pack {quoted(name)}; there are: {', '.join(_PACKS)}{or_nearest(close)}"
        raise ArgumentError(message, "name", name, close, "packs.load")
    return {control.name: FilterPattern(control.pattern) for control in _PACKS[name]}
