"""What an evaluation hands over of a batch, as numpy; torch, TensorFlow and JAX are not imported for it."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Set, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InvalidInput
from core.options import check_text
from core.records import F64, I64
from core.statistics import losses

SUM_TOLERANCE = 1e-2
"""How far from 1 the probabilities of a row may sum: what half precision makes of a thousand of them."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchScores:
    """(n, k) logits or probabilities of the classes; nan where unknown."""

    values: F64
    are_logits: bool

    @property
    def k(self) -> int:
        return self.values.shape[1]

    def like_probabilities(self) -> bool:
        """Whether every row is at least 0 and sums to 1, as logits hardly do but for zeros and ones."""
        if (self.values < 0).any() or np.isin(self.values, (0.0, 1.0)).all():
            return False
        return bool((np.abs(self.values.sum(axis=1) - 1) <= SUM_TOLERANCE).all())

    def best(self) -> I64:
        """(n,) the class of the highest score, -1 where a score is unknown."""
        return np.where(np.isnan(self.values).any(axis=1), -1, self.values.argmax(axis=1))

    def cross_entropy(self, labels: I64) -> F64:
        return (losses.cross_entropy_of_logits if self.are_logits else losses.cross_entropy)(self.values, labels)

    def probabilities(self) -> F64:
        return losses.softmax(self.values) if self.are_logits else self.values


def scores_of(logits: Any, probabilities: Any) -> BatchScores | None:
    """The scores; one number a sample is that of the second of two classes.

    Raises:
        InvalidInput: both are given, they are not (n, k), or the probabilities are none.
    """
    if logits is not None and probabilities is not None:
        raise InvalidInput("Both logits and probabilities were given. Record one of the two.")
    if logits is None and probabilities is None:
        return None
    what = "probabilities" if logits is None else "logits"
    array = numbers(_read(probabilities if logits is None else logits, what), what)
    if array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 1):
        second = array.reshape(-1)
        array = np.stack([1 - second if logits is None else np.zeros_like(second), second], axis=1)
    if array.ndim != 2:
        raise InvalidInput(
            f"{what} must have one row for each sample, (n, k): got the shape {array.shape}. "
            "Where a sample has several answers, record losses=, such as their mean."
        )
    if logits is None:
        _check_probabilities(array)
    return BatchScores(array, logits is not None)


def _check_probabilities(array: F64) -> None:
    off = (array < 0).any(axis=1) | (np.abs(array.sum(axis=1) - 1) > SUM_TOLERANCE)  # nan is neither
    if off.any():
        total = float(array[off][0].sum())
        are_shares = not (array < 0).any() and np.ptp(array[off].sum(axis=1)) <= SUM_TOLERANCE * total
        next_step = f"Divide them by {total:.4g}." if are_shares else "Scores before the softmax are logits=."
        raise InvalidInput(
            f"probabilities must be at least 0 and sum to 1: {int(off.sum()):,} of {len(array):,} rows do not, the "
            f"first sums to {total:.4g}. {next_step}"
        )


