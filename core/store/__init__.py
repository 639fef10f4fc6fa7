"""Store finished diagnoses on disk: one file each, written atomically, looked up by id, never pickled.

A run is a zip, `NAME.errata`, with these members:

    state.json          every record of the diagnosis (core.records.codec)
    arrays/             its arrays, one .npy each
    model.json, model/  the model for `assign`, if the diagnosis has one
    thumbnails          a small image of each row instead of the originals, concatenated

A run is written to a temporary file and renamed. `export` writes report, tables and JSON. See
docs/decisions/store.md.
"""

from core.store.layout import SUFFIX, check_target
from core.store.own import stamp, with_own, write_own
from core.store.read import from_bytes, load, reload
from core.store.runs import RunStore, run_id
from core.store.write import put, save, to_bytes, update

__all__ = [
    "SUFFIX",
    "RunStore",
    "check_target",
    "from_bytes",
    "load",
    "put",
    "reload",
    "run_id",
    "save",
    "stamp",
    "to_bytes",
    "update",
    "with_own",
    "write_own",
]
