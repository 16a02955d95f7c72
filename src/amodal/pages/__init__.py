"""What the pages that amodal writes share: one style, cells with their files in them, and the curves of training.

A page is one file that needs no other and no network.
"""

from amodal.pages.cell import Cell, Role, data_uri
from amodal.pages.loss_curve import LossCurve, loss_curve
from amodal.pages.rendering import render

__all__ = ["Cell", "LossCurve", "Role", "data_uri", "loss_curve", "render"]
