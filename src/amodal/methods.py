"""The named methods: a model, its objectives and how training proceeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any

from torch import Tensor, nn

from amodal.batch import Batch
from amodal.errors import UsageError
from amodal.fusions import Barycenter, Fusion, Hellinger, Mixture, MixtureOfProducts, Product
from amodal.modalities import Modality
from amodal.models import GenerativeModel, Objective
from amodal.models.latent_flow import (
    AnyOrderLoss,
    ColumnELBO,
    DistillationLoss,
    LatentFlow,
    calibrate_heads,
    init_students,
    prepare_conditionals,
)
from amodal.models.vae import EarlyFusionVAE, JointLatentVAE, MMVAEPlus, MultimodalVAE, PrivateLatentVAE
from amodal.models.vae.objectives import (
    ELBO,
    CrossReconstruction,
    ImportanceWeighted,
    MixturePrior,
    PrivateELBO,
    SubsetELBO,
    TotalCorrelation,
)


@dataclass(frozen=True)
class Stage:
    """One stage of a method's training.

    Attributes:
        objective: the loss that is minimised.
        budget_fraction: of the budget that earlier stages left, 0 to 1; the last stage takes all of it.
        trainable_modules: names of the model's submodules to train; empty for the whole model.
        parameter_groups: called with the model, gives column -> prefix of its weights' names, where each column's
            weights depend on that column's term alone and keep a best epoch of their own (see
            `training.best_weights`); empty where all weights share one loss.
        is_joint: true where the stage trains what relates columns to each other.
        on_start: called with the model before the stage.
        context: entered with (model, batches of all rows, number of rows, numbers of held-out rows, function that is
            true once its time is up) before the first step and left after the last one; keeps what the frozen part of
            the model computes. The batches may end early.
        on_validation: called with (model, terms of the loss on training rows, terms on held-out rows) after each pass
            over held-out rows.
        score: called with (model, terms on held-out rows), gives the number by which the best epoch has the lowest; the
            held-out loss by default.
        on_best: called with (model, batches of held-out rows) with the weights of the best epoch, before `context` is
            left; None where no rows are needed.
        on_end: called with (model, batches of training rows) after the stage; None where no rows are needed.
        name: owner of the objective's fields among the method's settings, as in `objective.beta`.
    """

    objective: Objective[Any]
    budget_fraction: float = 1.0
    trainable_modules: tuple[str, ...] = ()
    parameter_groups: Callable[[Any], Mapping[str, str]] = lambda model: {}
    is_joint: bool = True
    on_start: Callable[[Any], None] = lambda model: None
    context: Callable[
        [Any, Iterable[Batch], int, Tensor, Callable[[], bool]], AbstractContextManager[Any]
    ] = lambda model, batches, rows, held_out, stop: nullcontext()
    on_validation: Callable[[Any, Mapping[str, float], Mapping[str, float]], None] = (
        lambda model, training, held_out: None
    )
    score: Callable[[Any, Mapping[str, float]], float] = lambda model, held_out: held_out["loss"]
    on_best: Callable[[Any, Iterable[Batch]], None] | None = None
    on_end: Callable[[Any, Iterable[Batch]], None] | None = None
    name: str = "objective"

    def parameters(self, model: GenerativeModel) -> Iterator[nn.Parameter]:
        """The model's parameters that the stage trains."""
        for module in [model.get_submodule(name) for name in self.trainable_modules] or [model]:
            yield from module.parameters()


@dataclass(frozen=True)
class Method:
    """A named preset: a model, and the stages that train it.

    Attributes:
        name: as in `TableModel(name)`.
        summary: one line for the user.
        source: the paper.
        model: factory of the untrained model, called with the modalities by column and the model's settings.
        stages: of training, in order.
    """

    name: str
    summary: str
    source: str
    model: Callable[..., GenerativeModel]
    stages: tuple[Stage, ...]

    @property
    def objective(self) -> Objective[Any]:
        """The objective of the joint stage."""
        return max(self.stages, key=lambda stage: stage.is_joint).objective


def _multimodal_vae(
    fusion: Callable[[], Fusion], vae: type[MultimodalVAE] = MultimodalVAE
) -> Callable[..., MultimodalVAE]:
    """A factory of models of this class and fusion rule; its signature lists the model's settings."""

    @wraps(vae, updated=())
    def model(modalities: Mapping[str, Modality], **settings: Any) -> MultimodalVAE:
        return vae(modalities, fusion(), **settings)

    return model


