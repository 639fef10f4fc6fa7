"""Altered items of any modality, such as corrected scans or reversed clips: files for the user's model, its losses for
them, and the effect of each alteration with an interval.

A folder holds the files and `MANIFEST`, with the sample and alteration of each. The user runs the model on the files,
and a table returns its losses by file name.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.documents import read_json
from core.errors import InvalidInput
from core.files import replacing, write_json
from core.limits import Limits, byte_size
from core.records import F64, I64, UNDEFINED, Bool, Estimate
from core.statistics.intervals import percentile_interval, redrawn, simultaneous_level

MANIFEST = "altered.json"
FORMAT = 1
UNCHANGED = "unchanged"
"""The baseline alteration: the item rewritten without a change."""
_EXPORT_AGAIN = "Export the items again."
MIN_ITEMS = 5
"""Fewest members, and fewest others, for an interval. A convention."""


@dataclass(frozen=True, slots=True)
class AlteredItem:
    """One file of the folder."""

    id: str
    """Id of the sample."""
    alteration: str
    file: str
    """Name within the folder."""


def write_altered(folder: Path, files: Iterable[tuple[AlteredItem, bytes]], about: Mapping[str, Any]) -> int:
    """Write files one by one, then the manifest.

    Args:
        about: further content of the manifest, such as the run.

    Returns:
        The number of files.

    Raises:
        InvalidInput: the folder is not empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty, and altered items need an empty folder. Use another --out.")
    items: list[AlteredItem] = []
    for item, content in files:
        with replacing(folder / item.file, durable=False) as part:
            part.write_bytes(content)
        items.append(item)
    write_json(folder / MANIFEST, _manifest(items, about))
    return len(items)


def zip_altered(
    path: Path, files: Iterable[tuple[AlteredItem, bytes]], about: Mapping[str, Any], max_bytes: int
) -> Path:
    """Write the files and the manifest as a zip, and the manifest beside it.

    Args:
        path: path of the zip in an empty folder, which stays empty after an error.
        max_bytes: limit for all files together.

    Returns:
        The manifest's path.

    Raises:
        InvalidInput: the files are larger than `max_bytes`.
    """
    items = list[AlteredItem]()
    n_bytes = 0
    manifest = path.with_name(MANIFEST)
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for item, content in files:
                n_bytes += len(content)
                if n_bytes > max_bytes:
                    raise InvalidInput(
                        f"The files exceed {byte_size(max_bytes)} together. Choose fewer items, or one fault."
                    )
                archive.writestr(item.file, content)
                items.append(item)
            write_json(manifest, _manifest(items, about))
            archive.write(manifest, MANIFEST)
    except BaseException:
        path.unlink(missing_ok=True)
        manifest.unlink(missing_ok=True)
        raise
    return manifest


def _manifest(items: Sequence[AlteredItem], about: Mapping[str, Any]) -> dict[str, Any]:
    return {"format": FORMAT, "about": dict(about), "items": [asdict(item) for item in items]}


def read_altered(folder: Path) -> tuple[tuple[AlteredItem, ...], Mapping[str, Any]]:
    """The manifest's items and its further content.

    Raises:
        InvalidInput: the folder has no manifest, or as `read_manifest`.
    """
    if not (folder / MANIFEST).is_file():
        raise InvalidInput(f"{folder} does not contain {MANIFEST}. Export altered items first.")
    return read_manifest(folder / MANIFEST)


