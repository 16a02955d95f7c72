from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from amodal.training.threads import ThreadTuner


class Steps:
    """A clock that a step moves by what its number of threads costs.

    Attributes:
        cost: number of threads -> seconds of a step.
        processors: as many as a step gets of those its threads ask for.
    """

    def __init__(self, cost: Callable[[int], float], processors: float = 64.0) -> None:
        self.cost = cost
        self.processors = processors
        self.now = 0.0
        self.computed = 0.0

    def clock(self) -> float:
        return self.now

    def tuner(self, most: int) -> ThreadTuner:
        tuner = ThreadTuner(self.clock, most, lambda: self.computed)
        start(tuner)
        return tuner

    def run(self, tuner: ThreadTuner, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            tuner.on_train_batch_start()
            threads = torch.get_num_threads()
            seconds = self.cost(threads)
            self.now += seconds
            self.computed += seconds * min(threads, self.processors)
            tuner.on_train_batch_end()


def start(tuner: ThreadTuner, device: str = "cpu", processes: int = 1) -> None:
    trainer: Any = SimpleNamespace(world_size=processes)
    module: Any = SimpleNamespace(device=torch.device(device))
    tuner.on_fit_start(trainer, module)


@pytest.fixture(autouse=True)
def usual_threads() -> Iterator[None]:
    usual = torch.get_num_threads()
    yield
    torch.set_num_threads(usual)


def quiet(threads: int) -> float:
    return 0.1 * (0.2 + 0.8 / threads)


def busy(threads: int) -> float:
    return 0.1 * threads


@pytest.mark.parametrize("most", [2, 8])
def test_all_threads_are_used_where_nothing_else_runs(most: int) -> None:
    steps = Steps(quiet)
    tuner = steps.tuner(most)
    steps.run(tuner, 300)
    assert tuner.threads == most
    assert steps.now < 300 * 1.02


@pytest.mark.parametrize("most", [2, 8])
def test_one_thread_is_used_where_threads_wait_for_each_other_and_all_again_afterwards(most: int) -> None:
    steps = Steps(busy)
    tuner = steps.tuner(most)
    steps.run(tuner, 60)
    assert tuner.threads == 1
    steps.cost = quiet
    steps.run(tuner, 120)
    assert tuner.threads == most


def test_a_trial_costs_little() -> None:
    slow = 0

    def cost(threads: int) -> float:
        nonlocal slow
        slow += threads > 1
        return 0.1 if threads == 1 else 5.0

    steps = Steps(cost)
    tuner = steps.tuner(2)
    steps.run(tuner, 3600)
    assert tuner.threads == 1
    assert 0 < slow * 5.0 < 3600 * 0.05


def test_more_threads_are_not_tried_while_one_waits_for_a_processor() -> None:
    used: set[int] = set()

    def cost(threads: int) -> float:
        used.add(threads)
        return 0.1 * threads

    steps = Steps(cost, processors=0.4)
    steps.run(steps.tuner(8), 300)
    assert used == {1}
    steps.processors = 64.0
    steps.run(steps.tuner(8), 300)
    assert used >= {1, 2}


def test_the_number_of_threads_is_as_before_afterwards() -> None:
    usual = torch.get_num_threads()
    steps = Steps(busy)
    tuner = steps.tuner(4)
    steps.run(tuner, 60)
    tuner.on_fit_end()
    assert torch.get_num_threads() == usual


@pytest.mark.parametrize(("device", "processes", "most"), [("cuda", 1, 8), ("cpu", 2, 8), ("cpu", 1, 1)])
def test_it_changes_nothing_where_threads_do_not_matter(device: str, processes: int, most: int) -> None:
    usual = torch.get_num_threads()
    steps = Steps(busy)
    tuner = ThreadTuner(steps.clock, most)
    start(tuner, device, processes)
    steps.run(tuner, 60)
    assert torch.get_num_threads() == usual


def test_a_load_that_begins_is_noticed_in_a_few_steps() -> None:
    steps = Steps(quiet)
    tuner = steps.tuner(2)
    steps.run(tuner, 120)
    assert tuner.threads == 2
    slow = 0

    def cost(threads: int) -> float:
        nonlocal slow
        slow += threads > 1
        return 0.15 if threads == 1 else 5.0

    steps.cost, steps.processors = cost, 0.7
    steps.run(tuner, 60)
    assert tuner.threads == 1
    assert slow <= 2, "as many as it takes to be sure"
