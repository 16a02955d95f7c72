"""The named methods: a model, most often a fusion rule's, and an objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from torch import nn

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
    cache_latents,
    init_students,
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
    """A part of training.

    Attributes:
        objective: what is trained.
        share: of the budget that earlier stages have left.
        parts: names of the model's modules that are trained; none for the whole model.
        apart: column -> what the names of the weights begin with that train by themselves, from the model; none where
            all weights share one loss. See `training.callbacks.Best`.
        joins: whether it trains what columns have in common, and not columns by themselves or what is trained already.
        begin: what is done to the model before the stage.
        during: what is worked out of all rows beforehand and kept while the stage lasts; called with the model, batches
            of the rows, which may end early, and how many rows there are.
        end: what is worked out of rows afterwards; None for nothing.
    """

    objective: Objective[Any]
    share: float = 1.0
    parts: tuple[str, ...] = ()
    apart: Callable[[Any], Mapping[str, str]] = lambda model: {}
    joins: bool = True
    begin: Callable[[Any], None] = lambda model: None
    during: Callable[[Any, Iterable[Batch], int], AbstractContextManager[Any]] = lambda model, batches, rows: (
        nullcontext()
    )
    end: Callable[[Any, Iterable[Batch]], None] | None = None

    def parameters(self, model: GenerativeModel) -> Iterator[nn.Parameter]:
        """What is trained of a model."""
        for module in [model.get_submodule(part) for part in self.parts] or [model]:
            yield from module.parameters()


@dataclass(frozen=True)
class Method:
    """A model and the way it is trained, under a name.

    Attributes:
        name: as in `--method NAME`.
        summary: one line for the user.
        source: the paper.
        model: makes the model of a table's columns, before training, from modalities and options.
        stages: of its training, one after another.
    """

    name: str
    summary: str
    source: str
    model: Callable[..., GenerativeModel]
    stages: tuple[Stage, ...]

    @property
    def objective(self) -> Objective[Any]:
        """Of the stage that trains what joins the columns."""
        return max(self.stages, key=lambda stage: stage.joins).objective


def _fused(
    fusion: Callable[[], Fusion], vae: type[MultimodalVAE] = MultimodalVAE
) -> Callable[..., MultimodalVAE]:
    """Makes the autoencoder whose experts are joined by this rule."""

    def model(modalities: Mapping[str, Modality], **options: Any) -> MultimodalVAE:
        return vae(modalities, fusion(), **options)

    return model


def _joint(objective: Objective[Any]) -> tuple[Stage, ...]:
    """Trains a model with one latent for a whole row."""
    return (Stage(objective, end=JointLatentVAE.fit_aggregate_posterior),)


METHODS: tuple[Method, ...] = (
    Method(
        "latent-flow",
        "any column given any others, drawn one after another; pictures and sounds by flows",
        "Lipman et al., arXiv 2210.02747; Uria et al., arXiv 1310.1757",
        LatentFlow,
        (
            Stage(
                ColumnELBO(),
                share=0.35,
                parts=("autoencoders",),
                apart=LatentFlow.autoencoder_prefixes,
                joins=False,
            ),
            Stage(
                AnyOrderLoss(),
                share=0.9,
                parts=("encoders", "context_network", "generators"),
                during=cache_latents,
            ),
            Stage(DistillationLoss(), parts=("students",), joins=False, begin=init_students),
        ),
    ),
    Method(
        "mvtcae",
        "product of experts, each drawn towards the joint posterior",
        "Hwang et al., NeurIPS 2021",
        _fused(lambda: Product(prior_expert=False)),
        _joint(TotalCorrelation()),
    ),
    Method(
        "mvae",
        "product of experts, trained on rows and on their parts",
        "Wu & Goodman, arXiv 1802.05335",
        _fused(lambda: Product(prior_expert=True)),
        _joint(SubsetELBO()),
    ),
    Method(
        "mmvae",
        "mixture of experts, importance-weighted",
        "Shi et al., arXiv 1911.03393",
        _fused(lambda: Mixture(prior_expert=False)),
        _joint(ImportanceWeighted()),
    ),
    Method(
        "mmvae-plus",
        "mixture of experts, with a private latent a column that others are not reconstructed from",
        "Palumbo et al., ICLR 2023",
        _fused(lambda: Mixture(prior_expert=False), MMVAEPlus),
        _joint(CrossReconstruction()),
    ),
    Method(
        "dmvae",
        "product of experts, with a private latent a column",
        "Lee & Pavlovic, CVPR Workshops 2021",
        _fused(lambda: Product(prior_expert=True), PrivateLatentVAE),
        _joint(PrivateELBO()),
    ),
    Method(
        "mopoe",
        "mixture of the products of all subsets",
        "Sutter et al., arXiv 2105.02470",
        _fused(lambda: MixtureOfProducts(prior_expert=False)),
        _joint(ELBO()),
    ),
    Method(
        "mmvm",
        "no joint posterior: each expert drawn towards the mixture of all",
        "Sutter et al., arXiv 2403.05300",
        _fused(lambda: Mixture(prior_expert=False)),
        _joint(MixturePrior()),
    ),
    Method(
        "barycenter",
        "Wasserstein barycenter of the experts",
        "Qiu et al., arXiv 2412.20487",
        _fused(Barycenter),
        _joint(ELBO()),
    ),
    Method(
        "hellinger",
        "Hellinger barycenter of the experts, by its moments",
        "Vo & Valera, arXiv 2601.06572",
        _fused(Hellinger),
        _joint(ELBO()),
    ),
    Method(
        "early-fusion",
        "one encoder of all columns' vectors side by side, given random parts of rows",
        "Baltrusaitis et al., arXiv 1705.09406",
        EarlyFusionVAE,
        _joint(ELBO(dropout=0.5)),
    ),
)

DEFAULT_METHOD = METHODS[0].name


def method_named(name: str) -> Method:
    """The method of this name.

    Raises:
        UsageError: there is none.
    """
    for method in METHODS:
        if method.name == name:
            return method
    choices = ", ".join(method.name for method in METHODS)
    raise UsageError(f"Unknown method {name!r}. Choose from {choices}.")
