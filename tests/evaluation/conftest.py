from __future__ import annotations

from typing import Any

import pytest

from amodal.batch import Batch
from amodal.evaluation import scaled_batch
from amodal.modalities import MODALITIES
from amodal.table import Table, encode, infer_schema


@pytest.fixture(scope="session")
def modalities(five_columns: Table) -> dict[str, Any]:
    return dict(infer_schema(five_columns, MODALITIES).used)


@pytest.fixture(scope="session")
def real(five_columns: Table, modalities: dict[str, Any]) -> Batch:
    """The forty rows of five columns, as models draw them."""
    return scaled_batch(encode(five_columns, modalities), modalities)
