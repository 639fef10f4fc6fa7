"""Finished diagnoses on disk: saved whole, found again by id, never pickled.

A run's folder holds

    state.json, state.npz         every record and array of the diagnosis (core.records.codec)
    model.json, model.npz         what `assign` needs, if the diagnosis has it
    thumbnails.zip                a small picture of each row, in place of the originals
    diagnosis.json, *.parquet     the results as documented in docs/schema.md (core.reports.tables.diagnosis)
    prediction.json               what was predicted of fresh samples, if that was tried
    report.html                   the same for reading, where `finish` or `update` wrote it
    yours.json                    what a person said of it since, in place of what the state holds (core.store.own)

All but the last are replaced together (core.folders). `state.json` holds a digest of each: a folder without it is no
finished run.
"""

from core.store.layout import ARRAYS, MODEL, MODEL_ARRAYS, OWN, REPORT, STATE, THUMBNAILS
from core.store.own import with_own, write_own
from core.store.read import load, reload
from core.store.runs import RunStore, run_id
from core.store.write import finish, save, update

__all__ = [
    "ARRAYS",
    "MODEL",
    "MODEL_ARRAYS",
    "OWN",
    "REPORT",
    "STATE",
    "THUMBNAILS",
    "RunStore",
    "finish",
    "load",
    "reload",
    "run_id",
    "save",
    "update",
    "with_own",
    "write_own",
]
