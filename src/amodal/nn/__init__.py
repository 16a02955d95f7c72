"""Network blocks. They know shapes, not probability."""

from amodal.nn.convolution import ImageDecoder, ImageEncoder
from amodal.nn.dense import Dense
from amodal.nn.scale import LearnedScale
from amodal.nn.temporal import SoundDecoder, SoundEncoder
from amodal.nn.tokens import TokenDecoder, TokenEncoder

__all__ = [
    "Dense",
    "ImageDecoder",
    "ImageEncoder",
    "LearnedScale",
    "SoundDecoder",
    "SoundEncoder",
    "TokenDecoder",
    "TokenEncoder",
]
