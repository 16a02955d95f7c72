from pathlib import Path

import pytest

from amodal.table import Table, infer_schema
from tests.table.fakes import CANDIDATES, Label, Note, Number, table_with_notes


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return table_with_notes(tmp_path / "data")


@pytest.fixture
def modalities(table: Table) -> dict[str, Note | Number | Label]:
    return infer_schema(table, CANDIDATES).used  # type: ignore[return-value]
