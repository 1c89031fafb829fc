"""The simulation of the order gives what was measured, and what can be computed by hand."""

from __future__ import annotations

import pytest
from order import ARENA, AS_IT_WAS, RULES, TWO_TASKS, Order, Rule, Size, first_measured, simulated, tasks

MEASURED = {AS_IT_WAS: (1.84, 3.4, 5.5, 8.7), TWO_TASKS: (2.0, 3.8, 7.1, 13.7)}


@pytest.mark.parametrize("rule", MEASURED, ids=str)
def test_speed_ups_are_those_that_were_measured(rule: Rule) -> None:
    archives = [first_measured(seed) for seed in range(25)]
    found = [simulated(archives, workers, rule).speed_up for workers in (2, 4, 8, 16)]
    assert found == pytest.approx(MEASURED[rule], rel=0.07)


def test_one_worker_never_waits_and_a_long_first_task_stops_the_others() -> None:
    for rule in RULES:
        assert Order([5, ARENA + 1, 3], 1, rule).run() == ARENA + 9
    # Two short tasks are done while the long one runs; with a window of two, only one of them may start.
    assert Order([10, 2, 8], 2, Rule("", tasks=1)).run() == 18
    assert Order([10, 2, 8], 2, Rule("", tasks=2)).run() == 10


def test_a_task_ends_with_the_file_that_fills_it() -> None:
    assert tasks([Size(3, 30), Size(3, 40), Size(9, 90), Size(1, 10)], most=5) == [70, 90, 10]
    assert tasks([]) == []