def read_manifest(path: Path) -> tuple[tuple[AlteredItem, ...], Mapping[str, Any]]:
    """The items and further content of a manifest file.

    Raises:
        InvalidInput: the manifest has another format, is damaged or empty, or names a file, or a sample with one
            alteration, twice.
    """
    document = read_json(path, most=Limits().max_document_bytes)
    name = f"{path.name} in {path.parent}"
    try:
        version = document.get("format")
        items = tuple(AlteredItem(str(e["id"]), str(e["alteration"]), str(e["file"])) for e in document["items"])
        about = dict(document["about"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InvalidInput(f"{name} is damaged. {_EXPORT_AGAIN}") from None
    if version != FORMAT:
        raise InvalidInput(f"{name} has the format {str(version)[:20]}, and {FORMAT} is needed. {_EXPORT_AGAIN}")
    if not items:
        raise InvalidInput(f"{name} names no item. {_EXPORT_AGAIN}")
    for noun, keys in (
        ("the file", [item.file for item in items]),
        ("the sample and alteration", [f"{item.id}, {item.alteration}" for item in items]),
    ):
        key, n = Counter(keys).most_common(1)[0]
        if n > 1:
            raise InvalidInput(f"{name} names {noun} {key[:80]!r} {n} times. {_EXPORT_AGAIN}")
    return items, about


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """The user's model's losses for the altered items."""

    ids: tuple[str, ...]
    """Ids of m samples."""
    losses: Mapping[str, F64]
    """(m,) by alteration; nan where a sample has no such file."""


def read_rescored(items: Sequence[AlteredItem], scores: Path, *, file: str = "file", loss: str = "loss") -> Rescored:
    """The losses of a table with one row per file.

    Args:
        file: column of file names; folders before a name are ignored.
        loss: column of losses.

    Raises:
        InvalidInput: a column is missing, a file has no loss or two, or a loss is not a number.
    """
    import pandas as pd

    from core.data.tables.cells import texts_of
    from core.data.tables.read import read_table

    frame = read_table(scores, as_text=(file,)).frame
    for column in (file, loss):
        if column not in frame.columns:
            raise InvalidInput(
                f"{scores.name} has no column {column!r}. Write one row per file with the columns file and loss."
            )
    names = [Path(text or "").name for text in texts_of(frame[file])]
    exported = {item.file for item in items}
    twice = next((name for name, n in Counter(names).items() if n > 1 and name in exported), None)
    if twice is not None:  # rows of other files do not matter
        raise InvalidInput(f"{scores.name} names {twice[:80]!r} more than once. Keep one row per file.")
    numbers = pd.to_numeric(frame[loss], errors="coerce").astype(float)  # other cells become nan
    loss_of_file = dict(zip(names, numbers.tolist(), strict=True))
    if not exported & set(names):
        raise InvalidInput(
            f"{scores.name} names none of the {len(items):,} files of this export, such as {items[0].file[:80]!r}. "
            "Use the losses of these files."
        )
    for item in items:
        if not np.isfinite(loss_of_file.get(item.file, np.nan)):
            raise InvalidInput(
                f"{scores.name} has no loss for {item.file[:80]!r}. Add the losses of all {len(items):,} files."
            )
    ids = tuple(dict.fromkeys(item.id for item in items))
    index = {id_: k for k, id_ in enumerate(ids)}
    losses = {item.alteration: np.full(len(ids), np.nan) for item in items}
    for item in items:
        losses[item.alteration][index[item.id]] = loss_of_file[item.file]
    return Rescored(ids, losses)


@dataclass(frozen=True, slots=True)
class AlterationEffect:
    """The effect of one alteration on the losses of a cluster."""

    alteration: str
    n: int
    """Number of altered members."""
    drop: Estimate
    """Mean loss of the members unchanged minus altered."""
    drop_outside: Estimate
    """Mean loss of the others unchanged minus altered."""
    share: Estimate
    """`drop` over the members' excess: their mean loss minus that of the others, both unchanged. At 1 no excess
    remains. Undefined where the interval of the excess includes 0, or a resample has an excess of 0."""


def effects_of_alterations(
    scores: Rescored, members: Bool, groups: I64 | None = None, seed: int = 0, *, of: int = 1
) -> tuple[AlterationEffect, ...]:
    """The effects of each alteration on members and others, the largest drop first.

    Args:
        members: (m,) which samples of `scores` are members of the cluster; the others are the comparison.
        groups: (m,) groups to resample whole.
        of: number of alterations tested together: the intervals hold for all at once.

    Raises:
        InvalidInput: unchanged copies are missing, or there are fewer than `MIN_ITEMS` members or others.
    """
    before = scores.losses.get(UNCHANGED)
    if before is None or min(int(members.sum()), int((~members).sum())) < MIN_ITEMS:
        raise InvalidInput(
            f"{MIN_ITEMS} members and {MIN_ITEMS} others are needed, each with an unchanged copy: "
            f"got {int(members.sum())} and {int((~members).sum())}. Export more."
        )
    draws = _Draws.of(members, groups, seed, of)
    excess = draws.mean(before) - draws.mean(before, outside=True)
    # a ratio has no bounds where its denominator may be 0, so the interval of the excess must lie above 0
    has_share = draws.estimate(excess).low > 0 and not (excess == 0).any()
    effects: list[AlterationEffect] = []
    for name, after in scores.losses.items():
        if name == UNCHANGED:
            continue
        drops = before - after
        effects.append(
            AlterationEffect(
                name,
                int((members & np.isfinite(drops)).sum()),
                draws.estimate(draws.mean(drops)),
                draws.estimate(draws.mean(drops, outside=True)),
                draws.estimate(draws.mean(drops) / excess) if has_share else UNDEFINED,
            )
        )
    return tuple(sorted(effects, key=lambda effect: -effect.drop.value))


def change_between(
    scores: Rescored, pair: tuple[str, str], members: Bool, groups: I64 | None = None, seed: int = 0, *, of: int = 1
) -> Estimate:
    """Mean loss of the members with the first alteration of the pair minus with the second."""
    differences = scores.losses[pair[0]] - scores.losses[pair[1]]
    draws = _Draws.of(members, groups, seed, of)
    return draws.estimate(draws.mean(differences))


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Bootstrap resamples of members and others together."""

    members: Bool
    counts: F64
    """(1 + draws, m) how often each resample holds each sample; the first row holds each once."""
    level: float

    @classmethod
    def of(cls, members: Bool, groups: I64 | None, seed: int, of: int) -> _Draws:
        m = len(members)
        rng = np.random.default_rng([seed, 17])
        counts = [np.ones(m), *(np.bincount(rows, minlength=m) for rows in redrawn(m, groups, rng, 1_000))]
        return cls(members, np.array(counts, float), simultaneous_level(of))

    def mean(self, values: F64, *, outside: bool = False) -> F64:
        """(1 + draws,) means over the members, or the others, with a value; nan where a resample holds none."""
        rows = (self.members != outside) & np.isfinite(values)
        n = self.counts[:, rows].sum(1)
        return np.where(n, self.counts[:, rows] @ values[rows] / np.maximum(n, 1), np.nan)

    def estimate(self, values: F64) -> Estimate:
        return percentile_interval(float(values[0]), values[1:], self.level)
