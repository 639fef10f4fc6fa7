"""Records of the input: samples, outcomes, embeddings, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from core.annotations import check_fields
from core.errors import InvalidInput
from core.records.fields import shaped

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def _same_length(owner: str, n: int, **arrays: Any) -> None:
    for name, array in arrays.items():
        if array is not None and len(array) != n:
            raise InvalidInput(f"{owner}.{name} must have one entry for each of the {n} samples: got {len(array)}.")


def _pick(array: npt.NDArray[Any] | None, rows: I64) -> Any:
    if array is None:
        return None
    return array[rows]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A number and its interval; `low <= value <= high` unless the value is undefined (nan)."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"))
"""An estimate without any rows."""
MEASURED = " (measured)"
"""After the name of a measured property that a column of the table has too."""


class ItemStore(Protocol):
    """The encoded items (such as images) of a sample set, read one at a time to bound memory. Derive from it and write
    the first three methods. `read` is thread-safe."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return the path below the root folder, or the name inside the archive or table."""
        ...

    def read(self, index: int) -> bytes:
        """Return the encoded bytes (JPEG, PNG, ...) of row `index`."""
        ...

    def marks(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        """Return the true and the predicted mask (or boxes, filled), if it has both; previews show their outlines."""
        return ()

    def keep(self, rows: I64 | Sequence[int]) -> ItemStore:
        """Restrict the store to `rows`, in that order. Derived stores inherit this."""
        return ItemView(self, np.asarray(rows, np.int64))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ItemView(ItemStore):
    """Some rows of a store, in any order."""

    base: ItemStore
    rows: I64
    """(n,) index of each row's item in `base`."""
    shared: bool = False
    """Several rows show one item on purpose: it is read once, and the rows do not count as duplicates."""

    def __len__(self) -> int:
        return len(self.rows)

    def name(self, index: int) -> str:
        return self.base.name(int(self.rows[index]))

    def read(self, index: int) -> bytes:
        return self.base.read(int(self.rows[index]))

    def marks(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        return self.base.marks(int(self.rows[index]))

    def keep(self, rows: I64 | Sequence[int]) -> ItemView:
        return ItemView(self.base, self.rows[np.asarray(rows, np.int64)], self.shared)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class NamedItems(ItemStore):
    """A store that knows the names of its items; a derived class only writes `read`."""

    names: tuple[str, ...]
    """Paths below the root with "/" between folders, or names inside the archive or table."""

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        return self.names[index]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of metadata, of model outputs or of measured properties.

    values: (n,) float64 with nan for missing where kind is "number"; (n,) object array of str or None otherwise.
    """

    name: str
    """Name in conditions and titles."""
    kind: Literal["category", "number", "text"]
    """"number" and "category" are tested; "text" is only shown."""
    values: npt.NDArray[Any]
    """(n,) numbers, nan if missing; or strings, None if missing."""
    measured: bool = False
    """True for an image property that Errata measured, False for a column of the user's table."""
    form: Literal["", "count", "year", "date", "time"] = ""
    """What the numbers are: whole numbers, years, or days since 1970-01-01, whole for a date; "" is any other."""
    unit: str = ""
    """Written after a value: "UTC" for times with a zone."""

    def keep(self, rows: I64) -> Column:
        return replace(self, values=self.values[rows])

    def check(self, n: int) -> None:
        """Check that each of n samples has a value of this kind.

        Raises:
            TypeError, ValueError: names the column.
        """
        check_fields(self)
        name = f"column {self.name[:40]!a}"
        values = self.values
        shaped(name, values, n)
        if self.kind == "number":
            if values.dtype.kind not in "fiub":
                raise ValueError(f"{name}: must be numbers, not {values.dtype}")
        elif values.dtype.kind not in "OU" or not set(map(type, values.tolist())) <= {str, type(None)}:
            raise ValueError(f"{name}: must be strings")


@dataclass(frozen=True, slots=True, eq=False)
class Dependence:
    """Evidence that rows are no separate samples, where no column named related rows."""

    kind: Literal["key", "order", "sets"]
    """"key": rows share a value; "order": rows are alike side by side; "sets": by the embedding alone."""
    name: str
    """What relates them, such as "'case'", "folder", "file names before the last number" or "the table's order"."""
    share: float
    """Share of the rows whose most similar row shares their key or stands within ten places; of sets, share of the rows
    that lie in one."""
    reach: int = 0
    """Places along an order over which rows are alike."""
    n_groups: int = 0
    """Groups or stretches that tests shuffle; 0 for sets."""
    asks: bool = False
    """Nothing is tested until the user says how rows are related."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """The samples to diagnose: ids, images or texts if any, labels if known, and other columns of the table."""

    ids: tuple[str, ...]
    items: ItemStore | None = None
    """The item of each row, an image or a text; see `modality`."""
    labels: I64 | None = None
    """(n,) index into class_names."""
    class_names: tuple[str, ...] = ()
    metadata: tuple[Column, ...] = ()
    """Columns to test as conditions."""
    model_outputs: tuple[Column, ...] = ()
    """Columns of model outputs (pred*, prob*, loss*, ...): conditions only if the user picks them."""
    groups: I64 | None = None
    """(n,) group number; related rows (patient, video, source, near-duplicates) are never split."""
    group_name: str = ""
    splits: npt.NDArray[Any] | None = None
    """(n,) object array of str ("train", "test", ...), if the table has such a column."""
    name: str = "samples"
    modality: str = "image"
    """Kind of item (`core.data.modality.MODALITIES`); an encoder of the same modality embeds them."""
    dependence: Dependence | None = None
    """Why rows count as related though no column says so; None where they do not, or a column does."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        _same_length("SampleSet", n, items=self.items, labels=self.labels, groups=self.groups, splits=self.splits)
        for column in (*self.metadata, *self.model_outputs):
            _same_length("SampleSet", n, **{f"column {column.name!r}": column.values})

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def unanswered(self) -> bool:
        """Whether rows look related and nothing is tested until the user says how."""
        return self.dependence is not None and self.dependence.asks

    def keep(self, rows: I64) -> SampleSet:
        """Restrict the set to `rows`, in that order."""
        return replace(
            self,
            ids=tuple(self.ids[i] for i in rows),
            items=None if self.items is None else self.items.keep(rows),
            metadata=tuple(c.keep(rows) for c in self.metadata),
            model_outputs=tuple(c.keep(rows) for c in self.model_outputs),
            **{name: _pick(getattr(self, name), rows) for name in ("labels", "groups", "splits")},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """A loss per sample; larger is always worse. Every probe returns this record."""

    loss: F64
    """(n,) finite."""
    name: str
    """For example "cross-entropy", "0/1 error", "squared error", "1 - IoU", or the name of the user's column."""
    unit: str
    """For example "nats", "error", "share"; shown beside every figure."""
    source: str
    """Origin, for example "label x prob_* (10 columns)" or "column 'loss', negated: higher was better"."""
    clip: float | None = None
    """Cap of the losses in fits and tests (cross-entropy only)."""
    errors: Bool | None = None
    """(n,) True where the model was wrong, if known."""
    scores: F64 | None = None
    """(n, k) probabilities, if known."""
    predictions: I64 | None = None
    """(n,) index into class_names, if known."""
    is_proxy: bool = False
    """True without true labels (entropy of the prediction); called a proxy everywhere."""

    def __post_init__(self) -> None:
        n = len(self.loss)
        _same_length("Outcomes", n, errors=self.errors, scores=self.scores, predictions=self.predictions)
        if not np.isfinite(self.loss).all():
            raise InvalidInput("Outcomes.loss must be finite. Remove the rows with nan or inf.")

    @property
    def fitted(self) -> F64:
        """(n,) the loss that is fitted and tested: clipped at `clip`."""
        if self.clip is None:
            return self.loss
        return np.minimum(self.loss, self.clip)

    @property
    def said_unit(self) -> str:
        """The unit to show; "" for "loss" and "share", which add nothing."""
        if self.unit in ("loss", "share"):
            return ""
        return self.unit

    def keep(self, rows: I64) -> Outcomes:
        """Restrict the outcomes to `rows`, in that order."""
        picked = {name: _pick(getattr(self, name), rows) for name in ("errors", "scores", "predictions")}
        return replace(self, loss=self.loss[rows], **picked)


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Unit vectors of one encoder. Only vectors of the same `space` are comparable."""

    vectors: F32
    """(n, d) unit rows, float32."""
    encoder: str
    """The encoder's name and fingerprint, or "given"."""
    space: str

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or not np.isfinite(self.vectors).all():
            bad = int((~np.isfinite(np.atleast_1d(self.vectors))).any(-1).sum())
            raise InvalidInput(
                f"Embeddings must be a finite (n, d) array: got {self.vectors.shape}, {bad:,} rows with nan or inf. "
                "Remove these rows."
            )

    def __len__(self) -> int:
        return len(self.vectors)

    def keep(self, rows: I64) -> Embeddings:
        return replace(self, vectors=self.vectors[rows])


_PER_PHRASE = ("auroc", "low", "high", "n_with", "n_without", "said")
"""Fields of Competence with a value for each phrase."""


@dataclass(frozen=True, slots=True, eq=False)
class Competence:
    """How well the naming encoder separates images with each phrase from images without, measured on images outside its
    training set. nan and 0 for phrases without a measurement."""

    auroc: F64
    """(P,) area under the ROC curve."""
    low: F64
    """(P,) lower end of its 95% interval."""
    high: F64
    n_with: I64
    """(P,) images with the phrase."""
    n_without: I64
    bar: float
    """Minimum of `low` for a phrase that counts as known."""
    said: F64 = field(default_factory=lambda: np.empty(0))
    """(P,) captions per 1,000 photographs in which people use the phrase; nan if not counted (default: all nan)."""

    def __post_init__(self) -> None:
        if not len(self.said):
            object.__setattr__(self, "said", np.full(len(self.auroc), np.nan))
        _same_length("Competence", len(self.auroc), **{f: getattr(self, f) for f in _PER_PHRASE})

    def is_known(self, phrase: int) -> bool:
        """Whether the phrase was measured."""
        return bool(self.n_with[phrase] > 0)

    def is_enough(self, phrase: int) -> bool:
        """Whether `low` reaches the bar: the encoder knows the phrase."""
        return self.is_known(phrase) and bool(self.low[phrase] >= self.bar)

    def of(self, phrase: int) -> Estimate:
        return Estimate(float(self.auroc[phrase]), float(self.low[phrase]), float(self.high[phrase]))

    def keep(self, phrases: I64) -> Competence:
        """Restrict the record to `phrases`, in that order."""
        return replace(self, **{f: getattr(self, f)[phrases] for f in _PER_PHRASE})

    def followed_by(self, more: Competence) -> Competence:
        """Add the phrases of another record, whose bar is not kept."""
        return replace(self, **{f: np.concatenate([getattr(self, f), getattr(more, f)]) for f in _PER_PHRASE})


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of a run: the naming encoder's embeddings of the samples, and the tested phrases.

    P phrases, d dimensions of the space shared by images and texts.
    """

    joint: Embeddings
    """(n, d) the samples in the space shared with texts; the search for clusters may use another space."""
    encoder: str
    """Name of the text tower for `core.encoders.load_encoder`; "" if only directions are known."""
    phrases: tuple[str, ...]
    families: tuple[str, ...]
    """Attribute family of each phrase, such as "light"."""
    directions: F32
    """(P, d) unit rows: prompts with the phrase minus the same prompts without it, which cancels a constant gap between
    modalities."""
    notes: tuple[str, ...] = ()
    strengths: F32 | None = None
    """(P,) distance by which a phrase moves a prompt in the text tower; None if unknown."""
    competence: Competence | None = None
    """How well the encoder knows each phrase; None without a measurement."""
    line: float | None = None
    """Minimum support (`core.language.likeness`) of samples that show a text; None if not measured."""
    support: F64 | None = None
    """(P,) similarity of each phrase's best matches, compared with `line`; None without `line`."""
    titles: Mapping[str, Any] | None = None
    """Parameters for `core.language.title_model.TitleModel.read`, fitted for the encoder; None if not fitted."""

    def __post_init__(self) -> None:
        _same_length(
            "Words",
            len(self.phrases),
            families=self.families,
            directions=self.directions,
            strengths=self.strengths,
            support=self.support,
        )
        if self.competence is not None:
            _same_length("Words", len(self.phrases), competence=self.competence.auroc)

    def is_enough(self, phrase: int) -> bool:
        """Whether the encoder knows the phrase well enough, and any sample matches it."""
        return self.competence is not None and self.competence.is_enough(phrase) and self.is_shown(phrase)

    def is_shown(self, phrase: int) -> bool:
        """Whether any sample matches the phrase for the encoder; True if not measured."""
        return self.line is None or self.support is None or bool(self.support[phrase] >= self.line)

    def keep(self, rows: I64) -> Words:
        """Restrict the words to the samples `rows`, in that order."""
        return replace(self, joint=self.joint.keep(rows))
