"""Tables: reading, schema inference, the prepared store, writing."""

from amodal.table.encoding import BadCellPolicy, check_policy, convert, encode
from amodal.table.fingerprint import fingerprint
from amodal.table.inference import IGNORE, check_columns, infer_schema
from amodal.table.problem_report import BadCell, cell_problem, lists_bad_cells, write_bad_cells
from amodal.table.reading import SUFFIXES, Table, read_table, row_number
from amodal.table.schema import Column, Schema, describe
from amodal.table.store import Store, check_cells, prepare_store
from amodal.table.writing import check_cells_kept, write_table

__all__ = [
    "IGNORE",
    "SUFFIXES",
    "BadCell",
    "BadCellPolicy",
    "Column",
    "Schema",
    "Store",
    "Table",
    "cell_problem",
    "check_cells",
    "check_cells_kept",
    "check_columns",
    "check_policy",
    "convert",
    "describe",
    "encode",
    "fingerprint",
    "infer_schema",
    "lists_bad_cells",
    "prepare_store",
    "read_table",
    "row_number",
    "write_bad_cells",
    "write_table",
]
