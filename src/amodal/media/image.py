"""Image files to arrays of 8-bit pixels and back.

Pillow reads, since it gives an image's size before decoding and knows every colour model; OpenCV resizes
and writes, since it is faster and its area filter does not alias. All functions may run in many threads.
"""

from __future__ import annotations

import re
import struct
import zlib
from contextlib import contextmanager, nullcontext, suppress
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO
from warnings import catch_warnings, filterwarnings

import numpy as np

from amodal.errors import UnreadableCell
from amodal.media.paths import open_cell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image

__all__ = ["fit_image", "image_array", "pil_image_array", "png_bytes", "read_image", "write_image"]

# Without those that run programs (EPS), hold no raster (WMF) or have no signature (TGA).
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF", "JPEG2000", "HEIF")
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N")
# Errors of Pillow's readers on damaged files, collected by damaging files.
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip


_MAX_PIXELS = 50_000_000


def read_image(source: Path | bytes, max_pixels: int = _MAX_PIXELS) -> NDArray[np.uint8]:
    """Read a picture, upright and opaque.

    EXIF orientation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits, and of an
    animation the first frame is taken.

    Args:
        source: a PNG, JPEG, GIF, BMP, TIFF, WebP, PPM, AVIF or JPEG 2000 file, or its content; HEIC where
            `pillow_heif` is installed, and SVG where `cairosvg` is.
        max_pixels: a picture with more is refused before it is decoded.

    Returns:
        uint8, (height, width) when the file is grey, else (height, width, 3) in the order red, green, blue.

    Raises:
        UnreadableCell: the file is no image, damaged or too large; the message says which.
    """
    from PIL import Image, ImageOps

    with _quiet_pillow():
        try:
            opened = BytesIO(source) if isinstance(source, bytes) else open_cell(source)
            with opened as file, _open(file, max_pixels) as image:
                _check_size(image.width, image.height, max_pixels)
                image.load()
                # Damaged metadata do not make the pixels unreadable.
                with suppress(*_DAMAGE):
                    ImageOps.exif_transpose(image, in_place=True)
                return _to_uint8(image)
        except UnreadableCell:
            raise
        except Image.DecompressionBombError as error:
            raise UnreadableCell(f"is too large an image ({error})") from error
        except _DAMAGE as error:
            raise UnreadableCell(f"is a damaged image ({error})") from error


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise UnreadableCell(
            f"is too large, {width:,} x {height:,} pixels; at most {max_pixels:,} in all are read"
        )


def _open(file: BinaryIO, max_pixels: int) -> Image.Image:
    """Read the header alone, as `PIL.Image.open` does.

    `Image.open` refuses large images by a limit of the whole process, in a message without their size.
    """
    from PIL import Image

    Image.init()
    prefix = file.read(16)
    if prefix[4:8] == b"ftyp":
        # Pillow's own reader of AVIF takes no HEIC.
        with suppress(ImportError):
            import pillow_heif

            pillow_heif.register_heif_opener()
    for name in _FORMATS:
        # AVIF, WebP and JPEG 2000 are missing where Pillow was built without them.
        factory, accepts = Image.OPEN.get(name, (None, None))
        if factory is not None and accepts is not None and accepts(prefix) is True:
            file.seek(0)
            try:
                return factory(file, "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue
    file.seek(0)
    if _SVG.search(file.read(_SVG_HEAD)):
        file.seek(0)
        return _rasterized(file.read(), max_pixels)
    raise UnreadableCell("is not an image of a format that can be read")


_SVG = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>/]", re.DOTALL
)
_SVG_HEAD = 4_096
_SVG_SIDE = 256  # pixels of the longer side


def _rasterized(content: bytes, max_pixels: int) -> Image.Image:
    """A drawing (SVG) as an image whose longer side has 256 pixels."""
    from PIL import Image

    try:
        import cairosvg
    except (ImportError, OSError):  # OSError: the package is there, but not the cairo library
        raise UnreadableCell("is a drawing (SVG), which is read with `pip install 'amodal[svg]'`") from None
    try:
        # Without `unsafe`, no file or address that the drawing names is opened.
        png = cairosvg.svg2png(bytestring=content, unsafe=False)
        image = Image.open(BytesIO(png))
        _check_size(image.width, image.height, max_pixels)
        scale = _SVG_SIDE / max(image.size)
        if scale != 1:
            image = Image.open(BytesIO(cairosvg.svg2png(bytestring=content, unsafe=False, scale=scale)))
    except UnreadableCell:
        raise
    except Exception as error:
        raise UnreadableCell(f"is a damaged drawing ({error})") from error
    return image


def pil_image_array(image: Image.Image, max_pixels: int = _MAX_PIXELS) -> NDArray[np.uint8]:
    """The pixels of a Pillow image, upright and opaque as `read_image` gives them; the image stays as it is.

    Raises:
        UnreadableCell: its file is damaged or closed, or it is too large.
    """
    from PIL import ImageOps

    with _quiet_pillow():
        try:
            _check_size(image.width, image.height, max_pixels)
            with _pil_lock if getattr(image, "fp", None) else nullcontext():
                image.load()  # of a file that is opened, but not read; one image may be in several cells
            upright = image
            with suppress(*_DAMAGE):
                upright = ImageOps.exif_transpose(image)
            return _to_uint8(upright)
        except UnreadableCell:
            raise
        except _DAMAGE as error:
            raise UnreadableCell(f"is a damaged image ({error})") from error


_pil_lock = Lock()


