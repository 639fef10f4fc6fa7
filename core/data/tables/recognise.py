"""Recognize the role of each column by its name, checked against what it holds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import pandas as pd

from core.data.tables.cells import as_numbers, has_words, holds_arrays, is_binary, texts_of
from core.data.tables.roles import LOSS_KINDS, RELATIONS, Roles, snake_case
from core.errors import InvalidInput

_ROLE_NAMES = {
    "id": "id sample_id image_id uid uuid key",
    "image": "image image_path image_file image_name img img_path file file_name filename filepath file_path path",
    "texts": (
        "text texts sentence sentences content body document review comment message utterance tweet post article "
        "headline question prompt query"
    ),
    "loss": "loss losses sample_loss per_sample_loss ce_loss cross_entropy nll error err errors",
    "label": (
        "label labels true_label y_true gold gold_label ground_truth gt truth class_label target y class true_class"
    ),
    "prediction": (
        "prediction predictions pred preds predicted y_pred predicted_label pred_label predicted_class pred_class"
    ),
    "target": "regression_target target y_true label truth ground_truth gt y",
    "group": (
        "group group_id groups patient patient_id subject subject_id participant video video_id source source_id"
    ),
    "split": "split subset partition data_split orig_split",
    "embedding": "embedding embeddings image_embedding clip_embedding feature features vector emb",
    "probabilities": "probabilities probability probs prob proba softmax scores y_prob y_proba",
    "logits": "logits logit",
}
_NAMES = {role: tuple(names.split()) for role, names in _ROLE_NAMES.items()}
_LOOSER = {
    "loss": re.compile(r".*_(loss|nll)"),
    "prediction": re.compile(r"(pred|predicted|prediction)_.+|.+_(pred|prediction|predicted)"),
    "probabilities": re.compile(r".+_(probs|probabilities|proba|softmax)"),
    "logits": re.compile(r".+_logits"),
    "embedding": re.compile(r".+_(embedding|embeddings|features)"),
    "split": re.compile(r".+_split"),
}
_SERIES = re.compile(r"(probabilit(?:y|ies)|probas?|probs?|p|softmax|logits?)[_\-. ]?(.+)", re.IGNORECASE)
_NO_CLASS = {"true", "pred", "predicted", "max", "top1", "label", "target", "correct", "value", "gt"}
"""prob_true and prob_pred are not two classes."""
_TRUE_MASKS = ("mask", "true_mask", "gt_mask", "mask_true", "mask_path", "target_mask", "mask_gt")
_PREDICTED_MASKS = ("pred_mask", "predicted_mask", "mask_pred", "prediction_mask", "pred_mask_path", "mask_prediction")
_WRONG = ("error", "err", "errors", "wrong", "incorrect", "is_error", "is_wrong", "mistake")
_RIGHT = ("correct", "is_correct", "hit", "right")
_CLASS_NAMES = "class_name label_name label_names class_names label_text category_name class category".split()
_MIN_GROUPS = 10
"""Values of a column of related rows: twice the five folds, so that whole groups can be held out."""


@dataclass(frozen=True, slots=True)
class RecognizedColumns:
    """Roles of columns for a run: named ones as they are, the others recognized."""

    roles: Roles
    errors: str | None = None
    """Column of whether the model was wrong."""
    errors_inverted: bool = False
    """`errors` holds whether the model was right instead."""
    class_names: str | None = None
    """Column of the names behind the label's numbers."""
    guessed: frozenset[str] = frozenset()
    """Roles that were recognized, not named."""
    notes: tuple[str, ...] = ()


