"""Milliseconds of forward and backward pass of each encoder and decoder, in float32 and in bfloat16.

python -m benchmarks.networks --rows 512
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from amodal.modalities import AudioMel, ImagePixels, Modality, TextTokens
from amodal.training.allocation import keeping_freed_memory
from benchmarks.provenance import write_figures

# As the demo table's columns are, and a larger picture.
MODALITIES: dict[str, Modality] = {
    "picture, 28x28 grey": ImagePixels(height=28, width=28, channels=1),
    "picture, 64x64 colour": ImagePixels(height=64, width=64, channels=3),
    "sound, 40 bands, 50 frames": AudioMel(rate=8_000, frames=50, mels=40, n_fft=256, hop=128),
    "text, 5 words of 21": TextTokens(
        vocabulary=tuple(f"w{k}" for k in range(21)),
        document_counts=(5,) * 21,
        num_texts=35,
        length=5,
        mean_length=3.0,
    ),
}
_FEATURES = 256
_LATENT = 64


def networks(rows: int) -> dict[str, Callable[[], torch.Tensor]]:
    """Name -> forward pass of an encoder, or of a decoder with its likelihood, to a scalar."""
    passes: dict[str, Callable[[], torch.Tensor]] = {}
    for name, modality in MODALITIES.items():
        if modality.dtype == "int32":
            cells = torch.randint(2, 23, (rows, *modality.shape))
        else:
            cells = torch.rand(rows, *modality.shape)
        latents = torch.randn(rows, _LATENT, requires_grad=True)
        encoder, decoder = modality.encoder(_FEATURES), modality.decoder(_LATENT)
        passes[f"encoder, {name}"] = lambda encoder=encoder, cells=cells: encoder(cells).sum()
        passes[f"decoder, {name}"] = lambda decoder=decoder, latents=latents, cells=cells: (
            decoder(latents).log_prob(cells).mean()
        )
    return passes


def milliseconds(compute: Callable[[], torch.Tensor], bfloat16: bool) -> float:
    """Wall time of a forward and backward pass."""
    begun = time.perf_counter()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
        loss = compute()
    loss.backward()
    return 1000.0 * (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=512, help="batch size")
    parser.add_argument("--rounds", type=int, default=20, help="rounds after three warm-up rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args()
    torch.manual_seed(0)
    passes = networks(options.rows)
    times: dict[tuple[str, str], list[float]] = {}
    with keeping_freed_memory():
        for _ in range(3 + options.rounds):
            for name, compute in passes.items():
                for precision in ("fp32", "bf16"):
                    spent = milliseconds(compute, precision == "bf16")
                    times.setdefault((name, precision), []).append(spent)
    medians = {key: float(np.median(spent[3:])) for key, spent in times.items()}
    table = pd.Series(medians).unstack(sort=False)
    table["fp32 / bf16"] = table["fp32"] / table["bf16"]
    print(table.to_string(float_format=lambda number: f"{number:.2f}"))
    if options.json:
        title = f"Networks, {options.rows} cells: milliseconds"
        write_figures(options.json, title, table.round(3).to_dict("index"))
    print(json.dumps({"rows": options.rows, "milliseconds": table.round(3).to_dict("index")}))


if __name__ == "__main__":
    main()
