"""Import of torchvision where its build does not fit torch's, for MultiVae, which uses none of its operators."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import torch

_NAMES = ("nms", "qnms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d")
_kept: list[torch.library.Library] = []


def define_missing_operators() -> None:
    """Name torchvision's operators, without giving them anything to do, unless it brought them.

    To be called before Lightning is imported, which imports torchvision where it is installed, by way of torchmetrics.
    """
    if find_spec("torchvision") is None or _imports():
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in _NAMES:
        library.define(f"{name}(Tensor x) -> Tensor")
        library.define(f"_{name}_backward(Tensor x) -> Tensor")
    # They last as long as the library does.
    _kept.append(library)
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]


def _imports() -> bool:
    try:
        import torchvision  # noqa: F401
    except RuntimeError as problem:
        if "torchvision::" not in str(problem):
            raise
        return False
    return True
