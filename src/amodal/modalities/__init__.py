"""Column types: conversions of cells to tensors and back, their encoders and heads."""

from amodal.modalities.audio_mel import AudioMel
from amodal.modalities.audio_mfcc import AudioMfcc
from amodal.modalities.boolean_one_hot import BooleanOneHot
from amodal.modalities.category_one_hot import CategoryOneHot
from amodal.modalities.datetime_quantile import DatetimeQuantile
from amodal.modalities.duration_quantile import DurationQuantile
from amodal.modalities.image_patches import ImagePatches
from amodal.modalities.image_pixels import ImagePixels
from amodal.modalities.modality import Modality, find_modality
from amodal.modalities.number_quantile import NumberQuantile
from amodal.modalities.tags_multi_hot import TagsMultiHot
from amodal.modalities.text_bag_of_words import TextBagOfWords
from amodal.modalities.text_embedding import TextEmbedding
from amodal.modalities.text_tokens import TextTokens

MODALITIES: tuple[type[Modality], ...] = (
    ImagePixels,
    AudioMel,
    DatetimeQuantile,
    DurationQuantile,
    BooleanOneHot,
    TagsMultiHot,
    NumberQuantile,
    CategoryOneHot,
    TextTokens,
    ImagePatches,
    AudioMfcc,
    TextBagOfWords,
    TextEmbedding,
)
"""In the order of inference. The first of a type is its default, others are taken only on request."""

__all__ = [
    "MODALITIES",
    "AudioMel",
    "AudioMfcc",
    "BooleanOneHot",
    "CategoryOneHot",
    "DatetimeQuantile",
    "DurationQuantile",
    "ImagePatches",
    "ImagePixels",
    "Modality",
    "NumberQuantile",
    "TagsMultiHot",
    "TextBagOfWords",
    "TextEmbedding",
    "TextTokens",
    "find_modality",
]
