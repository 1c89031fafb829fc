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
    from ctfast._ask.sql import sql
    from ctfast._copy.copied import Copied, CopyProgress
    from ctfast._copy.copy import copy
    from ctfast._cost.cost import Cost, cost
    from ctfast._cost.prices import Price, Prices
    from ctfast._ddl.ddl import ddl
    from ctfast._filter.filters import EventPattern, EventSelectors, Filter, FilterPattern, Unmet
    from ctfast._filter.lint import lint
    from ctfast._filter.rules import RuleSet, rules
    from ctfast._integrity.public_keys import PublicKey, fetch_keys
    from ctfast._integrity.signatures import fetch_signatures
    from ctfast._integrity.verification import Verification
    from ctfast._integrity.verify import Progress, Verifier, verify
    from ctfast._lake.changes import Change
    from ctfast._lake.compact import Compacted
    from ctfast._lake.export import Exported
    from ctfast._lake.iceberg import ExportedIceberg
    from ctfast._lake.info import LakeInfo
    from ctfast._lake.ingest import Ingested, IngestProgress
    from ctfast._lake.lake import Lake
    from ctfast._lake.planned import IngestPlan
    from ctfast._lake.retention import Retained
    from ctfast._lake.retry import Retried
    from ctfast._ledger.report import Counts, Limits, Report
    from ctfast._ocsf.ocsf import ocsf
    from ctfast._scan.columns import columns
    from ctfast._scan.files import files
    from ctfast._scan.info import Info, info
    from ctfast._scan.match import match
    from ctfast._scan.message import PartFile, SplitMessage
    from ctfast._scan.scan import read, scan
    from ctfast._scan.split import Split
    from ctfast._scan.splits import splits
    from ctfast._scan.stream import EventStream, stream
    from ctfast._scan.unit import Unit
    from ctfast._source.inventory import Inventory
    from ctfast._source.lines import KeyList
    from ctfast._source.messages import Messages, Queue
    from ctfast._source.object_keys import KeySource
    from ctfast._state.checkpoint import Checkpoint
else:
    #: The same names by their modules, each imported when the first of its names is asked for.
    _HOMES = {
        "packs": ("packs",),
        "_ask.sql": ("sql",),
        "_ocsf.ocsf": ("ocsf",),
        "_scan.columns": ("columns",),
        "_copy.copied": ("Copied", "CopyProgress"),
        "_copy.copy": ("copy",),
        "_cost.cost": ("Cost", "cost"),
        "_ddl.ddl": ("ddl",),
        "_filter.filters": ("EventPattern", "EventSelectors", "Filter", "FilterPattern", "Unmet"),
        "_scan.info": ("Info", "info"),
        "_integrity.public_keys": ("PublicKey", "fetch_keys"),
        "_lake.ingest": ("IngestProgress", "Ingested"),
        "_lake.changes": ("Change",),
        "_lake.compact": ("Compacted",),
        "_lake.export": ("Exported",),
        "_lake.iceberg": ("ExportedIceberg",),
        "_lake.info": ("LakeInfo",),
        "_lake.lake": ("Lake",),
        "_lake.planned": ("IngestPlan",),
        "_lake.retention": ("Retained",),
        "_lake.retry": ("Retried",),
        "_filter.lint": ("lint",),
        "_scan.match": ("match",),
        "_source.object_keys": ("KeySource",),
        "_state.checkpoint": ("Checkpoint",),
        "_source.inventory": ("Inventory",),
        "_source.lines": ("KeyList",),
        "_source.messages": ("Messages", "Queue"),
        "_scan.files": ("files",),
        "_cost.prices": ("Price", "Prices"),
        "_ledger.report": ("Counts", "Limits", "Report"),
        "_filter.rules": ("RuleSet", "rules"),
        "_scan.message": ("PartFile", "SplitMessage"),
        "_scan.scan": ("read", "scan"),
        "_scan.split": ("Split",),
        "_scan.splits": ("splits",),
        "_integrity.signatures": ("fetch_signatures",),
        "_scan.stream": ("EventStream", "stream"),
        "_scan.unit": ("Unit",),
        "_integrity.verification": ("Verification",),
        "_integrity.verify": ("Progress", "Verifier", "verify"),
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
    "Change",
    "Checkpoint",
    "CloudTrailError",
    "Compacted",
    "ConsumedError",
    "Copied",
    "CopyProgress",
    "Cost",
    "Counts",
    "EventPattern",
    "EventSelectors",
    "EventStream",
    "Exported",
    "ExportedIceberg",
    "Filter",
    "FilterError",
    "FilterPattern",
    "FormatError",
    "Info",
    "IngestPlan",
    "IngestProgress",
    "Ingested",
    "Inventory",
    "KeyList",
    "KeySource",
    "Lake",
    "LakeInfo",
    "Limits",
    "Messages",
    "NothingChosen",
    "PartFile",
    "Price",
    "Prices",
    "Progress",
    "PublicKey",
    "QueryError",
    "Queue",
    "Report",
    "Retained",
    "Retried",
    "RuleSet",
    "ServiceError",
    "SourceError",
    "Split",
    "SplitMessage",
    "Unit",
    "Unmet",
    "Verification",
    "Verifier",
    "__version__",
    "columns",
    "copy",
    "cost",
    "ddl",
    "fetch_keys",
    "fetch_signatures",
    "files",
    "info",
    "lint",
    "match",
    "ocsf",
    "read",
    "rules",
    "scan",
    "splits",
    "sql",
    "stream",
    "verify",
]
