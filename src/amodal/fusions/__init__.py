"""Fusion rules: one Gaussian expert a column to the joint posterior of a row."""

from amodal.fusions.barycenter import Barycenter
from amodal.fusions.fusion import Fusion
from amodal.fusions.hellinger import Hellinger
from amodal.fusions.membership import MembershipTable
from amodal.fusions.mixture import Mixture
from amodal.fusions.mixture_of_products import MixtureOfProducts
from amodal.fusions.product import Product

FUSIONS: tuple[type[Fusion], ...] = (Product, Mixture, MixtureOfProducts, Barycenter, Hellinger)

__all__ = [
    "FUSIONS",
    "Barycenter",
    "Fusion",
    "Hellinger",
    "MembershipTable",
    "Mixture",
    "MixtureOfProducts",
    "Product",
]
