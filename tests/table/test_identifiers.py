import uuid

import numpy as np
import pandas as pd
import pytest

from amodal.table.identifiers import looks_like_identifiers

RNG = np.random.default_rng(0)

SHUFFLED = RNG.permutation(np.arange(100, 150))
IDENTIFIERS = {
    "counted": list(range(50)),
    "shuffled": SHUFFLED.tolist(),
    "as text": [str(number) for number in SHUFFLED],
    "as floats beside holes": [float(number) for number in SHUFFLED],
    "by tens": list(range(0, 500, 10)),
    "zero padded": [f"{number:08}" for number in RNG.permutation(10_000_000)[:50]],
    "uuid": [str(uuid.UUID(int=int(number), version=4)) for number in RNG.integers(0, 2**62, 50)],
    "hash": [f"{number:016x}" for number in RNG.integers(0, 2**62, 50)],
    "name and number": [f"user_{number}" for number in range(50)],
    "random code": ["".join(RNG.choice(list("abcdef0123456789"), 10)) for _ in range(50)],
}
NO_IDENTIFIERS = {
    "few": list(range(20)),
    "twice": [*range(50), 3],
    "scattered": [int(number) for number in RNG.permutation(10_000)[:50]],
    "decimals": [number / 8 for number in range(50)],
    "decimals as text": [f"{number / 8}" for number in range(50)],
    "powers": [f"{number}.5e3" for number in range(50)],
    "falling by steps": [float(number) for number in range(500, 0, -10)],
    "infinite": [np.inf, *range(50)],
    "captions": [f"a photo of {number} cats" for number in range(50)],
    "chinese": [f"第{number}只猫" for number in range(50)],
    "words": [chr(97 + a) + chr(97 + b) for a in range(7) for b in range(7)],
    "quantities": [f"{number / 4}kg" for number in range(50)],
    "dates": [f"2024-{month:02}-{day:02}" for month in range(1, 6) for day in range(1, 11)],
    "lists": [[number] for number in range(50)],
    "arrays": [np.array([number, 1]) for number in range(50)],
}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_identifiers(name: str) -> None:
    cells = pd.Series(IDENTIFIERS[name])
    assert looks_like_identifiers(cells)


@pytest.mark.parametrize("name", NO_IDENTIFIERS)
def test_no_identifiers(name: str) -> None:
    cells = pd.Series(NO_IDENTIFIERS[name])
    assert not looks_like_identifiers(cells)
