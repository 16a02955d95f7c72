"""Files to arrays and back, by Pillow, OpenCV, librosa and soundfile, which no other package imports."""

from amodal.media.audio import Sound, read_sound, resample, sound_shape, wav_bytes, write_sound
from amodal.media.cells import (
    MediaFile,
    cell_size,
    cell_text,
    is_media,
    media_file,
    open_image,
    open_sound,
    sound_cell_shape,
)
from amodal.media.cepstrum import from_mfcc, mfcc
from amodal.media.formats import AUDIO_SUFFIXES, IMAGE_SUFFIXES, suffix_of, unreadable_media
from amodal.media.image import fit_image, png_bytes, read_image, write_image
from amodal.media.mel import from_log_mel, log_mel
from amodal.media.paths import MediaFolder, locate, media_folder

__all__ = [
    "AUDIO_SUFFIXES",
    "IMAGE_SUFFIXES",
    "MediaFile",
    "MediaFolder",
    "Sound",
    "cell_size",
    "cell_text",
    "fit_image",
    "from_log_mel",
    "from_mfcc",
    "is_media",
    "locate",
    "log_mel",
    "media_file",
    "media_folder",
    "mfcc",
    "open_image",
    "open_sound",
    "png_bytes",
    "read_image",
    "read_sound",
    "resample",
    "sound_cell_shape",
    "sound_shape",
    "suffix_of",
    "unreadable_media",
    "wav_bytes",
    "write_image",
    "write_sound",
]
