"""Tables: reading, schema inference, the prepared store, writing."""

from amodal.table.bad_cells import BadCell, bad_cell_error, is_bad_cell_list, write_bad_cells
from amodal.table.encoding import BadCellPolicy, check_policy, encode, encode_cells
from amodal.table.fingerprint import fingerprint
from amodal.table.reading import SUFFIXES, Table, read_table, row_number
from amodal.table.schema import Column, Schema, describe
from amodal.table.store import Store, check_cells, prepare_store
from amodal.table.type_inference import IGNORE, check_columns, infer_schema
from amodal.table.writing import check_media_kept, write_table

__all__ = [
    "IGNORE",
    "SUFFIXES",
    "BadCell",
    "BadCellPolicy",
    "Column",
    "Schema",
    "Store",
    "Table",
    "bad_cell_error",
    "check_cells",
    "check_columns",
    "check_media_kept",
    "check_policy",
    "describe",
    "encode",
    "encode_cells",
    "fingerprint",
    "infer_schema",
    "is_bad_cell_list",
    "prepare_store",
    "read_table",
    "row_number",
    "write_bad_cells",
    "write_table",
]
