"""Speech and text: one model that speaks a text and writes down speech.

python examples/speech_and_text.py FOLDER      # needs amodal[demo], whose eSpeak NG makes the speech
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from amodal import TableModel
from amodal.datasets.digits.speech import RATE, Utterance, speak

PHRASES = [
    " ".join(words) for words in product(("two", "five"), ("red", "yellow"), ("birds", "flowers", "houses"))
]


def make_table(folder: Path, rows: int) -> None:
    """Recordings of short phrases by several voices, and metadata.csv; a fifth of the rows lack speech or text."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    texts, voices = random.choice(PHRASES, rows), random.choice(["m1", "m3", "f2", "f4"], rows)
    spoken = speak(
        [
            Utterance(str(text), str(voice), rate=int(random.integers(150, 200)), pitch=50, liveliness=50)
            for text, voice in zip(texts, voices, strict=True)
        ]
    )
    for number, samples in enumerate(spoken):
        soundfile.write(folder / f"{number:04}.wav", samples, RATE)
    frame = pd.DataFrame(
        {"text": texts, "voice": voices, "speech": [f"{number:04}.wav" for number in range(rows)]}
    )
    training = frame.iloc[: rows * 4 // 5].copy()
    training.loc[random.random(len(training)) < 0.1, "speech"] = None
    training.loc[random.random(len(training)) < 0.1, "text"] = None
    training.to_csv(folder / "metadata.csv", index=False)
    frame.iloc[rows * 4 // 5 :].to_csv(folder / "heldout.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    table = options.folder / "table"
    make_table(table, options.rows)

    # Twelve phrases would be taken for labels: as text they are written word by word.
    model = TableModel(types={"text": "text"}, time_limit="4m", epochs=options.epochs).fit(table)

    heldout = pd.read_csv(table / "heldout.csv")
    written = model.complete(heldout, given=["speech"], columns=["text"], media_root=table)
    right = (written["text"] == heldout["text"]).mean()
    print(f"speech to text: {right:.0%} of the phrases are right, {1 / len(PHRASES):.0%} by chance")

    spoken = model.sample(2, given={"text": "five yellow birds", "voice": "f2"})
    for number, sound in enumerate(spoken["speech"]):
        file = options.folder / f"spoken-{number}.wav"
        soundfile.write(file, sound.samples, sound.rate)
        print(f"text to speech: {file}, {len(sound.samples) / sound.rate:.2f} s")


if __name__ == "__main__":
    main()
