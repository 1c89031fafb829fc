"""Read AWS CloudTrail archives into Arrow and Polars, at the speed of gunzip and without losing a byte."""

from ctfast import _interrupt

_interrupt.watch()  # before all that takes long to import

# ruff: noqa: E402
from ctfast import packs as packs
from ctfast._columns import columns
from ctfast._copy import Copied, CopyProgress, copy
from ctfast._cost import Cost, cost
from ctfast._ctfast import DEBUG as _DEBUG
from ctfast._ctfast import __version__
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
from ctfast._prices import Price, Prices
from ctfast._report import Counts, Limits, Report
from ctfast._rules import rules
from ctfast._scan import read, scan, sql
from ctfast._signatures import fetch_signatures
from ctfast._stream import EventStream, stream
from ctfast._unit import Unit
from ctfast._verify import Progress, Verification, Verifier, verify
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
