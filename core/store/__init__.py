"""Finished diagnoses on disk: each in one file, saved whole, found again by id, never pickled.

A run is a zip, `NAME.errata`, that holds

    state.json          every record of the diagnosis (core.records.codec)
    arrays/             its arrays, each a .npy of its own
    model.json, model/  what `assign` needs, if the diagnosis has it
    thumbnails          a small image of each row, in place of the originals, one behind the other

It is written beside and takes its place by one rename. Report, tables and JSON come by `export`. See
docs/decisions/store.md.
"""

from core.store.layout import SUFFIX, check_target
from core.store.own import stamp, with_own, write_own
from core.store.read import load, reload
from core.store.runs import RunStore, run_id
from core.store.write import put, save, update

__all__ = [
    "SUFFIX",
    "RunStore",
    "check_target",
    "load",
    "put",
    "reload",
    "run_id",
    "save",
    "stamp",
    "update",
    "with_own",
    "write_own",
]
