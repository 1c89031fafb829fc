"""Sets of filters that are ready to use, by name.

=======  ==================================================================================
Name     Filters
=======  ==================================================================================
``cis``  metric filters of the CIS AWS Foundations Benchmark: :mod:`ctfast.packs.cis`
=======  ==================================================================================
"""

from __future__ import annotations

from ctfast._filters import FilterPattern
from ctfast._words import nearest, or_nearest, quoted
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
    ValueError
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
        raise ValueError(f"there is no pack {quoted(name)}{or_nearest(nearest(name, _PACKS))}; there are: {', '.join(_PACKS)}")
    return {control.name: FilterPattern(control.pattern) for control in _PACKS[name]}
