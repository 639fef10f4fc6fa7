"""New samples: predicted loss, spread, and membership in each cluster. Saved and loaded without pickle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.discovery.clusters import logistic, ordered
from core.discovery.ensemble import LossRegressor
from core.discovery.proposals import KMeansPart, margin
from core.discovery.ridge.features import Features
from core.discovery.superclasses import Superclasses
from core.errors import InvalidInput
from core.records import F32, F64, I64, Embeddings


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """predicted, spread: (m,). memberships: (m, c) in [0, 1], clusters in rank order, then candidates.
    cluster: (m,) confirmed cluster of highest membership if that is at least 0.5, else -1."""

    predicted: F64
    spread: F64
    memberships: F64
    cluster: I64


@dataclass(frozen=True, slots=True, eq=False)
class Assigner:
    """Predicts losses and cluster memberships of samples that a finished diagnosis has not seen."""

    regressor: LossRegressor
    """Fitted on `features`, not on the embeddings."""
    features: Features
    rules: tuple[dict[str, Any], ...]
    """Membership rules of the clusters, then of the candidates, in the order shown."""
    n_confirmed: int
    class_of_label: I64
    encoder: str
    space: str
    superclasses: Superclasses | None = None
    """Scopes of the search, with many classes."""

    def assign(self, embeddings: Embeddings | F32, *, labels: I64 | None = None) -> Assignment:
        """Predict new samples.

        Args:
            embeddings: (m, d) unit rows of the same encoder.
            labels: (m,) index into the diagnosis' class names, -1 where unknown. A cluster inside one class takes only
                samples of that class, or of unknown class.

        Raises:
            InvalidInput: the vectors are of another space or width, or not finite; labels are out of range.
        """
        if not isinstance(embeddings, Embeddings):
            embeddings = Embeddings(embeddings, self.encoder, self.space)
        vectors = embeddings.vectors
        if embeddings.space != self.space:
            raise InvalidInput(
                f"The new samples must be embedded like the diagnosed ones ({self.space}): "
                f"got {embeddings.space}. Use the same encoder."
            )
        if vectors.shape[1] != len(self.features.centre):
            raise InvalidInput(
                f"The new embeddings must have the diagnosed width, {len(self.features.centre)}: "
                f"got {vectors.shape[1]}. Use the same encoder."
            )
        blocks = self._blocks(labels, len(vectors))
        rows = self.features.of(vectors, blocks)
        predicted, spread = np.zeros((2, 0))
        if len(rows):
            predicted, spread = self.regressor.predict(rows, blocks, return_std=True)
        memberships = np.zeros((len(vectors), len(self.rules)))
        for i, rule in enumerate(self.rules):
            memberships[:, i] = _membership(rule, rows, blocks)
        cluster = np.full(len(vectors), -1, np.int64)
        if self.n_confirmed and len(vectors):
            confirmed = memberships[:, : self.n_confirmed]
            cluster = np.where(confirmed.max(1) >= 0.5, confirmed.argmax(1), -1).astype(np.int64)
        return Assignment(np.asarray(predicted), np.asarray(spread), memberships, cluster)

    def _blocks(self, labels: I64 | None, n: int) -> I64:
        if not len(self.class_of_label):
            return np.zeros(n, np.int64)
        if labels is None:
            return np.full(n, -1, np.int64)
        if len(labels) != n or (n and labels.max() >= len(self.class_of_label)):
            raise InvalidInput(
                f"labels must be {n} numbers below {len(self.class_of_label)} (-1 for unknown): got {len(labels)}. "
                "Fix the label column."
            )
        return np.where(labels < 0, -1, self.class_of_label[np.maximum(labels, 0)])

    def to_arrays(self) -> dict[str, Any]:
        """Arrays for `load`; the other values are in `to_json`."""
        arrays: dict[str, Any] = {f"regressor.{k}": v for k, v in self.regressor.to_arrays().items()}
        arrays |= {f"features.{k}": v for k, v in self.features.to_arrays().items()}
        arrays["class_of_label"] = self.class_of_label
        if self.superclasses is not None:
            arrays["superclasses"] = self.superclasses.of_class
        for i, rule in enumerate(self.rules):
            arrays |= {f"rule.{i}.{k}": v for k, v in rule.items() if isinstance(v, np.ndarray)}
        # ascontiguousarray would turn a scalar into a vector
        return {k: np.asarray(v, order="C") for k, v in arrays.items()}

    def to_json(self) -> dict[str, Any]:
        """Values for `load` that are not arrays."""
        rules: list[dict[str, Any]] = []
        for rule in self.rules:
            rules.append({k: v for k, v in rule.items() if not isinstance(v, np.ndarray)})
        superclasses = None
        if self.superclasses is not None:
            superclasses = {"names": list(self.superclasses.names), "note": self.superclasses.note}
        return {
            "regressor": self.regressor.get_params(),
            "rules": rules,
            "n_confirmed": self.n_confirmed,
            "encoder": self.encoder,
            "space": self.space,
            "superclasses": superclasses,
        }

    @classmethod
    def load(cls, arrays: Mapping[str, Any], json: Mapping[str, Any]) -> Assigner:
        """The assigner saved by `to_arrays` and `to_json`."""

        def under(prefix: str) -> dict[str, Any]:
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        superclasses = None
        if json.get("superclasses") is not None:
            saved = json["superclasses"]
            superclasses = Superclasses(arrays["superclasses"], tuple(saved["names"]), str(saved["note"]))
        rules: Sequence[dict[str, Any]] = [{**rule, **under(f"rule.{i}.")} for i, rule in enumerate(json["rules"])]
        return cls(
            LossRegressor.from_arrays(under("regressor."), json["regressor"]),
            Features.from_arrays(under("features.")),
            tuple(rules),
            int(json["n_confirmed"]),
            arrays["class_of_label"],
            str(json["encoder"]),
            str(json["space"]),
            superclasses,
        )


def _membership(rule: Mapping[str, Any], rows: F64, blocks: I64) -> F64:
    """(m,) memberships by a rule of `core.discovery.clusters`, 0 outside its scope."""
    block = rule["block"]
    scope = rule.get("blocks")  # the classes of a superclass
    if scope is None and block is not None:
        scope = [block]
    inside = np.ones(len(rows), bool)
    if scope is not None:
        inside = np.isin(blocks, scope) | (blocks < 0)
    if rule["kind"] == "region":
        membership = logistic(margin(rows, KMeansPart(rule["centres"], int(rule["which"]))) / rule["width"])
        return np.where(inside, membership, 0.0)
    weights: F32 = rule["weights"]
    if block is not None:
        heads = np.full(len(rows), block)
    else:
        # a row of unknown class is read by the head of the scope, which its classes share
        first_class = 0
        if scope is not None:
            first_class = scope[0]
        heads = np.where(blocks < 0, first_class, blocks)
    score = np.einsum("nr,nr->n", rows, weights[heads])
    membership = logistic((score - rule["cut"]) / rule["width"])
    if "order" in rule:  # the heads of the classes rank the members (`core.discovery.clusters.N_RANKING_PENALTIES`)
        ranking_weights: F32 = rule["order"]
        order = np.einsum("nr,nr->n", rows, ranking_weights[np.maximum(heads, 0)])
        if scope is None:
            order = np.where(blocks < 0, rows @ ranking_weights.mean(0), order)
        by_class = ordered(order, rule["order_middle"], rule["order_spread"])
        membership = np.where(membership >= 0.5, by_class, membership)
    return np.where(inside, membership, 0.0)
