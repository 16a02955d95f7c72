"""The report's sections in the page's order, each a module with `compute` and a template beside it."""

from amodal.report.section import Section
from amodal.report.sections import (
    calibration,
    coherence,
    completion,
    detection,
    fidelity,
    latent_map,
    likelihood,
    missingness,
    pairs,
    privacy,
    rows,
    target,
    training,
)

SECTIONS: tuple[Section, ...] = (
    pairs.SECTION,
    rows.SECTION,
    fidelity.SECTION,
    completion.SECTION,
    calibration.SECTION,
    target.SECTION,
    coherence.SECTION,
    detection.SECTION,
    privacy.SECTION,
    likelihood.SECTION,
    latent_map.SECTION,
    training.SECTION,
    missingness.SECTION,
)

__all__ = ["SECTIONS"]
