"""Read AWS CloudTrail archives into Arrow and Polars, at the speed of gunzip and without losing a byte."""

from ctfast import _interrupt

_interrupt.watch()  # before all that takes long to import

# ruff: noqa: E402
from typing import TYPE_CHECKING

from ctfast._ctfast import DEBUG as _DEBUG
from ctfast._ctfast import __version__
from ctfast._later import load as _load
from ctfast.exceptions import (
    ArgumentError,
    ArgumentTypeError,
    CloudTrailError,
    ConsumedError,
    FilterError,
    FormatError,
    NothingChosen,
    QueryError,
    ServiceError,
    SourceError,
)

if TYPE_CHECKING:
    from ctfast import packs as packs
    from ctfast._columns import columns
    from ctfast._copy import Copied, CopyProgress, copy
    from ctfast._cost import Cost, cost
    from ctfast._filters import EventPattern, EventSelectors, Filter, FilterPattern, Unmet
    from ctfast._info import Info, info
    from ctfast._keys import PublicKey, fetch_keys
    from ctfast._lint import lint
    from ctfast._match import match
    from ctfast._objects import KeySource
    from ctfast._objects.checkpoint import Checkpoint
    from ctfast._objects.inventory import Inventory
    from ctfast._objects.lines import KeyList
    from ctfast._objects.messages import Messages, Queue
    from ctfast._outcomes import files
    from ctfast._prices import Price, Prices
    from ctfast._report import Counts, Limits, Report
    from ctfast._rules import rules
    from ctfast._scan import read, scan, sql
    from ctfast._signatures import fetch_signatures
    from ctfast._stream import EventStream, stream
    from ctfast._unit import Unit
    from ctfast._verify import Progress, Verification, Verifier, verify
else:
    #: The same names by their modules, each imported when the first of its names is asked for.
    _HOMES = {
        "packs": ("packs",),
        "_columns": ("columns",),
        "_copy": ("Copied", "CopyProgress", "copy"),
        "_cost": ("Cost", "cost"),
        "_filters": ("EventPattern", "EventSelectors", "Filter", "FilterPattern", "Unmet"),
        "_info": ("Info", "info"),
        "_keys": ("PublicKey", "fetch_keys"),
        "_lint": ("lint",),
        "_match": ("match",),
        "_objects": ("KeySource",),
        "_objects.checkpoint": ("Checkpoint",),
        "_objects.inventory": ("Inventory",),
        "_objects.lines": ("KeyList",),
        "_objects.messages": ("Messages", "Queue"),
        "_outcomes": ("files",),
        "_prices": ("Price", "Prices"),
        "_report": ("Counts", "Limits", "Report"),
        "_rules": ("rules",),
        "_scan": ("read", "scan", "sql"),
        "_signatures": ("fetch_signatures",),
        "_stream": ("EventStream", "stream"),
        "_unit": ("Unit",),
        "_verify": ("Progress", "Verification", "Verifier", "verify"),
    }
    _HOME = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name: str) -> object:
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = _load(f"{__name__}.{home}")
        value = globals()[name] = module if home == name else getattr(module, name)
        return value

    def __dir__() -> list[str]:
        return sorted({*_HOME, *__all__, *(name for name in globals() if name.startswith("__"))})


if _DEBUG:
    import warnings as _warnings

    _warnings.warn("ctfast was built without optimisation: it is correct, but slow", RuntimeWarning, stacklevel=2)

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "Checkpoint",
    "CloudTrailError",
    "ConsumedError",
    "Copied",
    "CopyProgress",
    "Cost",
    "Counts",
    "EventPattern",
    "EventSelectors",
    "EventStream",
    "Filter",
    "FilterError",
    "FilterPattern",
    "FormatError",
    "Info",
    "Inventory",
    "KeyList",
    "KeySource",
    "Limits",
    "Messages",
    "NothingChosen",
    "Price",
    "Prices",
    "Progress",
    "PublicKey",
    "QueryError",
    "Queue",
    "Report",
    "ServiceError",
    "SourceError",
    "Unit",
    "Unmet",
    "Verification",
    "Verifier",
    "__version__",
    "columns",
    "copy",
    "cost",
    "fetch_keys",
    "fetch_signatures",
    "files",
    "info",
    "lint",
    "match",
    "read",
    "rules",
    "scan",
    "sql",
    "stream",
    "verify",
]
