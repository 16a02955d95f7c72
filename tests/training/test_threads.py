from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from amodal.training.threads import ThreadTuner


class Steps:
    """A clock that a step moves by what its number of threads costs."""

    def __init__(self, cost: Callable[[int], float]) -> None:
        self.cost = cost
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def run(self, tuner: ThreadTuner, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            tuner.on_train_batch_start()
            self.now += self.cost(torch.get_num_threads())
            tuner.on_train_batch_end()


@pytest.fixture(autouse=True)
def usual_threads() -> Iterator[None]:
    usual = torch.get_num_threads()
    yield
    torch.set_num_threads(usual)


def quiet(threads: int) -> float:
    return 0.1 * (0.2 + 0.8 / threads)


def busy(threads: int) -> float:
    return 0.1 * threads


@pytest.mark.parametrize("most", [1, 2, 8])
def test_all_threads_are_used_where_nothing_else_runs(most: int) -> None:
    steps = Steps(quiet)
    tuner = ThreadTuner(steps.clock, most)
    tuner.on_train_start()
    steps.run(tuner, 300)
    assert tuner.threads == most
    assert steps.now < 300 * 1.02


@pytest.mark.parametrize("most", [2, 8])
def test_one_thread_is_used_where_threads_wait_for_each_other_and_all_again_afterwards(most: int) -> None:
    steps = Steps(busy)
    tuner = ThreadTuner(steps.clock, most)
    tuner.on_train_start()
    steps.run(tuner, 60)
    assert tuner.threads == 1
    steps.cost = quiet
    steps.run(tuner, 120)
    assert tuner.threads == most


def test_a_trial_costs_little() -> None:
    steps = Steps(lambda threads: 0.1 if threads == 1 else 5.0)
    tuner = ThreadTuner(steps.clock, 2)
    tuner.on_train_start()
    steps.run(tuner, 60)
    assert tuner.threads == 1
    slow = 0

    def cost(threads: int) -> float:
        nonlocal slow
        slow += threads > 1
        return 0.1 if threads == 1 else 5.0

    steps.cost = cost
    steps.run(tuner, 600)
    assert 0 < slow <= 2 * 600 / 30 + 4, "two steps every half a minute"


def test_the_number_of_threads_is_as_before_afterwards() -> None:
    usual = torch.get_num_threads()
    steps = Steps(busy)
    tuner = ThreadTuner(steps.clock, 4)
    tuner.on_train_start()
    steps.run(tuner, 60)
    tuner.on_train_end()
    assert torch.get_num_threads() == usual
