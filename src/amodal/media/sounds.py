"""Earlier name of `amodal.media.audio`."""

from amodal.media.audio import Sound, read_sound, resample, sound_shape, wav_bytes, write_sound

__all__ = ["Sound", "read_sound", "resample", "sound_shape", "wav_bytes", "write_sound"]
