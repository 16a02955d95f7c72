"""A folder of pictures with a CSV: fit it, fill its holes, generate new rows, write a report.

python examples/pictures_with_csv.py FOLDER
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from amodal import TableModel

COLOURS = {"red": (200, 40, 40), "green": (40, 160, 60), "blue": (50, 80, 200)}


def make_table(folder: Path, rows: int) -> None:
    """Pictures of circles, squares and triangles, and metadata.csv with a fifth of its cells missing."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    table = []
    for number in range(rows):
        shape = str(random.choice(["circle", "square", "triangle"]))
        colour, radius = str(random.choice(list(COLOURS))), int(random.integers(5, 13))
        picture = Image.new("RGB", (32, 32), "white")
        draw = ImageDraw.Draw(picture)
        left, top, right, bottom = box = (16 - radius, 16 - radius, 16 + radius, 16 + radius)
        if shape == "circle":
            draw.ellipse(box, fill=COLOURS[colour])
        elif shape == "square":
            draw.rectangle(box, fill=COLOURS[colour])
        else:
            draw.polygon([(left, bottom), (right, bottom), (16, top)], fill=COLOURS[colour])
        picture.save(folder / f"{number:04}.png")
        table.append((f"{number:04}.png", shape, colour, 2 * radius))
    frame = pd.DataFrame(table, columns=["file_name", "shape", "colour", "width"])
    frame = frame.mask(random.random(frame.shape) < 0.2).dropna(how="all")
    frame["width"] = frame["width"].astype("Int64")
    frame.iloc[: rows * 4 // 5].to_csv(folder / "metadata.csv", index=False)
    frame.iloc[rows * 4 // 5 :].to_csv(folder / "heldout.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    table = options.folder / "table"
    make_table(table, options.rows)

    # Sixteen widths would be taken for labels.
    model = TableModel(types={"width": "number"}, time_limit="2m", epochs=options.epochs).fit(table)
    print({name: modality.type for name, modality in model.schema_.used.items()})

    # Fill the missing cells: present ones stay as they are.
    filled = model.complete(table)
    print(filled.drop(columns="file_name").head())

    # Predict one column from another: the most frequent of 20 draws, and how often it was drawn.
    heldout = pd.read_csv(table / "heldout.csv").dropna(subset=["file_name", "shape"])
    draws = model.complete(heldout, given=["file_name"], columns=["shape"], draws=20, media_root=table)
    counts = draws.groupby("row")["shape"].value_counts(normalize=True).unstack(fill_value=0)
    accuracy = (counts.idxmax(axis=1).to_numpy() == heldout["shape"].to_numpy()).mean()
    print(
        f"shape predicted from the picture: {accuracy:.0%} right, with probability {counts.max(axis=1).mean():.2f}"
    )

    # Generate small blue circles, as PNG files with a CSV.
    new = model.sample(4, given={"shape": "circle", "colour": "blue", "width": 12})
    for number, picture in enumerate(new["file_name"]):
        Image.fromarray(picture).save(options.folder / f"new-{number}.png")

    report = model.evaluate(table / "heldout.csv", training=table, output=options.folder / "report")
    print(f"{options.folder / 'report' / 'report.html'}: overall {report.summary.overall.value:.2f}")


if __name__ == "__main__":
    main()
