"""The types a column can have: each turns cells to tensors and back, and brings its encoder and decoder."""

from amodal.modalities.audio_mel import AudioMel
from amodal.modalities.audio_mfcc import AudioMfcc
from amodal.modalities.category_one_hot import CategoryOneHot
from amodal.modalities.image_patches import ImagePatches
from amodal.modalities.image_pixels import ImagePixels
from amodal.modalities.modality import Modality, find_modality
from amodal.modalities.number_quantile import NumberQuantile
from amodal.modalities.text_bag_of_words import TextBagOfWords
from amodal.modalities.text_embedding import TextEmbedding
from amodal.modalities.text_tokens import TextTokens

# In the order in which a column's type is inferred; the first of a type is that type's default, and the
# others are taken only where they are asked for.
MODALITIES: tuple[type[Modality], ...] = (
    ImagePixels,
    AudioMel,
    NumberQuantile,
    CategoryOneHot,
    TextTokens,
    ImagePatches,
    AudioMfcc,
    TextBagOfWords,
    TextEmbedding,
)

__all__ = [
    "MODALITIES",
    "AudioMel",
    "AudioMfcc",
    "CategoryOneHot",
    "ImagePatches",
    "ImagePixels",
    "Modality",
    "NumberQuantile",
    "TextBagOfWords",
    "TextEmbedding",
    "TextTokens",
    "find_modality",
]
