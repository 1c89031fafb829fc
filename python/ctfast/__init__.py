"""Read AWS CloudTrail archives into Arrow and Polars, at the speed of gunzip and without losing a byte."""

import warnings

from ctfast._columns import columns
from ctfast._copy import Copied, CopyProgress, copy
from ctfast._ctfast import DEBUG as _DEBUG
from ctfast._ctfast import __version__
from ctfast._info import Info, info
from ctfast._keys import fetch_keys
from ctfast._objects.checkpoint import Checkpoint
from ctfast._objects.inventory import Inventory
from ctfast._objects.lines import KeyList
from ctfast._objects.messages import Messages, Queue
from ctfast._report import Limits, Report
from ctfast._scan import read, scan, sql
from ctfast._signatures import fetch_signatures
from ctfast._stream import EventStream, stream
from ctfast._verify import Verification, Verifier, verify
from ctfast.exceptions import CloudTrailError, FormatError, SourceError

if _DEBUG:
    warnings.warn("ctfast was built without optimisation: it is correct, but slow", RuntimeWarning, stacklevel=2)

__all__ = [
    "Checkpoint",
    "CloudTrailError",
    "Copied",
    "CopyProgress",
    "EventStream",
    "FormatError",
    "Info",
    "Inventory",
    "KeyList",
    "Limits",
    "Messages",
    "Queue",
    "Report",
    "SourceError",
    "Verification",
    "Verifier",
    "__version__",
    "columns",
    "copy",
    "fetch_keys",
    "fetch_signatures",
    "info",
    "read",
    "scan",
    "sql",
    "stream",
    "verify",
]
