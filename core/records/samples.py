"""The nouns on the way in: samples, outcomes, embeddings, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.records.fields import check_fields, shaped

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def _same_length(owner: str, n: int, **arrays: Any) -> None:
    for name, array in arrays.items():
        if array is not None and len(array) != n:
            raise InvalidInput(f"{owner}.{name} must have one entry for each of the {n} samples: got {len(array)}.")


def _pick(array: npt.NDArray[Any] | None, rows: I64) -> Any:
    return None if array is None else array[rows]


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A number with its interval; `low <= value <= high` unless the value is undefined (nan)."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        return {"value": self.value, "low": self.low, "high": self.high}


UNDEFINED = Estimate(float("nan"), float("nan"), float("nan"))
"""Of what no rows tell."""


class ItemStore(Protocol):
    """The encoded items (images) of a sample set, opened one at a time so that memory stays bounded: derive from it
    and write the first three methods. `read` is thread-safe."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """The path below the images' root, or the name inside the archive or table."""
        ...

    def read(self, index: int) -> bytes:
        """The encoded bytes (JPEG, PNG, ...) of row `index`."""
        ...

    def marks(self, index: int) -> tuple[npt.NDArray[Any], ...]:
        """The true and the predicted mask of a scan, if it has both: previews bear their outlines."""
        return ()

    def keep(self, rows: I64 | Sequence[int]) -> ItemStore:
        """The same store restricted to `rows`, in that order. Written once: a store that derives from this class has
        it."""
        return ItemView(self, np.asarray(rows, np.int64))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ItemView(ItemStore):
    """Some rows of a store, in any order."""

    base: ItemStore
    rows: I64
    """(n,) place of each row's item in `base`."""
    shared: bool = False
    """Several rows show one item on purpose: it is read once, and they are no duplicates of each other."""

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
    """A store that knows its items' names: only `read` is left to write."""

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
    """As conditions and titles say it."""
    kind: Literal["category", "number", "text"]
    """"number" and "category" are tested; "text" is shown alone."""
    values: npt.NDArray[Any]
    """(n,) numbers, nan where one is missing; or words, None where one is."""
    measured: bool = False
    """True for an image property that Errata measured, False for a column of the user's table."""

    def keep(self, rows: I64) -> Column:
        return replace(self, values=self.values[rows])

    def check(self, n: int) -> None:
        """See that there is a value of the promised kind for each of n samples.

        Raises:
            TypeError, ValueError: there is not; the column is named.
        """
        check_fields(self)
        name = f"column {self.name[:40]!a}"
        values = self.values
        shaped(name, values, n)
        if self.kind == "number":
            if values.dtype.kind not in "fiub":
                raise ValueError(f"{name}: numbers are needed, not {values.dtype}")
        elif values.dtype.kind not in "OU" or not set(map(type, values.tolist())) <= {str, type(None)}:
            raise ValueError(f"{name}: words are needed")


