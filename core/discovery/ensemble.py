"""The loss-regressor ensemble as a scikit-learn estimator, and its out-of-fold reading of a data set.

Many lightweight members, each fitted to a bootstrap of the rows (of whole groups, where there are groups): their mean
is the predicted loss and their disagreement the spread. Ardeshir 2023, arXiv 2305.03212, fixes the idea (an ensemble of
lightweight regressors from CLIP embedding to loss); member type, number and penalties are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin  # type: ignore[import-untyped]
from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]

from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import split_by_block
from core.discovery.ridge.weighted import weighted_heads
from core.discovery.settings import FAMILIES
from core.errors import InvalidInput, MissingDependency
from core.records import F32, F64, I64, Progress, no_progress
from core.row_runs import row_runs
from core.statistics.groups import assign_folds, class_numbers, group_bootstrap, group_numbers, some_groups
from core.statistics.losses import check_magnitude

PENALTIES = (10.0, 100.0, 1000.0)
"""Tried by inner cross-validation; the features have mean squared norm 1."""
INTERCEPT_PRIOR = 5.0
"""A class's mean loss is shrunk toward the mean of all as if so many rows had that mean."""
MIN_STEPS = 100
"""Of the mlp's optimizer, however few rows: at 300 and 30 epochs held-out R2 was 0.17 where 0.5 could be had."""
MAX_STEPS = 2000
"""Of the mlp's optimizer: past 17,000 rows there are fewer epochs."""
MOST_ROWS = 20_000
"""A member sees at most so many rows (`LossRegressor._fit_many`)."""
FLOATS = (np.float64, np.float32)  # either is worked on as it is


