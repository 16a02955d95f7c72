import struct
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from amodal.errors import UnreadableCell
from amodal.media import fit_image, read_image, write_image


def noise(*shape: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def png(header: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    written = b"\x89PNG\r\n\x1a\n"
    for name, data in ((b"IHDR", header), *chunks):
        written += struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    return written


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (1, 1), (300, 2, 3)])
def test_writing_is_lossless(tmp_path: Path, shape: tuple[int, ...]) -> None:
    picture = noise(*shape)
    write_image(tmp_path / "a.png", picture)
    read = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read, picture.squeeze(2) if shape[2:] == (1,) else picture)
    assert read.dtype == np.uint8
    assert read.flags.writeable
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("shape", [(4,), (4, 4, 4), (0, 4), (4, 4, 2)])
def test_only_grey_and_colour_are_written(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="an image is uint8"):
        write_image(tmp_path / "a.png", np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="float64"):
        write_image(tmp_path / "a.png", np.zeros((4, 4)))  # type: ignore[arg-type]


def test_colours_come_in_the_order_red_green_blue(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), (200, 100, 50)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, 0].tolist() == [200, 100, 50]


@pytest.mark.parametrize("name", ["a.jpg", "a.gif", "a.bmp", "a.tiff", "a.webp", "a.ppm"])
def test_other_formats_are_read(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (8, 6), (200, 100, 50)).save(tmp_path / name)
    np.testing.assert_allclose(read_image(tmp_path / name)[3, 3].astype(int), [200, 100, 50], atol=3)


def test_a_format_is_recognised_by_content_not_by_name(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", noise(4, 4))
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg").shape == (4, 4)


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red = read_image(tmp_path / "a.jpg")
    assert red.shape == (8, 8, 3)
    assert (red[..., 0] > 240).all()
    assert (red[..., 1:] < 15).all()


def test_a_palette_becomes_rgb(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putdata([0, 1])
    picture.save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[[10, 20, 30], [200, 100, 50]]]


def test_a_transparent_palette_entry_becomes_white(tmp_path: Path) -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putdata([0, 1])
    picture.save(tmp_path / "a.png", transparency=b"\x00\xff")
    assert read_image(tmp_path / "a.png").tolist() == [[[255, 255, 255], [200, 100, 50]]]


def test_alpha_is_laid_on_white(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (3, 1))
    picture.putdata([(10, 20, 30, 255), (10, 20, 30, 0), (0, 0, 0, 128)])
    picture.save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[[10, 20, 30], [255, 255, 255], [127, 127, 127]]]


def test_grey_with_alpha_stays_grey(tmp_path: Path) -> None:
    picture = Image.new("LA", (3, 1))
    picture.putdata([(10, 255), (10, 0), (0, 128)])
    picture.save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[10, 255, 127]]


def test_one_bit_becomes_black_and_white(tmp_path: Path) -> None:
    picture = Image.new("1", (2, 1))
    picture.putdata([0, 255])
    picture.save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").tolist() == [[0, 255]]


@pytest.mark.parametrize(("suffix", "dtype"), [("png", np.uint16), ("tiff", np.uint16), ("tiff", np.int32)])
def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path, suffix: str, dtype: type) -> None:
    values = np.array([[0, 255, 257, 0x4242, 0x8000, 0xFFFF]], dtype)
    Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    assert read_image(tmp_path / f"a.{suffix}").tolist() == [[0, 1, 1, 0x42, 128, 255]]


def test_more_than_sixteen_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 1 << 20]], np.int32)).save(tmp_path / "a.tiff")
    with pytest.raises(UnreadableCell, match="more than 16 bits"):
        read_image(tmp_path / "a.tiff")
    Image.fromarray(np.array([[0.5]], np.float32)).save(tmp_path / "b.tiff")
    with pytest.raises(UnreadableCell, match="floating-point"):
        read_image(tmp_path / "b.tiff")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    # Where the top left of what is stored belongs, and the size, as the EXIF standard has them.
    upright = np.zeros((32, 16), np.uint8)
    upright[:8, :8], upright[:8, 8:] = 255, 128
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a.jpg", exif=exif, quality=100)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg").astype(int), upright.astype(int), atol=4)


def test_unreadable_exif_does_not_cost_the_picture(tmp_path: Path) -> None:
    Image.fromarray(noise(8, 8)).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x01\x02\x03")
    assert read_image(tmp_path / "a.jpg").shape == (8, 8)


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp"])
def test_a_truncated_picture_is_refused(tmp_path: Path, suffix: str, kept: float) -> None:
    whole, part = tmp_path / f"whole.{suffix}", tmp_path / f"part.{suffix}"
    Image.fromarray(noise(64, 64, 3)).save(whole)
    content = whole.read_bytes()
    part.write_bytes(content[: round(len(content) * kept)])
    with pytest.raises(UnreadableCell, match="damaged"):
        read_image(part)