def _single_stage(objective: Objective[Any]) -> tuple[Stage, ...]:
    """One stage for the whole model, which has a latent of whole rows."""
    return (Stage(objective, on_end=JointLatentVAE.fit_aggregate_posterior),)


METHODS: tuple[Method, ...] = (
    Method(
        "latent-flow",
        "any column given any others, drawn one after another; pictures and sounds by flows",
        "Lipman et al., arXiv 2210.02747; Uria et al., arXiv 1310.1757",
        LatentFlow,
        (
            Stage(
                ColumnELBO(),
                budget_fraction=0.35,
                trainable_modules=("autoencoders",),
                parameter_groups=LatentFlow.autoencoder_prefixes,
                is_joint=False,
                name="autoencoders",
            ),
            Stage(
                AnyOrderLoss(),
                budget_fraction=0.9,
                trainable_modules=("encoders", "context_network", "generators"),
                context=prepare_conditionals,
                on_validation=LatentFlow.update_generalisation,
                score=LatentFlow.held_out_score,
                on_best=calibrate_heads,
                name="conditionals",
            ),
            Stage(
                DistillationLoss(),
                trainable_modules=("students",),
                is_joint=False,
                on_start=init_students,
                name="distillation",
            ),
        ),
    ),
    Method(
        "mvtcae",
        "product of experts, each drawn towards the joint posterior",
        "Hwang et al., NeurIPS 2021",
        _multimodal_vae(lambda: Product(prior_expert=False)),
        _single_stage(TotalCorrelation()),
    ),
    Method(
        "mvae",
        "product of experts, trained on rows and on their parts",
        "Wu & Goodman, arXiv 1802.05335",
        _multimodal_vae(lambda: Product(prior_expert=True)),
        _single_stage(SubsetELBO()),
    ),
    Method(
        "mmvae",
        "mixture of experts, importance-weighted",
        "Shi et al., arXiv 1911.03393",
        _multimodal_vae(lambda: Mixture(prior_expert=False)),
        _single_stage(ImportanceWeighted()),
    ),
    Method(
        "mmvae-plus",
        "mixture of experts, with a private latent a column that others are not reconstructed from",
        "Palumbo et al., ICLR 2023",
        _multimodal_vae(lambda: Mixture(prior_expert=False), MMVAEPlus),
        _single_stage(CrossReconstruction()),
    ),
    Method(
        "dmvae",
        "product of experts, with a private latent a column",
        "Lee & Pavlovic, CVPR Workshops 2021",
        _multimodal_vae(lambda: Product(prior_expert=True), PrivateLatentVAE),
        _single_stage(PrivateELBO()),
    ),
    Method(
        "mopoe",
        "mixture of the products of all subsets",
        "Sutter et al., arXiv 2105.02470",
        _multimodal_vae(lambda: MixtureOfProducts(prior_expert=False)),
        _single_stage(ELBO()),
    ),
    Method(
        "mmvm",
        "no joint posterior: each expert drawn towards the mixture of all",
        "Sutter et al., arXiv 2403.05300",
        _multimodal_vae(lambda: Mixture(prior_expert=False)),
        _single_stage(MixturePrior()),
    ),
    Method(
        "barycenter",
        "Wasserstein barycenter of the experts",
        "Qiu et al., arXiv 2412.20487",
        _multimodal_vae(Barycenter),
        _single_stage(ELBO()),
    ),
    Method(
        "hellinger",
        "Hellinger barycenter of the experts, by its moments",
        "Vo & Valera, arXiv 2601.06572",
        _multimodal_vae(Hellinger),
        _single_stage(ELBO()),
    ),
    Method(
        "early-fusion",
        "one encoder of all columns' vectors side by side, given random parts of rows",
        "Baltrusaitis et al., arXiv 1705.09406",
        EarlyFusionVAE,
        _single_stage(ELBO(dropout=0.5)),
    ),
)

DEFAULT_METHOD = METHODS[0].name


def method_named(name: str) -> Method:
    """Look a method up by its name.

    Raises:
        UsageError: no method has this name; lists those that exist.
    """
    for method in METHODS:
        if method.name == name:
            return method
    choices = ", ".join(method.name for method in METHODS)
    raise UsageError(f"Unknown method {name!r}. Choose from {choices}.")