@dataclass(frozen=True, slots=True, eq=False)
class SampleSet:
    """What is diagnosed: ids, images or texts if any, labels if known, and the table's other columns."""

    ids: tuple[str, ...]
    items: ItemStore | None = None
    """What each row shows to an encoder: an image or a text; see `modality`."""
    labels: I64 | None = None
    """(n,) index into class_names."""
    class_names: tuple[str, ...] = ()
    metadata: tuple[Column, ...] = ()
    """Columns that may serve as conditions."""
    model_outputs: tuple[Column, ...] = ()
    """Columns that a model wrote (pred*, prob*, loss*, ...): never conditions unless the user picks them."""
    groups: I64 | None = None
    """(n,) group number; the rows of a group (patient, video, source, near-duplicates) are never split."""
    group_name: str = ""
    splits: npt.NDArray[Any] | None = None
    """(n,) object array of str ("train", "test", ...), if the table has such a column."""
    name: str = "samples"
    modality: str = "image"
    """What an item is, by name (`core.data.modality.MODALITIES`); an encoder of the same modality embeds them."""

    def __post_init__(self) -> None:
        n = len(self.ids)
        _same_length("SampleSet", n, items=self.items, labels=self.labels, groups=self.groups, splits=self.splits)
        for column in (*self.metadata, *self.model_outputs):
            _same_length("SampleSet", n, **{f"column {column.name!r}": column.values})

    def __len__(self) -> int:
        return len(self.ids)

    def keep(self, rows: I64) -> SampleSet:
        """The same set restricted to `rows`, in that order."""
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
    """A loss for each sample: larger is worse, always. Every probe ends in this record."""

    loss: F64
    """(n,) finite."""
    name: str
    """Such as "cross-entropy", "0/1 error", "squared error", "1 - IoU", or the user's column."""
    unit: str
    """Such as "nats", "error", "share"; shown beside every figure."""
    source: str
    """Where it came from, for instance "label x prob_* (10 columns)" or "column 'loss', negated: higher was better"."""
    clip: float | None = None
    """Losses above it are fitted as if they were equal to it (cross-entropy only)."""
    errors: Bool | None = None
    """(n,) True where the model was wrong, if that is known."""
    scores: F64 | None = None
    """(n, k) probabilities, if known."""
    predictions: I64 | None = None
    """(n,) index into class_names, if known."""
    is_proxy: bool = False
    """True where no truth was given (entropy of the prediction): called a proxy everywhere."""

    def __post_init__(self) -> None:
        n = len(self.loss)
        _same_length("Outcomes", n, errors=self.errors, scores=self.scores, predictions=self.predictions)
        if not np.isfinite(self.loss).all():
            raise InvalidInput("Outcomes.loss must be finite: leave such rows out and say so.")

    @property
    def fitted(self) -> F64:
        """(n,) the loss as the regressors see it: clipped at `clip`."""
        return self.loss if self.clip is None else np.minimum(self.loss, self.clip)

    @property
    def said_unit(self) -> str:
        """The unit; "" where it says no more than "loss", or than 1 - Dice does."""
        return "" if self.unit in ("loss", "share") else self.unit

    def keep(self, rows: I64) -> Outcomes:
        """The same outcomes restricted to `rows`, in that order."""
        picked = {name: _pick(getattr(self, name), rows) for name in ("errors", "scores", "predictions")}
        return replace(self, loss=self.loss[rows], **picked)


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Unit rows of one encoder. Only vectors of one `space` may be compared."""

    vectors: F32
    """(n, d) unit rows, float32."""
    encoder: str
    """The encoder's name and fingerprint, or "given"."""
    space: str

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or not np.isfinite(self.vectors).all():
            bad = int((~np.isfinite(np.atleast_1d(self.vectors))).any(-1).sum())
            raise InvalidInput(
                f"Embeddings must be a finite (n, d) array: got {self.vectors.shape}, {bad:,} rows with nan or "
                "inf. Leave such out."
            )

    def __len__(self) -> int:
        return len(self.vectors)

    def keep(self, rows: I64) -> Embeddings:
        return replace(self, vectors=self.vectors[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Competence:
    """How well the naming encoder tells images that show each phrase from images that do not, measured on images
    that no fit of it saw. nan and 0 where a phrase was not measured."""

    auroc: F64
    """(P,) area under the ROC curve."""
    low: F64
    """(P,) lower end of its 95% interval."""
    high: F64
    n_with: I64
    """(P,) images that show it."""
    n_without: I64
    bar: float
    """The least lower end with which the encoder is said to know a phrase."""
    said: F64 = field(default_factory=lambda: np.empty(0))
    """(P,) of how many in 1,000 captioned photographs people say the phrase; nan where that was not counted. Left out,
    it was counted of none."""

    def __post_init__(self) -> None:
        if not len(self.said):
            object.__setattr__(self, "said", np.full(len(self.auroc), np.nan))
        same = {f: getattr(self, f) for f in ("low", "high", "n_with", "n_without", "said")}
        _same_length("Competence", len(self.auroc), **same)

    def is_known(self, phrase: int) -> bool:
        """Whether the phrase was measured at all."""
        return bool(self.n_with[phrase] > 0)

    def is_enough(self, phrase: int) -> bool:
        """Whether the encoder surely knows the phrase."""
        return self.is_known(phrase) and bool(self.low[phrase] >= self.bar)

    def of(self, phrase: int) -> Estimate:
        return Estimate(float(self.auroc[phrase]), float(self.low[phrase]), float(self.high[phrase]))

    def keep(self, phrases: I64) -> Competence:
        """The same of some phrases, in that order."""
        picked = {f: getattr(self, f)[phrases] for f in ("auroc", "low", "high", "n_with", "n_without", "said")}
        return replace(self, **picked)


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """What a run can be asked in words: the naming encoder's view of the samples, and the phrases that are tested.

    P phrases, d dimensions of the space that images share with texts.
    """

    joint: Embeddings
    """(n, d) the samples in the space shared with texts; it need not be the space in which failures are found."""
    encoder: str
    """Name under which `core.encoders.load_encoder` finds the text tower; "" where only given directions are known."""
    phrases: tuple[str, ...]
    families: tuple[str, ...]
    """The attribute family of each phrase, such as "light"."""
    directions: F32
    """(P, d) unit rows: prompts with the phrase minus the same prompts without it, so a constant gap between modalities
    cancels."""
    notes: tuple[str, ...] = ()
    strengths: F32 | None = None
    """(P,) how far a phrase moves a prompt: what the text tower makes much of. None where it is not known."""
    competence: Competence | None = None
    """How well the encoder knows each phrase; None where nothing was measured of it."""
    line: float | None = None
    """Least support (`core.language.likeness`) from which samples are said to show a text; None where that was not
    measured."""
    support: F64 | None = None
    """(P,) how far the samples most like each phrase are like it, to be held against `line`; None without it."""
    titles: Mapping[str, Any] | None = None
    """What `core.language.title_model.TitleModel.read` makes a model of titles from, fitted for the encoder; None where
    none was."""

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
        """Whether the encoder knows the phrase well enough, and any sample is like it."""
        return self.competence is not None and self.competence.is_enough(phrase) and self.is_shown(phrase)

    def is_shown(self, phrase: int) -> bool:
        """Whether any sample is like the phrase, as far as the encoder sees; True where that was not measured."""
        return self.line is None or self.support is None or bool(self.support[phrase] >= self.line)

    def keep(self, rows: I64) -> Words:
        """The same words over the samples `rows`, in that order."""
        return replace(self, joint=self.joint.keep(rows))