def vector(value: Any, what: str) -> npt.NDArray[Any]:
    """(n,) one value for each sample."""
    array = _read(value, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = 'Compute the loss with reduction="none".' if what == "losses" else "Of several labels, record losses=."
        raise InvalidInput(f"{what} must be one value for each sample, (n,): got the shape {array.shape}. {hint}")
    if array.dtype.kind == "S" or (array.dtype.kind == "O" and any(isinstance(each, bytes) for each in array)):
        return np.array([decoded(each, what) for each in array.tolist()], object)
    return array


def decoded(value: Any, what: str) -> Any:
    """Bytes as the text that they are in UTF-8, as TensorFlow hands texts over; anything else as it is."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} of bytes must be UTF-8: got {value[:60]!r}. Give them as texts.") from None


def numbers(array: npt.NDArray[Any], what: str) -> F64:
    """The array as float64."""
    if array.dtype.kind == "c":
        raise InvalidInput(f"{what} must be real numbers: got {array.dtype}. Record their size, such as abs(...).")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} must be numbers: {error}.") from error


def column(value: Any, what: str) -> Any:
    """A list with a value, a vector or an encoded image for each sample; or the one value for all.

    Raises:
        InvalidInput: it is neither, such as a dict, a set or what gives its values but once.
    """
    if _is_pil(value):
        return png_of(value, what)
    if value is None or isinstance(value, (str, bytes)) or not isinstance(value, (Sized, Iterable)):
        return value
    if isinstance(value, Set | Mapping) or not isinstance(value, Sized):
        raise InvalidInput(
            f"{what} must be a list, an array or a tensor, one for each sample, or one value for all: got "
            f"{type(value).__name__}. Write it as a list."
        )
    if isinstance(value, (list, tuple)) and any(isinstance(each, bytes) or _is_pil(each) for each in value):
        return [each if each is None or isinstance(each, bytes) else png_of(each, what) for each in value]
    array = _read(value, what)
    return [png_of(each, what) for each in array] if array.ndim > 2 else array.tolist()


def _is_pil(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("save", "convert", "getbands"))


def png_of(value: Any, what: str, compress_level: int = 6) -> bytes:
    """An image of PIL, or (h, w), (h, w, c) or, as torch has it, (c, h, w) bytes or fractions of 1, as PNG.

    Args:
        compress_level: 0 to 9, of the files; 1 takes a third of the time of 6.

    Raises:
        InvalidInput: it is none of these, such as an image that was normalized for a network.
    """
    from PIL import Image

    from core.data.images.decoding import to_rgb

    if not _is_pil(value):
        array = _array(value)
        if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
            array = np.moveaxis(array, 0, 2)
        array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
        top = 1.0 if array.dtype.kind in "bf" else 255
        flat = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
        known = array.size > 0 and array.dtype.kind in "biuf"
        if not (flat and known and array.min() >= 0 and array.max() <= top):  # nan is neither
            span = f"{array.min():.3g} to {array.max():.3g}" if known else f"{array.dtype}"
            raise InvalidInput(
                f"The images {what!r} must be (h, w) or (h, w, 3), of 0 to 255 or 0.0 to 1.0, as they were before a "
                f"network's transform: got the shape {array.shape} and {span}."
            )
        value = Image.fromarray(np.rint(array * (255 / top)).astype(np.uint8))
    written = io.BytesIO()
    (value if value.mode in ("L", "RGB", "RGBA") else to_rgb(value)).save(written, "PNG", compress_level=compress_level)
    return written.getvalue()


def texts(values: Any, what: str = "ids") -> list[str]:
    """(n,) ids or names as they are written: paths and numbers as texts."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        each = "sample" if what == "ids" else "class"
        raise InvalidInput(f"{what} must be a list, one for each {each}: got {str(values)[:60]!r}.")
    # an array of a list would round large numbers
    listed = isinstance(values, (list, tuple)) or not isinstance(values, Sized)
    return [_text(each, what) for each in (list(values) if listed else vector(values, what).tolist())]


def _text(value: Any, what: str) -> str:
    value = value.tolist() if hasattr(value, "tolist") else value  # of an array or a tensor
    value = decoded(os.fspath(value) if isinstance(value, os.PathLike) else value, what)
    if value is None or isinstance(value, (list, tuple)) or value != value:
        raise InvalidInput(f"Each of the {what} must be a text, a path or a number: got {str(value)[:60]!r}.")
    check_text(str(value), what)
    return str(value)


def one_length(**given: Any) -> int:
    """How many samples there are.

    Raises:
        InvalidInput: what was given differs in length.
    """
    counts = {
        name: len(each) for name, each in given.items() if isinstance(each, Sized) and not isinstance(each, str | bytes)
    }
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{n:,} {name}" for name, n in counts.items())
        raise InvalidInput(f"A batch has one of everything for each sample: got {said}.")
    return next(iter(counts.values()))


def _read(value: Any, what: str) -> npt.NDArray[Any]:
    try:
        return _array(value)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors of several shapes
        raise InvalidInput(f"{what} cannot be read as an array: {error}. Give an array, a tensor or a list.") from error


def _array(value: Any) -> npt.NDArray[Any]:
    """A tensor of torch is known by what it can do."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        return (value.double() if value.is_floating_point() else value).numpy()
    if isinstance(value, (list, tuple)) and any(hasattr(each, "detach") for each in value):
        value = [_array(each) for each in value]
    if isinstance(value, np.ma.MaskedArray):  # what is masked is not known
        is_number = value.dtype.kind in "biuf"
        kind = np.dtype(np.float64 if is_number else object)
        unknown = np.array(np.nan if is_number else None)
        return np.where(np.ma.getmaskarray(value), unknown, value.data.astype(kind))
    return np.asarray(value)
