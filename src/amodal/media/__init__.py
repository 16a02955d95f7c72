"""Files to arrays and back, by Pillow, OpenCV, librosa and soundfile, which no other package imports."""

from amodal.media.audio import Sound, read_sound, resample, sound_shape, wav_bytes, write_sound
from amodal.media.cepstrum import from_mfcc, mfcc
from amodal.media.image import fit_image, png_bytes, read_image, write_image
from amodal.media.mel import from_log_mel, log_mel
from amodal.media.paths import locate

__all__ = [
    "Sound",
    "fit_image",
    "from_log_mel",
    "from_mfcc",
    "locate",
    "log_mel",
    "mfcc",
    "png_bytes",
    "read_image",
    "read_sound",
    "resample",
    "sound_shape",
    "wav_bytes",
    "write_image",
    "write_sound",
]