@pytest.mark.parametrize(
    "content", [b"just some text\n" * 9, b"\x89PNG\r\n\x1a\n", b"\0" * 999, b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableCell, match="image"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tiff", "webp", "ppm", "avif", "jp2"])
def test_damage_is_always_reported_as_a_reason(tmp_path: Path, suffix: str) -> None:
    if f".{suffix}" not in Image.registered_extensions():
        pytest.skip("Pillow was built without it")
    Image.fromarray(noise(20, 20, 3)).save(tmp_path / f"a.{suffix}")
    whole = (tmp_path / f"a.{suffix}").read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for place in generator.integers(0, min(len(damaged), 300), 3):
            damaged[place] = generator.integers(256)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            read_image(tmp_path / "damaged")
        except UnreadableCell:
            refused += 1
    assert refused


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableCell, match="cannot be opened"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("side", [20_000, 10_000, 60_000])
def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    # Black rows compress a thousandfold: decoding would work, and take gigabytes.
    rows = zlib.compressobj()
    data = b"".join(rows.compress(bytes(100 * (1 + side))) for _ in range(side // 100 if side < 2e4 else 0))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(png(header, (b"IDAT", data + rows.flush()), (b"IEND", b"")))
    write_image(tmp_path / "small.png", noise(2, 2))
    read_image(tmp_path / "small.png")  # Pillow loads its readers on first use
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(UnreadableCell, match=rf"{side:,} x {side:,} pixels; at most 50,000,000"):
        read_image(tmp_path / "a.png")
    assert time.perf_counter() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_the_limit_on_pixels_can_be_moved(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", noise(10, 10))
    assert read_image(tmp_path / "a.png", max_pixels=100).shape == (10, 10)
    with pytest.raises(UnreadableCell, match="10 x 10"):
        read_image(tmp_path / "a.png", max_pixels=99)


def test_many_threads_read_alike(tmp_path: Path) -> None:
    pictures = [noise(30, 40, 3, seed=seed) for seed in range(40)]
    (tmp_path / "text.png").write_bytes(b"no picture")
    for number, picture in enumerate(pictures):
        write_image(tmp_path / f"{number}.png", picture)

    def read(number: int) -> NDArray[np.uint8]:
        with pytest.raises(UnreadableCell):
            read_image(tmp_path / "text.png")
        return fit_image(read_image(tmp_path / f"{number % 40}.png"), 30, 40, 3)

    with ThreadPoolExecutor(8) as pool:
        for number, picture in enumerate(pool.map(read, range(400))):
            np.testing.assert_array_equal(picture, pictures[number % 40])


def test_fitting_to_the_same_size_is_the_identity() -> None:
    picture = noise(9, 8, 3)
    np.testing.assert_array_equal(fit_image(picture, 9, 8, 3), picture)
    np.testing.assert_array_equal(fit_image(picture[..., :1], 9, 8, 1), picture[..., :1])


def test_grey_and_colour_turn_into_each_other() -> None:
    grey = noise(4, 4)
    np.testing.assert_array_equal(fit_image(grey, 4, 4, 3), np.repeat(grey[..., None], 3, 2))
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    assert (fit_image(red, 4, 4, 1) == 76).all()  # .299 of red, as Rec. 601 has it


def test_proportions_are_kept_and_the_border_goes_on() -> None:
    wide = np.zeros((10, 40), np.uint8)
    wide[0], wide[-1] = 200, 100
    wide[1:-1, 20:] = 50
    fitted = fit_image(wide, 20, 40, 1)[..., 0]
    assert (fitted[:6] == 200).all()
    assert (fitted[14:] == 100).all()
    np.testing.assert_array_equal(fitted[5:15], wide)


@pytest.mark.parametrize("size", [(1, 1000), (1000, 1), (3, 5), (28, 28), (29, 300)])
def test_any_size_fits(size: tuple[int, int]) -> None:
    assert fit_image(noise(*size), 28, 28, 1).shape == (28, 28, 1)
    assert fit_image(noise(*size, 3), 12, 33, 3).shape == (12, 33, 3)


def test_shrinking_averages_areas() -> None:
    dots = np.zeros((64, 64), np.uint8)
    dots[::4, ::4] = 160
    assert (fit_image(dots, 16, 16, 1) == 10).all()


def test_only_one_or_three_channels_can_be_asked_for() -> None:
    with pytest.raises(ValueError, match="channels must be 1"):
        fit_image(noise(4, 4), 4, 4, 2)
