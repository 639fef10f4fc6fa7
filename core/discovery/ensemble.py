"""The loss-regressor ensemble as a scikit-learn estimator, and its out-of-fold predictions for a data set.

Many lightweight members are each fitted to a bootstrap of the rows (of whole groups, where rows come in groups). Their
mean is the predicted loss and their disagreement the spread. Ardeshir 2023, arXiv 2305.03212, fixes the idea (an
ensemble of lightweight regressors from CLIP embedding to loss); member type, number and penalties are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin  # type: ignore[import-untyped]
from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]

from core.annotations import check_arguments
from core.discovery.ridge.features import Features
from core.discovery.ridge.heads import split_by_block
from core.discovery.ridge.weighted import weighted_heads
from core.errors import InvalidInput, MissingDependency
from core.records import F32, F64, I64, Progress, no_progress
from core.row_runs import row_runs
from core.statistics.groups import assign_folds, class_numbers, group_bootstrap, group_numbers, some_groups
from core.statistics.losses import check_magnitude

FIT_STEP = "Fitting the loss model"
"""Name of the step in progress reports."""
PENALTIES = (10.0, 100.0, 1000.0)
"""Ridge penalties tried by inner cross-validation. The features have mean squared norm 1, so the grid suits any
encoder; its three decades are a convention."""
INTERCEPT_PRIOR_ROWS = 5.0
"""A class's mean loss is shrunk toward the overall mean as if this many rows had that mean; a convention."""
MIN_STEPS = 100
"""Optimizer steps of the mlp at least: with 300 rows and 30 epochs held-out R2 was 0.17 where 0.5 was reachable."""
MAX_STEPS = 2000
"""Optimizer steps of the mlp at most, which bounds time: past 17,000 rows it makes fewer epochs."""
MAX_MEMBER_ROWS = 20_000
"""Rows that a member sees at most, which bounds time (`LossRegressor._fit_many`, docs/decisions/many-rows.md)."""
FLOAT_TYPES = (np.float64, np.float32)  # neither is converted