def recognise(
    frame: pd.DataFrame, roles: Roles, pictures: Sequence[str] = (), *, texts: bool = True
) -> RecognizedColumns:
    """Fill in the roles that the user left open.

    Args:
        frame: the table without its image columns, whose names are `pictures`.
        texts: False leaves a column of texts an ordinary one, unless it is named: beside images it describes them.

    Raises:
        InvalidInput: a named column is missing, or named roles contradict each other.
    """
    named = _checked(frame, roles, pictures)
    answered = named.group in RELATIONS and named.group not in frame
    if answered:
        named = replace(named, group=None)
    finder = _Finder(frame, set(sum(named.named().values(), ())), [])
    filled: dict[str, Any] = {}
    text = finder.is_text
    arrays = finder.is_array
    numbers = finder.is_number
    if not named.texts and texts and not pictures:
        column = finder.find("texts", finder.is_prose)
        if column:
            filled["texts"] = (column,)
    if named.image is None and pictures:
        usual = (name for name in pictures if len(pictures) == 1 or snake_case(name) in _NAMES["image"])
        filled["image"] = next(usual, None)
    elif named.image is None:
        filled["image"] = finder.find("image", text)
    filled["id"] = named.id or finder.find("id", lambda name: not arrays(name))
    filled["group"] = named.group
    if not answered and not named.group:
        filled["group"] = finder.find("group", finder.is_grouping)
    filled["split"] = named.split or finder.find("split", finder.is_split)
    filled["embedding"] = named.embedding or finder.find("embedding", arrays)
    for role in ("probabilities", "logits"):
        filled[role] = getattr(named, role)
        if not filled[role]:
            column = finder.find(role, arrays)
            filled[role] = (column,) if column else finder.series(role)
    filled["masks"] = named.masks or finder.masks()
    errors, inverted = finder.errors()
    filled["prediction"] = named.prediction or finder.find("prediction", lambda name: not arrays(name))
    regression = named.label is None and (named.target is not None or finder.is_regression(filled["prediction"]))
    filled["label"] = named.label
    filled["target"] = named.target
    if not filled["label"] and not regression:
        filled["label"] = finder.find("label", lambda name: not arrays(name))
    if filled["label"] is None:
        several = finder.find("label", arrays)
        if several:
            finder.notes.append(f"{several!r} holds several labels per row, so no loss can use it. Add a loss column.")
    if not filled["target"] and regression:
        filled["target"] = finder.find("target", numbers)
    filled["loss"] = named.loss or finder.find(
        "loss", lambda name: name != errors and (numbers(name) or snake_case(name) == "loss")
    )
    names = finder.class_names(filled["label"])
    complete = replace(named, **{role: value for role, value in filled.items() if value})
    guessed = frozenset(role for role in filled if getattr(complete, role) and not getattr(named, role))
    usual_names = {*_NAMES["label"], *_NAMES["prediction"], *_NAMES["loss"], *_NAMES["target"]}
    for name in map(str, frame.columns):
        stem = name[:-2]
        merged = name.endswith("_x") and f"{stem}_y" in frame
        if merged and snake_case(stem) in usual_names and name not in complete.named().values():
            finder.notes.append(
                f"{name!r} and '{stem}_y' look like two columns {stem!r} from merged tables. "
                f"Neither is used as {stem!r}: name the right one."
            )
    return RecognizedColumns(complete, errors, inverted, names, guessed, tuple(finder.notes))


def key_columns(frame: pd.DataFrame, roles: Roles) -> list[str]:
    """Columns that may identify rows, named or recognized: the ids, then the images' paths."""
    finder = _Finder(frame, set(sum(roles.named().values(), ())), [])
    ids = roles.id or finder.find("id", lambda name: not finder.is_array(name))
    keys = (ids, roles.image or finder.find("image", finder.is_text))
    return [name for name in keys if name is not None and name in frame]


def _checked(frame: pd.DataFrame, roles: Roles, pictures: Sequence[str]) -> Roles:
    """Expand stars in named roles.

    Raises:
        InvalidInput: a named column is missing, or roles contradict each other.
    """
    columns = [*frame.columns, *pictures]

    expanded = dict[str, tuple[str, ...]]()
    for role in ("probabilities", "logits", "conditions", "texts"):
        named = list[str]()
        for pattern in getattr(roles, role):
            starred = "*" in pattern and pattern not in columns
            named += [column for column in columns if starred and fnmatchcase(column, pattern)] or [pattern]
        expanded[role] = tuple(named)
    roles = replace(roles, **expanded)
    for role, names in roles.named().items():
        for name in names:
            if name not in columns and not (role == "group" and name in RELATIONS):
                near = difflib.get_close_matches(name, columns, n=3)
                hint = f"The table has {', '.join(map(repr, columns[:12]))}."
                if near:
                    hint = f"Did you mean {' or '.join(map(repr, near))}?"
                raise InvalidInput(f"The table has no column {name!r}, named as {role}. {hint}")
    for role in ("label", "loss", "embedding"):
        if getattr(roles, role) in roles.texts:
            raise InvalidInput(
                f"The column {getattr(roles, role)!r} was named both as texts and as {role}. Remove one of the two."
            )
    if roles.loss_kind is not None and roles.loss_kind not in LOSS_KINDS:
        raise InvalidInput(f"The kind of loss must be one of {', '.join(LOSS_KINDS)}: got {roles.loss_kind!r}.")
    if roles.probabilities and roles.logits:
        raise InvalidInput("The loss needs probabilities or logits: both were named. Remove one of the two.")
    return roles


