"""Tables: reading, schema inference, the prepared store, writing."""

from amodal.table.bad_cells import BadCell, bad_cell_error, is_bad_cell_list, write_bad_cells
from amodal.table.column_names import column_name
from amodal.table.columns import column_of
from amodal.table.completed import CompletedRows, draw_columns, fill_holes, in_form_of
from amodal.table.encoding import BadCellPolicy, check_policy, encode, encode_cells
from amodal.table.export import to_arrow, to_dataset, to_parquet
from amodal.table.fingerprint import fingerprint
from amodal.table.frames import Form
from amodal.table.missing_codes import mark_missing
from amodal.table.reading import MEDIA_ROOT, SUFFIXES, ReadOptions, Table, is_address, read_table, row_number
from amodal.table.schema import Column, Schema, describe
from amodal.table.store import Store, check_cells, prepare_store
from amodal.table.type_inference import IGNORE, check_columns, infer_schema
from amodal.table.writing import check_media_kept, write_table

__all__ = [
    "IGNORE",
    "MEDIA_ROOT",
    "SUFFIXES",
    "BadCell",
    "BadCellPolicy",
    "Column",
    "CompletedRows",
    "Form",
    "ReadOptions",
    "Schema",
    "Store",
    "Table",
    "bad_cell_error",
    "check_cells",
    "check_columns",
    "check_media_kept",
    "check_policy",
    "column_name",
    "column_of",
    "describe",
    "draw_columns",
    "encode",
    "encode_cells",
    "fill_holes",
    "fingerprint",
    "in_form_of",
    "infer_schema",
    "is_address",
    "is_bad_cell_list",
    "mark_missing",
    "prepare_store",
    "read_table",
    "row_number",
    "to_arrow",
    "to_dataset",
    "to_parquet",
    "write_bad_cells",
    "write_table",
]