class LossRegressor(RegressorMixin, BaseEstimator):
    """Predict a loss, and how far the members disagree, from an embedding.

    Args:
        family: "ridge": class heads shrunk toward a shared one, in closed form. "kernel": the same on random Fourier
            features of a Gaussian kernel (Rahimi & Recht 2007). "mlp": one hidden layer, all members trained together
            as one batched tensor.
        n_members: bootstrap members.
        share: how far a class head may depart from the shared head; 0 is one head for all classes.
        max_dimensions: leading principal directions of the embedding to use.
        n_features: random Fourier features of the kernel family.
        hidden, epochs: of the mlp family, within MIN_STEPS to MAX_STEPS steps.
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
            classes: (n,) class of each row, 0..k-1; None for a single class.
            groups: (n,) never split by the bootstrap.

        Raises:
            InvalidInput: unknown `family`, no members, values beyond 1e15, or classes or groups are not one per row.
            MissingDependency: "mlp" without torch.
        """
        check_arguments(LossRegressor, **self.get_params())
        if self.n_members < 1:
            raise InvalidInput(f"n_members must be at least 1: got {self.n_members}. Change it.")
        vectors: Any
        vectors, y = validate_data(self, X, y, y_numeric=True, dtype=FLOAT_TYPES, ensure_min_samples=2)
        y = y.astype(np.float64)
        check_magnitude(vectors, "values of X")
        check_magnitude(y, "losses y")
        blocks = np.zeros(len(y), np.int64)
        if classes is not None:
            blocks = class_numbers(classes, len(y))
        rng = np.random.default_rng(self.random_state)
        self.features_ = Features(vectors, blocks, self.max_dimensions, turned=self.family != "ridge")
        self.n_classes_ = int(blocks.max()) + 1
        self.class_share_ = np.bincount(blocks, minlength=self.n_classes_) / len(y)
        rows = self._lift(self.features_.rows, rng)
        unique = group_numbers(groups, len(y))
        # of two groups a member would see all, so there must be more
        if self.family != "mlp" and len(y) > MAX_MEMBER_ROWS and unique.max() > 1:
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
            classes: (m,) class of each row, -1 where it is unknown; None leaves all unknown.
            return_std: also return the (m,) standard deviation over members.

        Raises:
            InvalidInput: classes are not one per row, or were not fitted.
        """
        check_is_fitted(self)
        vectors: Any = validate_data(self, X, reset=False, dtype=FLOAT_TYPES)
        if classes is not None:
            blocks = class_numbers(classes, len(vectors), -1, self.n_classes_)
        elif self.n_classes_ == 1:
            blocks = np.zeros(len(vectors), np.int64)
        else:
            blocks = np.full(len(vectors), -1, np.int64)
        mean, spread = np.empty((2, len(vectors)))
        for run in row_runs(len(vectors), 1, MAX_MEMBER_ROWS):
            predictions = self._predict_members(self.features_.of(vectors[run], blocks[run]), blocks[run])
            mean[run] = predictions.mean(0)
            spread[run] = predictions.std(0)
        return (mean, spread) if return_std else mean

    def _lift(self, rows: F32, rng: np.random.Generator) -> F32:
        """Random Fourier features for the kernel family; the rows themselves otherwise."""
        if self.family != "kernel":
            return rows
        sample = rows[rng.choice(len(rows), min(len(rows), 300), replace=False)]
        distances = ((sample[:, None] - sample[None]) ** 2).sum(-1)
        width = float(np.sqrt(max(np.median(distances), 1e-6)))  # the median heuristic for a kernel's width
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
        order = np.argsort(blocks, kind="stable")  # contiguous classes need no copy in each step
        rows = rows[order]
        residual = residual[order]
        blocks = blocks[order]
        folds = folds[order]
        by_block = split_by_block(np.arange(len(y)), blocks, self.n_classes_)
        seen = folds != np.arange(3)[:, None]
        errors: list[float] = []
        for penalty in PENALTIES:
            repeated = np.repeat(residual[:, None], 3, axis=1)
            heads = weighted_heads(rows, by_block, repeated, seen, penalty=penalty, share=self.share)
            predicted = np.einsum("nr,nr->n", rows, heads[folds, blocks])
            errors.append(float(np.square(predicted - residual).sum()))
        return PENALTIES[int(np.argmin(errors))]

    def _fit_many(self, rows: F32, y: F64, blocks: I64, groups: I64, rng: np.random.Generator) -> None:
        """Fit all of many rows once, and place the members around that fit.

        A member sees MAX_MEMBER_ROWS rows; its deviation from the members' mean is scaled down to that of fits to all
        rows.

        Source: the delete-d jackknife (Shao & Wu 1989, Ann. Stat. 17(3)): the variance of a fit to n rows is that of
        fits to m of them, drawn without replacement, times m / (n - m). The best penalty depends on noise and signal,
        not on the number of rows, and is chosen on MAX_MEMBER_ROWS; a member's is m / n times that
        penalty, so that it is shrunk as much as the fit to all rows.
        """
        some = some_groups(groups, MAX_MEMBER_ROWS, rng)
        self.penalty_ = self._choose_penalty(rows[some], y[some], blocks[some], groups[some], rng)
        ones = np.ones(len(y))
        whole = _intercepts(y, blocks, ones, self.n_classes_)[None]
        centre = self._fit_heads(rows, y, blocks, whole, ones[None], self.penalty_)
        heads = list[F32]()
        intercepts = list[F64]()
        shares = list[float]()
        for _ in range(self.n_members):
            some = some_groups(groups, MAX_MEMBER_ROWS, rng)
            share = len(some) / len(y)
            member_intercepts = _intercepts(y[some], blocks[some], np.ones(len(some)), self.n_classes_)[None]
            part = rows[some], y[some], blocks[some], member_intercepts, np.ones((1, len(some)))
            heads.append(self._fit_heads(*part, self.penalty_ * share)[0])
            intercepts.append(member_intercepts[0])
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
        if len(y) <= MAX_MEMBER_ROWS:  # contiguous classes need no further copy; with more rows this copy is large
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
        # the class is a one-hot input, of which only the weights of the row's class are read
        d = r + n_classes
        member_index = torch.arange(members)[:, None]

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
                hot = (torch.baddbmm(b1, inputs[picked], w1[:, :r]) + w1[member_index, r + classes[picked]]).relu()
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
        regressor = cls(**settings)
        regressor.members_ = {k.removeprefix("member."): v for k, v in arrays.items() if k.startswith("member.")}
        of_features = {k.removeprefix("features."): v for k, v in arrays.items() if k.startswith("features.")}
        regressor.features_ = Features.from_arrays(of_features)
        regressor.class_share_ = arrays["class_share"]
        regressor.n_classes_ = len(regressor.class_share_)
        regressor.n_features_in_ = len(regressor.features_.centre)  # type: ignore[attr-defined]
        if regressor.family == "kernel":
            regressor.frequencies_ = arrays["frequencies"]
            regressor.phases_ = arrays["phases"]
        return regressor


def out_of_fold(
    regressor: LossRegressor,
    vectors: F32,
    losses: F64,
    blocks: I64,
    groups: I64 | None,
    folds: I64,
    progress: Progress = no_progress,
) -> tuple[F64, F64]:
    """(n,) predicted losses and (n,) spreads, each row predicted by members that did not see it or its group."""
    predicted = np.empty(len(losses))
    spread = np.empty(len(losses))
    n_folds = int(folds.max()) + 1
    n_classes = int(blocks.max()) + 1
    for fold in range(n_folds):
        train = np.flatnonzero(folds != fold)
        test = np.flatnonzero(folds == fold)
        seen = np.full(n_classes, -1, np.int64)  # a class missing from the training folds is unknown
        present = np.unique(blocks[train])
        seen[present] = np.arange(len(present))
        member = LossRegressor(**regressor.get_params()).fit(
            vectors[train], losses[train], seen[blocks[train]], None if groups is None else groups[train]
        )
        predicted[test], spread[test] = member.predict(vectors[test], seen[blocks[test]], return_std=True)
        progress(FIT_STEP, fold + 1, n_folds + 1)
    return predicted, spread


def _intercepts(y: F64, blocks: I64, weights: F64, n_classes: int) -> F64:
    """(k,) weighted mean loss of each class, shrunk toward the overall mean by INTERCEPT_PRIOR_ROWS rows."""
    mass = np.bincount(blocks, weights, minlength=n_classes)
    total = np.bincount(blocks, weights * y, minlength=n_classes)
    return (total + INTERCEPT_PRIOR_ROWS * total.sum() / max(mass.sum(), 1e-12)) / (mass + INTERCEPT_PRIOR_ROWS)
