"""Progressive distillation of flows to a few steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import Flow, RowNoise
from amodal.errors import UsageError
from amodal.models.latent_flow.masks import given_masks
from amodal.models.latent_flow.model import LatentFlow
from amodal.models.objective import Loss, Objective


def init_students(model: LatentFlow) -> None:
    """Copy the weights of a model's flows to their students."""
    for key, student in model.students.items():
        student.load_state_dict(model.generators[int(key)].state_dict())


@dataclass(frozen=True)
class DistillationLoss(Objective[LatentFlow]):
    """Mean over the student's steps n of ||v_student(x_n, n h) - (x_{n+1} - x_n) / h||^2, with h the step size.

    x_0, x_1, ... are points of the teacher's trajectory, that of the guided flow, one student step apart. They are a
    function of noise and context, so that nothing is averaged away (progressive distillation: Salimans & Ho,
    arXiv 2202.00512; of guided models: Meng et al., arXiv 2210.03142).

    Attributes:
        num_student_masks: random subsets of given cells a row, as in `AnyOrderLoss`.
        num_student_single_masks: subsets of one cell a row.
        num_teacher_steps: solver steps of the teacher, a multiple of `LatentFlow.num_student_steps`.
    """

    num_student_masks: PositiveInt = 1
    num_student_single_masks: NonNegativeInt = 1
    num_teacher_steps: PositiveInt = 4

    def check(self, model: LatentFlow) -> None:
        if self.num_teacher_steps % model.num_student_steps:
            raise UsageError(
                f"num_teacher_steps, {self.num_teacher_steps}, must be a multiple of num_student_steps, "
                f"{model.num_student_steps}."
            )

    def __call__(self, model: LatentFlow, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        with torch.no_grad():
            given = given_masks(
                batch.present, noise, self.num_student_masks, self.num_student_single_masks, 0
            ).given
            context = model.context(model.column_embeddings(batch), given).flatten(0, 1)
        total = torch.zeros((), device=context.device)
        terms = {}
        for index, name in enumerate(model.modalities):
            if model.autoencoder(index) is None:
                continue
            target = ~given[:, :, index].flatten()
            errors = torch.where(target, self._errors(model, index, context, noise, len(given)), 0.0)
            total = total + errors.mean()
            terms[name] = (errors.sum() / target.sum().clamp_min(1)).detach()
        return Loss(total, terms)

    def _errors(self, model: LatentFlow, index: int, context: Tensor, noise: RowNoise, masks: int) -> Tensor:
        """Squared errors (T,) of the student of one column, given contexts (T, C) of `masks` masks a row."""
        steps = model.num_student_steps
        teacher = cast(
            "Flow",
            model.conditional(index, context, guidance=model.guidance, num_steps=self.num_teacher_steps),
        )
        x_0 = noise.normal(masks, teacher.event_shape[0]).transpose(0, 1).flatten(0, 1)[None]
        points = torch.cat(teacher.trajectory(x_0)[:: self.num_teacher_steps // steps])
        times = torch.arange(steps, device=x_0.device)[:, None].expand(-1, len(context)) / steps
        velocity = model.student_flow(index, context).velocity(points[:-1], times)
        return (velocity - steps * (points[1:] - points[:-1])).square().sum(-1).mean(0)