@dataclass(frozen=True, slots=True, eq=False)
class _Finder:
    frame: pd.DataFrame
    taken: set[str]
    notes: list[str]

    def find(self, role: str, fits: Callable[[str], bool]) -> str | None:
        """Take the first column with a usual name that fits, else the only one with a similar name."""
        by_name = {snake_case(name): name for name in reversed(self.frame.columns)}
        exact = [by_name[n] for n in _NAMES[role] if n in by_name and by_name[n] not in self.taken and fits(by_name[n])]
        looser = _LOOSER.get(role)
        similar = list[str]()
        if looser is not None and not exact:
            free = [c for c in self.frame.columns if c not in self.taken]
            similar = [c for c in free if looser.fullmatch(snake_case(c)) and fits(c)]
        if len(similar) > 1:
            self.notes.append(
                f"Several columns could be the {role} ({', '.join(similar[:4])}), so none is used. Name the right one."
            )
        candidates = exact or similar
        if not exact and len(similar) != 1:
            return None
        self.taken.add(candidates[0])
        return candidates[0]

    def series(self, role: str) -> tuple[str, ...]:
        """Take columns like prob_cat, prob_dog: two or more numeric ones with the same beginning."""
        wanted = ("logit",) if role == "logits" else ("prob", "p_", "p", "softmax")
        families: dict[str, list[str]] = {}
        for name in self.frame.columns:
            match = _SERIES.fullmatch(name)
            if (
                match
                and match[2].lower() not in _NO_CLASS
                and name not in self.taken
                and self.is_number(name)
                and (match[2].isdigit() or name[len(match[1])] in "_-. ")
            ):
                families.setdefault(match[1].lower(), []).append(name)
        fitting = [names for start, names in families.items() if start.startswith(wanted) and len(names) > 1]
        best = tuple(max(fitting, key=len, default=()))
        self.taken.update(best)
        return best

    def masks(self) -> tuple[str, str] | None:
        by_name = {snake_case(name): name for name in self.frame.columns}
        true = next((by_name[n] for n in _TRUE_MASKS if n in by_name), None)
        predicted = next((by_name[n] for n in _PREDICTED_MASKS if n in by_name), None)
        if not true or not predicted:
            return None
        self.taken.update((true, predicted))  # a predicted mask is not a predicted class
        return true, predicted

    def errors(self) -> tuple[str | None, bool]:
        for inverted, usual in ((False, _WRONG), (True, _RIGHT)):
            for name in self.frame.columns:
                if snake_case(name) in usual and is_binary(self.frame[name]):
                    return name, inverted
        return None, False

    def class_names(self, label: str | None) -> str | None:
        """A text column that goes one to one with a numeric label."""
        if label is None or not self.is_number(label):
            return None
        for name in self.frame.columns:
            if snake_case(name) in _CLASS_NAMES and name not in self.taken and self.is_text(name):
                pairs = self.frame[[label, name]].dropna().drop_duplicates()
                if len(pairs) and pairs[label].is_unique and pairs[name].is_unique:
                    return name
        return None

    def is_array(self, name: str) -> bool:
        return holds_arrays(self.frame[name])

    def is_number(self, name: str) -> bool:
        return not self.is_array(name) and bool(np.isfinite(as_numbers(self.frame[name])).mean() > 0.5)

    def is_text(self, name: str) -> bool:
        return not self.is_array(name) and not pd.api.types.is_numeric_dtype(self.frame[name])

    def is_prose(self, name: str) -> bool:
        """Whether most cells hold several words."""
        if not self.is_text(name):
            return False
        texts = texts_of(self.frame[name])
        return sum(has_words(text) for text in texts if text is not None) > 0.5 * len(self.frame)

    def is_grouping(self, name: str) -> bool:
        """Whether some rows share a value, and enough values differ for whole groups to be held out."""
        if self.is_array(name):
            return False
        count = self.frame[name].nunique()
        if count < _MIN_GROUPS and count > 1:
            self.notes.append(
                f"{name!r} has {count} values, too few to hold out related rows. Name it as group if rows are related."
            )
        return _MIN_GROUPS <= count < len(self.frame)

    def is_split(self, name: str) -> bool:
        if self.is_array(name):
            return False
        words = self.frame[name].astype("string").str.lower()
        return bool(words.str.contains("train|test|val|dev|holdout|eval").sum() > 0.5 * words.count())

    def is_regression(self, prediction: str | None) -> bool:
        """Whether truth and prediction are measurements: both numbers, and either has fractions or the name says so."""
        if prediction is None or not self.is_number(prediction):
            return False
        free = [c for c in self.frame.columns if c not in self.taken and snake_case(c) in _NAMES["target"]]
        if not free:
            return False
        truth = min(free, key=lambda c: _NAMES["target"].index(snake_case(c)))
        if not self.is_number(truth):
            return False
        if snake_case(truth) == "regression_target":
            return True
        both = np.concatenate([as_numbers(self.frame[truth]), as_numbers(self.frame[prediction])])
        both = both[np.isfinite(both)]
        return bool(np.any(both != np.round(both)))
