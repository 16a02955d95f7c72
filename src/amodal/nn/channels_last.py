"""Layers of maps that lie pixel by pixel, as a processor is fast at."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_WIDE = 64
"""Outputs of a convolution from which on its weights' gradient is faster as a product of matrices."""
_LONG = 128
"""Numbers that a window holds, likewise."""


def channels_last(network: nn.Sequential) -> nn.Sequential:
    """Lay the weights out pixel by pixel, which convolutions run fastest on."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class GroupNorm(nn.GroupNorm):
    """Group normalisation in float32: on a processor bfloat16's, pixel by pixel, is five times slower."""

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps.float())


class Convolution(nn.Conv2d):
    """A convolution, whose weights' gradient a processor works out in bfloat16 as one product of matrices.

    The kernel for it takes twice as long as that product, the copy of all windows included. Elsewhere, and for
    small windows or few outputs, this is torch's convolution. Groups and dilation are not thought of.
    """

    def forward(self, maps: Tensor) -> Tensor:
        outputs, inputs, *window = self.weight.shape
        wide = outputs >= _WIDE and inputs * window[0] * window[1] >= _LONG
        if not (wide and maps.device.type == "cpu" and torch.is_autocast_enabled("cpu")):
            return super().forward(maps)
        dtype = torch.get_autocast_dtype("cpu")
        if dtype != torch.bfloat16 or self.bias is None:
            return super().forward(maps)
        padded = functional.pad(
            maps.to(dtype), (self.padding[1], self.padding[1], self.padding[0], self.padding[0])
        )
        return _Convolve.apply(padded, self.weight.to(dtype), self.bias.to(dtype), self.stride)


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor, bias: Tensor, stride: tuple[int, int]) -> Tensor:
        ctx.save_for_backward(maps, weight)
        ctx.stride = stride
        return functional.conv2d(maps, weight, bias, stride)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None]:
        maps, weight = ctx.saved_tensors
        of_maps = None
        if ctx.needs_input_grad[0]:
            of_maps = torch.ops.aten.convolution_backward(
                gradient,
                maps,
                weight,
                None,
                ctx.stride,
                (0, 0),
                (1, 1),
                False,
                (0, 0),
                1,
                (True, False, False),
            )[0]
        outputs, inputs, height, width = weight.shape
        by_pixel = gradient.permute(0, 2, 3, 1).reshape(-1, outputs)
        of_weight = by_pixel.T @ _windows(maps, gradient, height, width, ctx.stride)
        of_weight = of_weight.view(outputs, height, width, inputs).permute(0, 3, 1, 2)
        return of_maps, of_weight, by_pixel.sum(0), None


def _windows(maps: Tensor, made: Tensor, height: int, width: int, stride: tuple[int, int]) -> Tensor:
    """What each output of a convolution is made of, (B x rows x columns, height x width x channels)."""
    pixels = maps.permute(0, 2, 3, 1).contiguous()
    channels = pixels.shape[3]
    row, column = pixels.stride()[1:3]
    # A window's row of pixels lies in one piece, so that a copy has few pieces.
    windows = pixels.as_strided(
        (len(maps), *made.shape[2:], height, width * channels),
        (pixels.stride(0), row * stride[0], column * stride[1], row, 1),
    )
    return windows.reshape(-1, height * width * channels)
