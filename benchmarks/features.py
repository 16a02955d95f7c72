"""What `TableModel.features` costs beside the plain loop of scikit-learn's and librosa's own calls.

python -m benchmarks.features
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import librosa
import nltk
import numpy as np
import pandas as pd
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import StandardScaler

from amodal import TableModel
from amodal.datasets.digits import make_digits
from amodal.features import feature_metadata

TYPES = {"image": "image:patches", "speech": "audio:mfcc", "caption": "text:bag_of_words"}


def plain(table: pd.DataFrame, folder: Path, sound: dict[str, int]) -> dict[str, np.ndarray]:
    """The vectors of the cells that are there, one call after another."""
    patches = []
    for cell in table["image"].dropna():
        picture = cv2.imread(str(folder / cell), cv2.IMREAD_GRAYSCALE)
        patches.append(extract_patches_2d(picture, (16, 16)).ravel())
    clips = []
    for cell in table["speech"].dropna():
        samples, rate = librosa.load(folder / cell, sr=sound["rate"])
        clips.append(
            librosa.feature.mfcc(
                y=samples,
                sr=rate,
                n_mfcc=40,
                n_fft=sound["n_fft"],
                hop_length=sound["hop"],
                n_mels=sound["mels"],
            )
        )
    scaler = StandardScaler().fit(np.concatenate(clips, axis=1).T)
    frames = np.zeros((len(clips), 40, sound["frames"]), np.float32)
    for row, clip in zip(frames, clips, strict=True):
        row[:, : clip.shape[1]] = scaler.transform(clip.T).T
    counter = CountVectorizer(
        tokenizer=lambda text: nltk.word_tokenize(text, preserve_line=True), token_pattern=None
    )
    words = counter.fit_transform(table["caption"].dropna()).toarray()
    return {"image": np.stack(patches), "speech": frames.reshape(len(frames), -1), "caption": words}


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--first", type=int, help="take only the first rows of the table")
    parser.add_argument("--times", type=int, default=5, help="runs, after a first that is not counted")
    options = parser.parse_args()

    folder = options.folder / f"digits-{options.rows}-0.2-0"
    if not (folder / "metadata.csv").is_file():
        make_digits(folder, rows=options.rows)
    table = pd.read_csv(folder / "metadata.csv", dtype=str)[list(TYPES)].head(options.first or options.rows)
    model = TableModel(types=TYPES)

    features = model.features(table, media_root=folder)
    sound = feature_metadata(features)["speech"]["fitted"]
    reference = plain(table, folder, sound)
    difference = max(
        float(np.abs(np.stack(features[name].drop_null().to_numpy()) - vectors).max())
        for name, vectors in reference.items()
    )
    ours, theirs = [], []
    for _ in range(options.times):
        ours.append(seconds(lambda: model.features(table, media_root=folder)))
        theirs.append(seconds(lambda: plain(table, folder, sound)))
    medians = {
        "features s": round(statistics.median(ours), 3),
        "plain loop s": round(statistics.median(theirs), 3),
        "ratio": round(statistics.median(theirs) / statistics.median(ours), 2),
        "largest difference": difference,
        "rows": len(table),
    }
    print(
        f"features of {len(table)} rows: {medians['features s']:.2f} s (median of {options.times}, in turn)"
    )
    print(f"plain loop of scikit-learn's and librosa's calls: {medians['plain loop s']:.2f} s")
    print(f"ratio: {medians['ratio']:.2f}; largest difference of any number: {difference:.1e}")
    print(json.dumps(medians))


if __name__ == "__main__":
    main()
