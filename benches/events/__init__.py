"""The events of the benchmark corpus: shapes, identities and the worlds they happen in."""

from . import access, compute, operations, storage  # each adds its shapes to the register
from .record import Scene, shape

__all__ = ["Scene", "access", "compute", "operations", "shape", "storage"]
