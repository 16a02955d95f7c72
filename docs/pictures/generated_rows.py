"""Lay rows that `amodal sample` wrote out as one picture.

amodal demo digits table
amodal fit table -o model --time-limit 8m
amodal sample model -n 16 -o generated --seed 1
python docs/pictures/generated_rows.py generated
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

OUTPUT = Path(__file__).with_suffix(".png")
ROWS, CELL, GAP, LEFT = 8, 104, 12, 88
LABELS = {56: "image", 148: "speech", 206: "caption", 262: "digit", 284: "voice", 306: "slant"}
INK, SOFT = "#1d2230", "#5d6475"


def main() -> None:
    folder = Path(sys.argv[1])
    rows = pd.read_csv(folder / "metadata.csv", dtype=str).head(ROWS)
    page = Image.new("RGB", (LEFT + ROWS * (CELL + GAP), 326), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(15)
    for top, label in (
        (56, "image"),
        (148, "speech"),
        (206, "caption"),
        (262, "digit"),
        (284, "voice"),
        (306, "slant"),
    ):
        draw.text((4, top), label, SOFT, font, anchor="lm")
    for number, row in enumerate(rows.itertuples()):
        left = LEFT + number * (CELL + GAP)
        image = Image.open(folder / row.image).convert("L").resize((CELL, CELL), Image.Resampling.BICUBIC)
        page.paste(image, (left, 4))
        page.paste(spectrogram(folder / row.speech), (left, 120))
        caption = textwrap.fill(row.caption, 14)
        draw.multiline_text((left, 206), caption, INK, font, anchor="lm", spacing=3)
        for top, text in ((262, row.digit), (284, row.voice), (306, row.slant)):
            draw.text((left, top), text, INK, font, anchor="lm")
    page.quantize(64).save(OUTPUT, optimize=True)
    print(f"{OUTPUT}: {OUTPUT.stat().st_size / 1000:.0f} kB")


def spectrogram(path: Path) -> Image.Image:
    """Mel spectrogram, loud parts dark, low frequencies at the bottom."""
    samples, rate = librosa.load(path, sr=None)
    mel = librosa.feature.melspectrogram(y=samples, sr=rate, n_fft=256, hop_length=64, n_mels=40)
    decibels = librosa.power_to_db(mel, ref=np.max, top_db=60)
    grey = (-255 / 60 * decibels).astype(np.uint8)[::-1]
    return Image.fromarray(grey).resize((CELL, 56), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    main()
