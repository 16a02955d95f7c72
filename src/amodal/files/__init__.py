"""Files: outputs that are there whole or not at all, locks, and what a full disk says."""

from amodal.files.atomic import is_place, replacing_file, replacing_folder, temporary_folder
from amodal.files.disk import file_system, in_words, naming, reserve
from amodal.files.locks import exclusive
from amodal.files.outputs import (
    MANIFEST,
    begin_folder,
    check_file,
    check_folder,
    output_folder,
    remove_folder,
)

__all__ = [
    "MANIFEST",
    "begin_folder",
    "check_file",
    "check_folder",
    "exclusive",
    "file_system",
    "in_words",
    "is_place",
    "naming",
    "output_folder",
    "remove_folder",
    "replacing_file",
    "replacing_folder",
    "reserve",
    "temporary_folder",
]
