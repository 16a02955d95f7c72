"""What each network costs: milliseconds of forward and backward, in float32 and in bfloat16, by turns.

python -m benchmarks.networks --rows 512
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from amodal.modalities import AudioMel, ImagePixels, Modality, TextTokens
from amodal.training.allocation import keeping_freed_memory

# As the demo table's columns are, and a larger picture.
MODALITIES: dict[str, Modality] = {
    "picture, 28x28 grey": ImagePixels(height=28, width=28, channels=1),
    "picture, 64x64 colour": ImagePixels(height=64, width=64, channels=3),
    "sound, 40 bands, 50 frames": AudioMel(rate=8_000, frames=50, mels=40, n_fft=256, hop=128),
    "text, 5 words of 21": TextTokens(
        vocabulary=tuple(f"w{k}" for k in range(21)), length=5, mean_length=3.0
    ),
}
_FEATURES = 256
_LATENT = 64


def networks(rows: int) -> dict[str, Callable[[], torch.Tensor]]:
    """Name -> runs an encoder, or a decoder with its likelihood, and gives what backward begins at."""
    made: dict[str, Callable[[], torch.Tensor]] = {}
    for name, modality in MODALITIES.items():
        if modality.dtype == "int32":
            cells = torch.randint(2, 23, (rows, *modality.shape))
        else:
            cells = torch.rand(rows, *modality.shape)
        latents = torch.randn(rows, _LATENT, requires_grad=True)
        encoder, decoder = modality.encoder(_FEATURES), modality.decoder(_LATENT)
        made[f"encoder, {name}"] = lambda encoder=encoder, cells=cells: encoder(cells).sum()
        made[f"decoder, {name}"] = lambda decoder=decoder, latents=latents, cells=cells: (
            decoder(latents).log_prob(cells).mean()
        )
    return made


def milliseconds(compute: Callable[[], torch.Tensor], bfloat16: bool) -> float:
    begun = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        loss = compute()
    loss.backward()
    return 1000.0 * (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=512, help="cells at a time")
    parser.add_argument("--rounds", type=int, default=20, help="after three that are not counted")
    options = parser.parse_args()
    torch.manual_seed(0)
    made = networks(options.rows)
    lasted: dict[tuple[str, str], list[float]] = {}
    with keeping_freed_memory():
        for _ in range(3 + options.rounds):
            for name, compute in made.items():
                for precision in ("fp32", "bf16"):
                    spent = milliseconds(compute, precision == "bf16")
                    lasted.setdefault((name, precision), []).append(spent)
    medians = {key: float(np.median(spent[3:])) for key, spent in lasted.items()}
    table = pd.Series(medians).unstack(sort=False)
    table["fp32 / bf16"] = table["fp32"] / table["bf16"]
    print(table.to_string(float_format=lambda number: f"{number:.2f}"))
    print(json.dumps({"rows": options.rows, "milliseconds": table.round(3).to_dict("index")}))


if __name__ == "__main__":
    main()
