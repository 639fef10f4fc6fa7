"""Convert the batches of an evaluation to numpy, without importing torch, TensorFlow or JAX."""

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

MAX_SUM_ERROR = 1e-2
"""How far from 1 the probabilities of a row may sum: the rounding error of a thousand in half precision."""


@dataclass(frozen=True, slots=True, eq=False)
class BatchScores:
    """(n, k) logits or probabilities of the classes; nan where unknown."""

    values: F64
    are_logits: bool

    @property
    def k(self) -> int:
        return self.values.shape[1]

    def like_probabilities(self) -> bool:
        """Whether every row is at least 0 and sums to 1, as logits hardly ever do. False for zeros and ones alone."""
        if (self.values < 0).any() or np.isin(self.values, (0.0, 1.0)).all():
            return False
        return bool((np.abs(self.values.sum(axis=1) - 1) <= MAX_SUM_ERROR).all())

    def best(self) -> I64:
        """(n,) the class of the highest score, -1 where a score is unknown."""
        return np.where(np.isnan(self.values).any(axis=1), -1, self.values.argmax(axis=1))

    def cross_entropy(self, labels: I64) -> F64:
        if self.are_logits:
            return losses.cross_entropy_of_logits(self.values, labels)
        return losses.cross_entropy(self.values, labels)

    def probabilities(self) -> F64:
        if self.are_logits:
            return losses.softmax(self.values)
        return self.values


def scores_of(logits: Any, probabilities: Any) -> BatchScores | None:
    """The (n, k) scores; one number per sample is the score of the second of two classes.

    Raises:
        InvalidInput: both arguments are set, the shape is not (n, k), or rows of probabilities do not sum to 1.
    """
    if logits is not None and probabilities is not None:
        raise InvalidInput("The batch has both logits and probabilities. Record one of the two.")
    what = "logits"
    value = logits
    if logits is None:
        what = "probabilities"
        value = probabilities
    if value is None:
        return None
    array = numbers(read_array(value, what), what)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim == 2 and array.shape[1] == 1:
        first = np.zeros_like(array) if logits is not None else 1 - array
        array = np.hstack([first, array])
    if array.ndim != 2:
        raise InvalidInput(
            f"{what} must have one row per sample, (n, k): got shape {array.shape}. "
            "For several answers per sample, record losses=, for example their mean."
        )
    if logits is None:
        off = (array < 0).any(axis=1) | (np.abs(array.sum(axis=1) - 1) > MAX_SUM_ERROR)  # nan is neither
        if off.any():
            total = float(array[off][0].sum())
            next_step = "If they are scores before the softmax, record logits=."
            if not (array < 0).any() and np.ptp(array[off].sum(axis=1)) <= MAX_SUM_ERROR * total:
                next_step = f"Divide them by {total:.4g}."
            raise InvalidInput(
                f"{int(off.sum()):,} of {len(array):,} rows of probabilities do not sum to 1 or are negative: "
                f"the first sums to {total:.4g}. {next_step}"
            )
    return BatchScores(array, logits is not None)


def vector(value: Any, what: str) -> npt.NDArray[Any]:
    """(n,) one value per sample."""
    array = read_array(value, what)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = "For several labels per sample, record losses=."
        if what == "losses":
            hint = 'Compute the loss with reduction="none".'
        raise InvalidInput(f"{what} must be one value per sample, (n,): got shape {array.shape}. {hint}")
    if array.dtype.kind == "S" or (array.dtype.kind == "O" and any(isinstance(each, bytes) for each in array)):
        return np.array([decoded(each, what) for each in array.tolist()], object)
    return array


