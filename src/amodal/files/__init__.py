"""Atomic outputs, locks, and errors of the machine in words."""

from amodal.files.atomic import is_staging_folder, replacing_file, replacing_folder, temporary_folder
from amodal.files.disk import existing_folder, explain_machine_error, os_errors_about, preallocate
from amodal.files.locks import exclusive_lock, is_locked
from amodal.files.outputs import (
    MANIFEST,
    begin_output_folder,
    check_output_file,
    check_output_folder,
    output_folder,
    remove_output_folder,
)

__all__ = [
    "MANIFEST",
    "begin_output_folder",
    "check_output_file",
    "check_output_folder",
    "exclusive_lock",
    "existing_folder",
    "explain_machine_error",
    "is_locked",
    "is_staging_folder",
    "os_errors_about",
    "output_folder",
    "preallocate",
    "remove_output_folder",
    "replacing_file",
    "replacing_folder",
    "temporary_folder",
]
