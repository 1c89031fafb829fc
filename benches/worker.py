"""The worker of the package (`ctfast._bench.worker`) with the readers that are compared here only."""

from __future__ import annotations

import peers  # noqa: F401 — adds them

from ctfast._bench.worker import main

if __name__ == "__main__":
    main()