class LossRegressor(RegressorMixin, BaseEstimator):
    """Predict a loss, and how far the members disagree, from an embedding.

    Args:
        family: "ridge": class heads shrunk toward a shared one, in closed form. "kernel": the same on random Fourier
            features of a Gaussian kernel (Rahimi & Recht 2007). "mlp": one hidden layer, all members trained together
            as one batched tensor.
        n_members: bootstrap members.
        share: how far a class head may leave the shared head; 0 is one head for all classes.
        max_dimensions: leading principal directions of the embedding that are used.
        n_features: random Fourier features of the kernel family.
        hidden, epochs: of the mlp family; MIN_STEPS to MAX_STEPS steps, with however few or many rows.
        random_state: the same state gives the same members.
    """

    def __init__(
        self,
        family: Literal["ridge", "kernel", "mlp"] = "ridge",
        n_members: int = 20,
        share: float = 2.0,
        max_dimensions: int = 256,
        n_features: int = 384,
        hidden: int = 48,
        epochs: int = 30,
        random_state: int = 0,
    ) -> None:
        self.family = family
        self.n_members = n_members
        self.share = share
        self.max_dimensions = max_dimensions
        self.n_features = n_features
        self.hidden = hidden
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: Any, y: Any, classes: I64 | None = None, groups: I64 | None = None) -> LossRegressor:
        """Fit the members.

        Args:
            X: (n, d) embeddings.
            y: (n,) losses.
            classes: (n,) class of each row, 0..k-1; one class where none are given.
            groups: (n,) never split by the bootstrap.

        Raises:
            InvalidInput: no such `family`, no members, values beyond 1e15, or classes or groups are not one a row.
            MissingDependency: "mlp" without torch.
        """
        if self.family not in FAMILIES or self.n_members < 1:
            raise InvalidInput(
                f"family must be one of {', '.join(FAMILIES)} and n_members at least 1: "
                f"got {self.family!r} and {self.n_members}. Choose one."
            )
        vectors: Any
        vectors, y = validate_data(self, X, y, y_numeric=True, dtype=FLOATS, ensure_min_samples=2)
        check_magnitude(vectors, "values of X")
        check_magnitude(y := y.astype(np.float64), "losses y")
        blocks = np.zeros(len(y), np.int64) if classes is None else class_numbers(classes, len(y))
        rng = np.random.default_rng(self.random_state)
        self.features_ = Features(vectors, blocks, self.max_dimensions, turned=self.family != "ridge")
        self.n_classes_ = int(blocks.max()) + 1
        self.class_share_ = np.bincount(blocks, minlength=self.n_classes_) / len(y)
        rows = self._lift(self.features_.rows, rng)
        unique = group_numbers(groups, len(y))
        if self.family != "mlp" and len(y) > MOST_ROWS and unique.max() > 1:  # of two groups a member would see all
            self._fit_many(rows, y, blocks, unique, rng)
            return self
        weights = group_bootstrap(unique, self.n_members, rng)
        intercepts = np.stack([_intercepts(y, blocks, w, self.n_classes_) for w in weights])  # (members, k)
        if self.family == "mlp":
            self.members_ = self._fit_mlps(rows, y, blocks, intercepts, weights)
        else:
            self.penalty_ = self._choose_penalty(rows, y, blocks, unique, rng)
            self.members_ = {"heads": self._fit_heads(rows, y, blocks, intercepts, weights, self.penalty_)}
        self.members_["intercepts"] = self._with_unknown(intercepts)
        return self

    def predict(self, X: Any, classes: I64 | None = None, return_std: bool = False) -> Any:
        """(m,) predicted losses.

        Args:
            X: (m, d) embeddings.
            classes: (m,) class of each row, -1 where it is unknown, as all are where none are given.
            return_std: also give the (m,) standard deviation over members.

        Raises:
            InvalidInput: classes are not one for each row, or none of those that were fitted.
        """
        check_is_fitted(self)
        vectors: Any = validate_data(self, X, reset=False, dtype=FLOATS)
        unknown = np.full(len(vectors), 0 if self.n_classes_ == 1 else -1, np.int64)
        blocks = unknown if classes is None else class_numbers(classes, len(vectors), -1, self.n_classes_)
        mean, spread = np.empty((2, len(vectors)))
        for run in row_runs(len(vectors), 1, MOST_ROWS):
            each = self._predict_members(self.features_.of(vectors[run], blocks[run]), blocks[run])
            mean[run], spread[run] = each.mean(0), each.std(0)
        return (mean, spread) if return_std else mean

    def _lift(self, rows: F32, rng: np.random.Generator) -> F32:
        """Random Fourier features for the kernel family; the rows themselves otherwise."""
        if self.family != "kernel":
            return rows
        sample = rows[rng.choice(len(rows), min(len(rows), 300), replace=False)]
        distances = ((sample[:, None] - sample[None]) ** 2).sum(-1)
        width = float(np.sqrt(max(np.median(distances), 1e-6)))
        self.frequencies_ = (rng.standard_normal((rows.shape[1], self.n_features)) / width).astype(np.float32)
        self.phases_ = rng.uniform(0, 2 * np.pi, self.n_features).astype(np.float32)
        return self._fourier(rows).astype(np.float32)

    def _fourier(self, rows: Any) -> Any:
        return np.sqrt(2 / self.n_features) * np.cos(rows @ self.frequencies_ + self.phases_)

    def _choose_penalty(self, rows: F32, y: F64, blocks: I64, groups: I64, rng: np.random.Generator) -> float:
        if groups.max() < 5:
            return PENALTIES[-1]
        folds = assign_folds(len(y), blocks, groups, 3, rng)
        residual = (y - _intercepts(y, blocks, np.ones(len(y)), self.n_classes_)[blocks]).astype(np.float32)
        order = np.argsort(blocks, kind="stable")  # a class side by side is not copied in each step
        rows = rows[order]
        residual = residual[order]
        blocks = blocks[order]
        folds = folds[order]
        by_block = split_by_block(np.arange(len(y)), blocks, self.n_classes_)
        seen = folds != np.arange(3)[:, None]
        errors: list[float] = []
        for penalty in PENALTIES:
            each = np.repeat(residual[:, None], 3, axis=1)
            heads = weighted_heads(rows, by_block, each, seen, penalty=penalty, share=self.share)
            predicted = np.einsum("nr,nr->n", rows, heads[folds, blocks])
            errors.append(float(np.square(predicted - residual).sum()))
        return PENALTIES[int(np.argmin(errors))]

    def _fit_many(self, rows: F32, y: F64, blocks: I64, groups: I64, rng: np.random.Generator) -> None:
        """The fit to all of many rows, and around it what members that see MOST_ROWS of them differ by, scaled down to
        what fits to all rows would differ by.

        Source: the delete-d jackknife (Shao & Wu 1989, Ann. Stat. 17(3)): the variance of a fit to n rows is that of
        fits to m of them, drawn without replacement, times m / (n - m). The best penalty is one of noise and signal,
        not of the number of rows, and is chosen on MOST_ROWS; a member's is m / n of it, so that it is shrunk as much
        as the whole.
        """
        some = some_groups(groups, MOST_ROWS, rng)
        self.penalty_ = self._choose_penalty(rows[some], y[some], blocks[some], groups[some], rng)
        ones = np.ones(len(y))
        whole = _intercepts(y, blocks, ones, self.n_classes_)[None]
        centre = self._fit_heads(rows, y, blocks, whole, ones[None], self.penalty_)
        heads = list[F32]()
        intercepts = list[F64]()
        shares = list[float]()
        for _ in range(self.n_members):
            some = some_groups(groups, MOST_ROWS, rng)
            share = len(some) / len(y)
            own = _intercepts(y[some], blocks[some], np.ones(len(some)), self.n_classes_)[None]
            part = rows[some], y[some], blocks[some], own, np.ones((1, len(some)))
            heads.append(self._fit_heads(*part, self.penalty_ * share)[0])
            intercepts.append(own[0])
            shares.append(share)
        scale = np.sqrt(np.array(shares) / (1 - np.array(shares)))[:, None]
        apart = np.stack(heads) - np.mean(heads, axis=0)
        moved = np.stack(intercepts) - np.mean(intercepts, axis=0)
        self.members_ = {
            "heads": (centre + scale[..., None] * apart).astype(np.float32),
            "intercepts": self._with_unknown(whole + scale * moved),
        }

    def _with_unknown(self, intercepts: F64) -> F32:
        """(members, k + 1) intercepts; the last is for rows of unknown class."""
        return np.c_[intercepts, intercepts @ self.class_share_].astype(np.float32)

    def _fit_heads(self, rows: F32, y: F64, blocks: I64, intercepts: F64, weights: F64, penalty: float) -> F32:
        """(members, k + 1, r) weighted ridge heads of each class, and of an unknown one."""
        if len(y) <= MOST_ROWS:  # a class side by side is not copied again; of more rows this copy would be large
            order = np.argsort(blocks, kind="stable")
            rows = rows[order]
            y = y[order]
            blocks = blocks[order]
            weights = weights[:, order]
        by_block = split_by_block(np.arange(len(y)), blocks, self.n_classes_)
        residual = (y - intercepts[:, blocks]).T.astype(np.float32)
        heads = weighted_heads(rows, by_block, residual, weights, penalty=penalty, share=self.share)
        unknown = np.einsum("mkr,k->mr", heads, self.class_share_)[:, None]
        return np.concatenate([heads, unknown], axis=1).astype(np.float32)

    def _fit_mlps(self, rows: F32, y: F64, blocks: I64, intercepts: F64, weights: F64) -> dict[str, F32]:
        """All members at once: one batched product a layer, each member with its own bootstrap, order and start."""
        try:
            import torch  # only this family needs it
        except ImportError as error:
            raise MissingDependency("'mlp' needs torch. Run `pip install torch`, or choose 'ridge'.") from error

        generator = torch.Generator().manual_seed(self.random_state)
        inputs = torch.from_numpy(rows.astype(np.float32))
        classes = torch.from_numpy(blocks)
        n_classes = intercepts.shape[1]
        targets = torch.from_numpy((y[None] - intercepts[:, blocks]).astype(np.float32))  # (members, n)
        scale = float(targets.std()) or 1.0
        members, (n, r) = len(weights), inputs.shape
        # a class is an input; its weights are looked up
        d = r + n_classes
        each = torch.arange(members)[:, None]

        def start(*shape: int, fan_in: int) -> torch.Tensor:
            return ((torch.rand(*shape, generator=generator) * 2 - 1) * fan_in**-0.5).requires_grad_()

        w1 = start(members, d, self.hidden, fan_in=d)
        b1 = start(members, 1, self.hidden, fan_in=d)
        w2 = start(members, self.hidden, 1, fan_in=self.hidden)
        b2 = torch.zeros(members, 1, 1, requires_grad=True)
        optimiser = torch.optim.AdamW([w1, b1, w2, b2], lr=2e-3, weight_decay=0.05)
        chance = torch.from_numpy(weights)
        batch = min(256, n)
        steps = -(-n // batch)
        for _ in range(max(min(self.epochs, MAX_STEPS // steps), -(-MIN_STEPS // steps))):
            # each member draws from its own bootstrap
            order = torch.multinomial(chance, n, replacement=True, generator=generator)
            for at in range(0, n, batch):
                picked = order[:, at : at + batch]
                hot = (torch.baddbmm(b1, inputs[picked], w1[:, :r]) + w1[each, r + classes[picked]]).relu()
                out = torch.baddbmm(b2, hot, w2)[..., 0]
                optimiser.zero_grad()
                ((out - targets.gather(1, picked) / scale) ** 2).mean(1).sum().backward()  # type: ignore[no-untyped-call]
                optimiser.step()
        arrays = {"w1": w1, "b1": b1, "w2": w2 * scale, "b2": b2 * scale}
        return {k: v.detach().numpy().astype(np.float32) for k, v in arrays.items()}

    def _predict_members(self, rows: F64, blocks: I64) -> F64:
        """(members, m) predictions; block -1 reads the last entry, which is the mean over classes."""
        if self.family == "mlp":
            first = self.members_["w1"]
            r = rows.shape[1]
            of_class = np.concatenate([first[:, r:], np.zeros_like(first[:, :1])], axis=1)  # the last: unknown class
            hidden = np.maximum(rows @ first[:, :r] + of_class[:, blocks] + self.members_["b1"], 0)
            out = ((hidden @ self.members_["w2"])[..., 0] + self.members_["b2"][:, :, 0]).astype(np.float64)
        else:
            lifted = self._fourier(rows) if self.family == "kernel" else rows
            heads = self.members_["heads"]
            out = np.empty((len(heads), len(rows)))
            for block in np.unique(blocks):
                at = blocks == block
                out[:, at] = heads[:, block] @ lifted[at].T
        return out + self.members_["intercepts"][:, blocks]

    def to_arrays(self) -> dict[str, Any]:
        """Everything `predict` needs, as plain arrays (no pickle)."""
        arrays: dict[str, Any] = {f"member.{k}": v for k, v in self.members_.items()}
        arrays |= {f"features.{k}": np.asarray(v) for k, v in self.features_.to_arrays().items()}
        arrays["class_share"] = self.class_share_
        if self.family == "kernel":
            arrays |= {"frequencies": self.frequencies_, "phases": self.phases_}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any], settings: Mapping[str, Any]) -> LossRegressor:
        """The fitted ensemble that `to_arrays` and `get_params` described."""
        made = cls(**settings)
        made.members_ = {k.removeprefix("member."): v for k, v in arrays.items() if k.startswith("member.")}
        of_features = {k.removeprefix("features."): v for k, v in arrays.items() if k.startswith("features.")}
        made.features_ = Features.from_arrays(of_features)
        made.class_share_ = arrays["class_share"]
        made.n_classes_ = len(made.class_share_)
        made.n_features_in_ = len(made.features_.centre)  # type: ignore[attr-defined]
        if made.family == "kernel":
            made.frequencies_ = arrays["frequencies"]
            made.phases_ = arrays["phases"]
        return made


def out_of_fold(
    regressor: LossRegressor,
    vectors: F32,
    losses: F64,
    blocks: I64,
    groups: I64 | None,
    folds: I64,
    progress: Progress = no_progress,
) -> tuple[F64, F64]:
    """(n,) predicted losses and (n,) spreads, each row read by members that did not see it or its group."""
    predicted = np.empty(len(losses))
    spread = np.empty(len(losses))
    n_folds = int(folds.max()) + 1
    n_classes = int(blocks.max()) + 1
    for fold in range(n_folds):
        train = np.flatnonzero(folds != fold)
        test = np.flatnonzero(folds == fold)
        seen = np.full(n_classes, -1, np.int64)  # a class that the training folds lack is unknown to them
        present = np.unique(blocks[train])
        seen[present] = np.arange(len(present))
        member = LossRegressor(**regressor.get_params()).fit(
            vectors[train], losses[train], seen[blocks[train]], None if groups is None else groups[train]
        )
        predicted[test], spread[test] = member.predict(vectors[test], seen[blocks[test]], return_std=True)
        progress("fit the ensemble", fold + 1, n_folds + 1)
    return predicted, spread


def _intercepts(y: F64, blocks: I64, weights: F64, n_classes: int) -> F64:
    mass = np.bincount(blocks, weights, minlength=n_classes)
    total = np.bincount(blocks, weights * y, minlength=n_classes)
    return (total + INTERCEPT_PRIOR * total.sum() / max(mass.sum(), 1e-12)) / (mass + INTERCEPT_PRIOR)