def decoded(value: Any, what: str) -> Any:
    """Decode bytes as UTF-8, since TensorFlow passes texts as bytes; return anything else as it is."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} of bytes must be UTF-8: got {value[:60]!r}. Pass them as texts.") from None


def numbers(array: npt.NDArray[Any], what: str) -> F64:
    """The array as float64."""
    if array.dtype.kind in "cmM":
        raise InvalidInput(f"{what} must be real numbers: got {array.dtype}. Convert them, for example to seconds.")
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} must be numbers: {error}. Convert them.") from error


def column(value: Any, what: str) -> Any:
    """A list with a value, a vector or an encoded image for each sample; or one value for all.

    Raises:
        InvalidInput: `value` is a dict, a set or an iterator.
    """
    if _is_pil(value):
        return png_of(value, what)
    if value is None or isinstance(value, (str, bytes)) or not isinstance(value, (Sized, Iterable)):
        return value
    if isinstance(value, Set | Mapping) or not isinstance(value, Sized):
        raise InvalidInput(
            f"{what} must be a list, an array, or a tensor with one value per sample, or one value for all: got "
            f"{type(value).__name__}. Convert it to a list."
        )
    if isinstance(value, (list, tuple)) and any(isinstance(each, bytes) or _is_pil(each) for each in value):
        return [each if each is None or isinstance(each, bytes) else png_of(each, what) for each in value]
    array = read_array(value, what)
    if array.ndim > 2:
        return [png_of(each, what) for each in array]
    return array.tolist()


def _is_pil(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("save", "convert", "getbands"))


def png_of(value: Any, what: str, compress_level: int = 6) -> bytes:
    """Encode a PIL image, or an array (h, w), (h, w, c) or torch's (c, h, w) of bytes or fractions of 1, as PNG.

    Args:
        compress_level: of the PNG, 0 to 9; 1 takes a third of the time of 6.

    Raises:
        InvalidInput: another shape or range, for example an image that was normalized for a network.
    """
    from PIL import Image

    from core.data.images.decoding import to_rgb

    if not _is_pil(value):
        array = _array(value)
        if array.ndim == 3 and array.shape[0] in (1, 3) and array.shape[2] not in (1, 3, 4):
            array = np.moveaxis(array, 0, 2)
        if array.ndim == 3 and array.shape[2] == 1:
            array = array[:, :, 0]
        top = 1.0 if array.dtype.kind in "bf" else 255
        flat = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
        known = array.size > 0 and array.dtype.kind in "biuf"
        if not (flat and known and array.min() >= 0 and array.max() <= top):  # nan is neither
            span = f"{array.min():.3g} to {array.max():.3g}" if known else f"{array.dtype}"
            raise InvalidInput(
                f"The images {what!r} must be (h, w) or (h, w, 3), from 0 to 255 or 0.0 to 1.0: got shape "
                f"{array.shape} and {span}. Record them before the network's transform."
            )
        value = Image.fromarray(np.rint(array * (255 / top)).astype(np.uint8))
    if value.mode not in ("L", "RGB", "RGBA"):
        value = to_rgb(value)
    written = io.BytesIO()
    value.save(written, "PNG", compress_level=compress_level)
    return written.getvalue()


def texts(values: Any, what: str = "ids") -> list[str]:
    """(n,) ids or names as written: paths and numbers as texts."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        each = "sample" if what == "ids" else "class"
        raise InvalidInput(f"{what} must be a list, one per {each}: got {str(values)[:60]!r}. Convert it to a list.")
    # only arrays go through numpy: an array made from a list would round large numbers
    if isinstance(values, (list, tuple)) or not isinstance(values, Sized):
        listed = list(values)
    else:
        listed = vector(values, what).tolist()
    return [_text(each, what) for each in listed]


def _text(value: Any, what: str) -> str:
    if hasattr(value, "tolist"):  # an array or a tensor
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    value = decoded(value, what)
    if value is None or isinstance(value, (list, tuple)) or value != value:
        raise InvalidInput(f"{what} must be texts, paths, or numbers: got {str(value)[:60]!r}. Convert them to texts.")
    check_text(str(value), what)
    return str(value)


def common_length(**values: Any) -> int:
    """Number of samples in the batch.

    Raises:
        InvalidInput: the values differ in length.
    """
    counts = dict[str, int]()
    for name, each in values.items():
        if isinstance(each, Sized) and not isinstance(each, str | bytes):
            counts[name] = len(each)
    if len(set(counts.values())) > 1:
        lengths = ", ".join(f"{n:,} {name}" for name, n in counts.items())
        raise InvalidInput(f"A batch needs one value per sample: got {lengths}. Record equal lengths.")
    return next(iter(counts.values()))


def read_array(value: Any, what: str) -> npt.NDArray[Any]:
    """An array of a list, an array, or a tensor in any precision.

    Raises:
        InvalidInput: it cannot be converted.
    """
    try:
        return _array(value)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors of several shapes
        raise InvalidInput(f"Cannot read {what} as an array: {error}. Use an array, a tensor, or a list.") from error


def _array(value: Any) -> npt.NDArray[Any]:
    """Convert to numpy; tensors of torch are recognized by their methods, and masked values are unknown."""
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a file has the first too
        value = value.detach().cpu()
        if value.is_floating_point():
            value = value.double()
        return value.numpy()
    if isinstance(value, (list, tuple)) and any(hasattr(each, "detach") for each in value):
        value = [_array(each) for each in value]
    if isinstance(value, np.ma.MaskedArray):
        if value.dtype.kind in "biuf":
            return np.where(np.ma.getmaskarray(value), np.array(np.nan), value.data.astype(np.float64))
        return np.where(np.ma.getmaskarray(value), np.array(None), value.data.astype(object))
    return np.asarray(value)
