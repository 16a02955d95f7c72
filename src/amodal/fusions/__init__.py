"""Fusion rules: from one expert a column to the joint posterior of a row."""

from amodal.fusions.fusion import Fusion
from amodal.fusions.mixture import Mixture
from amodal.fusions.mixture_of_products import MixtureOfProducts
from amodal.fusions.product import Product

FUSIONS: tuple[type[Fusion], ...] = (Product, Mixture, MixtureOfProducts)

__all__ = ["FUSIONS", "Fusion", "Mixture", "MixtureOfProducts", "Product"]
