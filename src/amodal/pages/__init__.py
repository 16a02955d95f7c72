"""Parts shared by all HTML pages: the style, cells with embedded files, and curves of the training loss.

A page is one self-contained file.
"""

from amodal.pages.cell import Cell, Role, data_uri
from amodal.pages.loss_curve import LossCurve, loss_curve
from amodal.pages.rendering import render

__all__ = ["Cell", "LossCurve", "Role", "data_uri", "loss_curve", "render"]
