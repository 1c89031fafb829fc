"""Objects bound to their process: threads, open files and progress can neither be pickled nor copied."""

from __future__ import annotations

from typing import ClassVar, NoReturn

__all__ = ["Bound"]


class Bound:
    """Refuses to be pickled or copied, and says what to do instead."""

    _instead: ClassVar[str]

    def __reduce__(self) -> NoReturn:
        """Refuse: :mod:`pickle`, :mod:`copy` and multiprocessing call this."""
        name = type(self).__name__
        raise TypeError(f"{name} is bound to this process, and can be neither pickled nor copied: {self._instead}")
