"""Many filters over an archive in one pass: :func:`match`."""

from __future__ import annotations

from typing import Unpack

from ctfast._arguments.gate import Reading, public
from ctfast._filter.rules import Rules
from ctfast._later import pl
from ctfast._scan.options import ask
from ctfast._scan.scan import lazily
from ctfast._source.addresses import Source

__all__ = ["match"]


@public(options=Reading)
def match(source: Source, rules: Rules, **options: Unpack[Reading]) -> pl.LazyFrame:
    """Find the records that meet at least one of many filters, in one pass.

    The filters share their work: each record is read once for all of them, and filters that need one of some strings at
    a path, such as ``eventName``, are indexed by it. So a thousand of them cost little more than one.

    Parameters
    ----------
    source, **options
        As for :func:`scan`; with ``where``, records must meet that as well.
    rules
        Filters by name; or what :func:`rules` reads, such as the path of a folder; or a pack:
        ``ctfast.packs.load("cis")``.

    Returns
    -------
    polars.LazyFrame
        One row per record that meets a rule, with the columns of :func:`scan` and, last, ``rules``: the names of all
        rules that it meets, in their order. ``report.duplicates`` counts the duplicates among them.

    Raises
    ------
    FilterError
        A rule is invalid, or there is none. Other errors as for :func:`scan`.

    Examples
    --------
    >>> import ctfast as ct, polars as pl
    >>> hits = ct.match(archive, ct.packs.load("cis"))
    >>> hits.select(pl.col("rules").explode().value_counts(sort=True)).unnest("rules").head(2).collect()
    shape: (2, 2)
    ┌────────────────────┬───────┐
    │ rules              ┆ count │
    │ ---                ┆ ---   │
    │ str                ┆ u32   │
    ╞════════════════════╪═══════╡
    │ unauthorized-calls ┆ 69    │
    │ root-use           ┆ 3     │
    └────────────────────┴───────┘
    """
    return lazily(ask("match", source, rules=rules, counts_duplicates=True, **options))