def image_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """The pixels of an array, opaque as `read_image` gives them.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), the last with transparency; or channels first, where no other
            reading is possible. Truth values; whole numbers from 0 to 255, or of type uint16 to 65,535; or numbers
            from 0 to 1, or, where one is greater, to 255.

    Returns:
        uint8, (H, W) for grey, else (H, W, 3).

    Raises:
        UnreadableCell: the array is of another shape or range.

    Example:
        >>> image_array(np.full((2, 2), 0.5)).tolist()
        [[128, 128], [128, 128]]
    """
    channels = (1, 2, 3, 4)
    if array.ndim == 3 and array.shape[2] not in channels and array.shape[0] in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in channels)
    if not is_image or array.size == 0 or array.dtype.kind not in "buif":
        raise UnreadableCell(
            f"is an array of {array.dtype} of shape {array.shape}, no image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
        )
    pixels = _as_bytes(array)
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        alpha = pixels[..., -1:].astype(np.float32) / 255
        pixels = np.rint(pixels[..., :-1] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return np.ascontiguousarray(pixels)


def _as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return ((array.astype(np.int64) + 128) // 257).astype(np.uint8)
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise UnreadableCell("has pixels that are not finite numbers")
    low, high = values.min(), values.max()
    is_fraction = array.dtype.kind in "bf" and high <= 1
    if low < 0 or high > 255:
        raise UnreadableCell(
            f"has pixels from {low:g} to {high:g}; they must be from 0 to 1, or from 0 to 255"
        )
    return np.rint(values * 255 if is_fraction else values).astype(np.uint8)


def _to_uint8(image: Image.Image) -> NDArray[np.uint8]:
    from PIL import Image

    if image.mode == "F":
        raise UnreadableCell("has floating-point pixels; save it with 8 or 16 bits")
    if image.mode.startswith("I"):
        grey = np.asarray(image).astype(np.int64)
        if grey.min() < 0 or grey.max() > 0xFFFF:
            raise UnreadableCell("has more than 16 bits a pixel; save it with 8 or 16 bits")
        # 257 takes 0xFFFF to 0xFF and 0x4242 to 0x42.
        return ((grey + 128) // 257).astype(np.uint8)
    opaque = "L" if image.mode in _GREY else "RGB"
    if image.has_transparency_data:
        translucent = image.convert({"L": "LA", "RGB": "RGBA"}[opaque])
        white = Image.new(opaque, image.size, "white")
        white.paste(translucent.convert(opaque), mask=translucent.getchannel("A"))
        return np.array(white)
    return np.array(image.convert(opaque))


def fit_image(array: NDArray[np.uint8], height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Resize a picture to a fixed size, proportions kept, padded by its border.

    Args:
        array: uint8, (H, W), (H, W, 1) or (H, W, 3).
        height: rows of the result.
        width: columns of the result.
        channels: 1 for grey, 3 for red, green, blue.

    Returns:
        uint8 (height, width, channels).

    Example:
        >>> fit_image(np.full((40, 80), 7, np.uint8), 28, 28, 1).shape
        (28, 28, 1)
    """
    import cv2

    picture = _with_channels(array, channels)
    scale = min(height / picture.shape[0], width / picture.shape[1])
    if scale != 1:
        inner = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        filter_ = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(picture, inner, interpolation=filter_), np.uint8)
    rows, columns = height - picture.shape[0], width - picture.shape[1]
    if rows or columns:
        top, left = rows // 2, columns // 2
        picture = np.asarray(
            cv2.copyMakeBorder(picture, top, rows - top, left, columns - left, cv2.BORDER_REPLICATE), np.uint8
        )
    return np.ascontiguousarray(picture).reshape(height, width, channels)


def _with_channels(array: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    import cv2

    grey = array.ndim == 2 or array.shape[2:] == (1,)
    if array.dtype != np.uint8 or not (grey or array.shape[2:] == (3,)) or array.size == 0:
        raise ValueError(f"an image is uint8 (H, W), (H, W, 1) or (H, W, 3), not {array.dtype} {array.shape}")
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 (grey) or 3 (colour), not {channels}")
    picture = np.ascontiguousarray(array[:, :, 0] if array.ndim == 3 and grey else array)
    if grey == (channels == 1):
        return picture
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB if grey else cv2.COLOR_RGB2GRAY), np.uint8)


def write_image(path: Path, array: NDArray[np.uint8]) -> None:
    """Write a picture as PNG, without loss.

    Args:
        path: the file to write or replace.
        array: as `png_bytes` takes it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png_bytes(array))


def png_bytes(array: NDArray[np.uint8]) -> bytes:
    """The PNG file of a picture.

    Args:
        array: uint8, (H, W) or (H, W, 1) for grey, (H, W, 3) for red, green, blue.
    """
    import cv2

    grey = array.ndim == 2 or array.shape[2:] == (1,)
    picture = _with_channels(array, 1 if grey else 3)
    _, encoded = cv2.imencode(".png", picture if grey else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return bytes(encoded.tobytes())


_quiet_lock = Lock()
_quiet_readers = 0
_quiet_filters = catch_warnings()


@contextmanager
def _quiet_pillow() -> Iterator[None]:
    """Silence Pillow's warnings on odd metadata.

    Warning filters belong to the process, so the first of several concurrent readers sets them and the last one
    restores them.
    """
    global _quiet_filters, _quiet_readers
    with _quiet_lock:
        if _quiet_readers == 0:
            _quiet_filters = catch_warnings()
            _quiet_filters.__enter__()
            filterwarnings("ignore", module=r"PIL\.")
        _quiet_readers += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_readers -= 1
            if _quiet_readers == 0:
                _quiet_filters.__exit__(None, None, None)
