"""The chain that most tests change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signed import Chain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    """Six hours, over midnight."""
    made = Chain(tmp_path / "archive")
    for _ in range(6):
        made.hour()
    return made
