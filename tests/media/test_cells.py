"""Cells in every form that people hold them, beside the same cells as files."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from amodal.errors import UnreadableCell
from amodal.media import media_folder, open_image, open_sound, sound_cell_shape, suffix_of
from amodal.media.formats import unreadable_media
from tests.cell_cases import GREY, IMAGES, SHORT, SOUNDS, CellCase

COLOUR = np.stack([GREY, GREY[::-1], 255 - GREY], axis=2)
SAMPLES = (SHORT / 32768).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.fromarray(GREY).save(tmp_path / "grey.png")
    Image.fromarray(COLOUR).save(tmp_path / "colour.png")
    soundfile.write(tmp_path / "a.wav", SHORT, 8000)
    return tmp_path


@pytest.mark.parametrize("case", IMAGES, ids=str)
def test_an_image_in_any_form_has_the_same_pixels(folder: Path, case: CellCase) -> None:
    assert open_image(case.make(folder), folder).tolist() == GREY.tolist()


@pytest.mark.parametrize(
    "cell",
    [
        COLOUR,
        COLOUR / 255,
        COLOUR.transpose(2, 0, 1),
        Image.fromarray(COLOUR),
        np.dstack([COLOUR, np.full(GREY.shape, 255, np.uint8)]),
    ],
)
def test_colour_in_any_form(cell: object) -> None:
    assert open_image(cell, None).tolist() == COLOUR.tolist()


def test_transparency_is_laid_on_white_and_truth_values_are_black_and_white() -> None:
    clear = np.zeros((2, 2, 4), np.uint8)
    assert open_image(clear, None).tolist() == np.full((2, 2, 3), 255).tolist()
    assert open_image(np.array([[True, False]]), None).tolist() == [[255, 0]]


def test_a_pillow_image_is_left_as_it_is_and_turned_upright() -> None:
    image = Image.fromarray(GREY)
    image.getexif()[0x0112] = 6
    assert open_image(image, None).shape == (8, 6)
    assert image.size == (8, 6)
    assert image.getexif()[0x0112] == 6


@pytest.mark.parametrize("format_", ["gif", "webp", "tiff", "avif", "heif", "bmp", "jpeg2000"])
def test_formats_of_pillow(format_: str) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    content = BytesIO()
    Image.fromarray(COLOUR.repeat(8, 0).repeat(8, 1)).save(content, format=format_)
    assert open_image(content.getvalue(), None).shape == (48, 64, 3)


def test_a_drawing() -> None:
    pytest.importorskip("cairosvg")
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="20" height="20"/></svg>'
    )
    pixels = open_image(b"<?xml version='1.0'?>\n<!-- made by hand -->\n" + svg, None)
    assert pixels.shape == (128, 256, 3)
    assert pixels[:, :120].max() == 0
    assert pixels[:, 136:].min() == 255


def test_a_drawing_opens_no_other_file(tmp_path: Path) -> None:
    pytest.importorskip("cairosvg")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    link = f'<image href="file://{tmp_path}/secret.png" width="8" height="8"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8">{link}</svg>'
    assert open_image(svg.encode(), None).min() == 255


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (np.zeros(3), "not an image"),
        (np.zeros((2, 2, 7)), "no image"),
        (np.full((2, 2), np.nan), "not finite"),
        (np.full((2, 2), -1.0), "must be from 0 to 1"),
        (np.full((2, 2), 300), "must be from 0 to 1"),
        (b"not a picture", "not an image of a format"),
        (3.5, "not an image"),
        ({"bytes": None, "path": "../secret.png"}, "leaves the table's folder"),
        (Path("/etc/passwd"), "absolute path"),
    ],
)
def test_what_is_no_image(folder: Path, cell: object, reason: str) -> None:
    with pytest.raises(UnreadableCell, match=reason):
        open_image(cell, folder)


@pytest.mark.parametrize("case", SOUNDS, ids=str)
def test_a_sound_in_any_form_has_the_same_samples(folder: Path, case: CellCase) -> None:
    cell = case.make(folder)
    sound = open_sound(cell, folder)
    assert sound.rate == 8000
    np.testing.assert_allclose(sound.samples, SHORT / 32768, atol=1e-6)
    assert sound_cell_shape(cell, folder) == (0.1, 8000)
    assert len(open_sound(cell, folder, max_seconds=0.05).samples) == 400


def test_unsigned_samples_have_their_middle_at_silence() -> None:
    assert open_sound((8000, np.array([0, 128, 255], np.uint8)), None).samples.tolist() == [-1, 0, 127 / 128]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ((8000, np.zeros(1)), "too short"),
        ((8000, np.array([0.0, np.inf])), "not finite"),
        ((0, np.zeros(4)), "0 samples a second"),
        ((8000, 44100), "not a sound"),
        (("a", "b"), "not a sound"),
        (b"noise", "not a sound"),
        (np.zeros((4, 4)), "not a sound"),
    ],
)
def test_what_is_no_sound(cell: object, reason: str) -> None:
    with pytest.raises(UnreadableCell, match=reason):
        open_sound(cell, None)


def test_links_out_of_the_folder_are_followed_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshot").mkdir()
    Image.fromarray(GREY).save(tmp_path / "blobs" / "sha", format="PNG")
    (tmp_path / "snapshot" / "1.png").symlink_to("../blobs/sha")
    (tmp_path / "snapshot" / "up").symlink_to(tmp_path)
    with pytest.raises(UnreadableCell, match="follow_links=True"):
        open_image("1.png", tmp_path / "snapshot")
    root = media_folder(tmp_path / "snapshot", follow_links=True)
    assert open_image("1.png", root).tolist() == GREY.tolist()
    for cell in ("../blobs/sha", "up/../../blobs/sha", str(tmp_path / "blobs" / "sha")):
        with pytest.raises(UnreadableCell, match=r"leaves the table's folder|absolute path"):
            open_image(cell, root)


def test_paths_may_be_relative_to_the_table_s_folder_below_the_media_root(tmp_path: Path) -> None:
    (tmp_path / "tables" / "a").mkdir(parents=True)
    Image.fromarray(GREY).save(tmp_path / "tables" / "a" / "1.png")
    Image.fromarray(GREY).save(tmp_path / "2.png")
    root = media_folder(tmp_path / "tables", tmp_path / "tables" / "a")
    for cell in ("1.png", "a/1.png"):
        assert open_image(cell, root).shape == GREY.shape
    with pytest.raises(UnreadableCell, match="leaves the table's folder"):
        open_image("../../2.png", root)


@pytest.mark.parametrize(
    "suffix", [".mp4", ".mov", ".webm", ".wma", ".m4a", ".aac", ".tga", ".ico", ".psd", ".MKV"]
)
def test_known_media_that_cannot_be_read_are_named(suffix: str) -> None:
    for cells in ([f"clips/{n}{suffix}" for n in range(9)], [Path(f"{n}{suffix}") for n in range(9)]):
        assert "cannot be read" in unreadable_media(cells)
    assert suffix_of(f"a{suffix} ") == suffix.lower()
    assert unreadable_media([f"See page {n}" for n in range(9)]) == ""


@pytest.mark.parametrize("excess", [None, 0xFFFF_FFFF, 2, 16, 44])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_wav_header_that_is_off_a_little(tmp_path: Path, excess: int | None, subtype: str) -> None:
    soundfile.write(tmp_path / "a.wav", SAMPLES, 8000, subtype=subtype)
    good = bytearray((tmp_path / "a.wav").read_bytes())
    at = good.find(b"data") + 4
    length = int.from_bytes(good[at : at + 4], "little")
    wrong = 0 if excess is None else min(length + excess, 0xFFFF_FFFF)
    good[at : at + 4] = wrong.to_bytes(4, "little")
    for cell in (bytes(good), "b.wav"):
        (tmp_path / "b.wav").write_bytes(good)
        np.testing.assert_allclose(open_sound(cell, tmp_path).samples, SAMPLES, atol=1e-4)
        assert sound_cell_shape(cell, tmp_path) == (0.1, 8000)


def test_a_truncated_wav_is_still_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", SAMPLES, 8000)
    with pytest.raises(UnreadableCell, match="truncated"):
        open_sound((tmp_path / "a.wav").read_bytes()[:900], None)
