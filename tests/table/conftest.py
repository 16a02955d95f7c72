from pathlib import Path

import pytest

from amodal.modalities import Modality
from amodal.table import Table, infer_schema
from tests.table.fakes import MODALITIES, table_with_notes


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return table_with_notes(tmp_path / "data")


@pytest.fixture
def modalities(table: Table) -> dict[str, Modality]:
    return infer_schema(table, MODALITIES).used
