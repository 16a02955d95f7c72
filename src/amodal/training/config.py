"""The configuration of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt


@dataclass(frozen=True)
class TrainerConfig:
    """The optimiser, the precision and the processes of training; nothing that depends on the method.

    Attributes:
        batch_size: rows of a step, over all processes together; None for 128, fewer for tables under 2,560 rows.
        learning_rate: peak rate of Adam.
        patience: epochs without a lower held-out loss before the rate decays, which takes as many epochs again.
        seed: of the order of rows, the noise, and the choice of held-out rows.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto", or as Lightning takes it ("32-true", "bf16-mixed"); "auto" is bf16-mixed where it is faster.
        devices: processes, or graphics cards, of each machine.
        num_nodes: machines.
        strategy: how processes work together, as Lightning takes it ("ddp", "fsdp").
    """

    batch_size: PositiveInt | None = None
    learning_rate: PositiveFloat = 2e-3
    patience: PositiveInt = 30
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    devices: Annotated[int | str, Field(union_mode="left_to_right")] = 1
    num_nodes: PositiveInt = 1
    strategy: str = "auto"
