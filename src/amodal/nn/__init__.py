"""Network blocks, without probability."""

from amodal.nn.audio import SpectrogramDecoder, SpectrogramEncoder
from amodal.nn.codes import CalendarEncoder, CodeEncoder, LabelEncoder, RankEncoder, embed_columns
from amodal.nn.context import ContextNetwork
from amodal.nn.dense import Dense
from amodal.nn.image import ImageDecoder, ImageEncoder
from amodal.nn.scale import LearnedScale
from amodal.nn.tokens import TokenDecoder, TokenEncoder
from amodal.nn.velocity import VelocityNetwork

__all__ = [
    "CalendarEncoder",
    "CodeEncoder",
    "ContextNetwork",
    "Dense",
    "ImageDecoder",
    "ImageEncoder",
    "LabelEncoder",
    "LearnedScale",
    "RankEncoder",
    "SpectrogramDecoder",
    "SpectrogramEncoder",
    "TokenDecoder",
    "TokenEncoder",
    "VelocityNetwork",
    "embed_columns",
]
