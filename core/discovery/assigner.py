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
    """What a finished diagnosis knows about samples it has not seen."""

    regressor: LossRegressor
    """Fitted on `features`, not on the embeddings themselves."""
    features: Features
    rules: tuple[dict[str, Any], ...]
    """One for each cluster, then for each candidate, in the order shown."""
    n_confirmed: int
    class_of_label: I64
    encoder: str
    space: str
    superclasses: Superclasses | None = None
    """Where the search looked, with many classes."""

    def assign(self, embeddings: Embeddings | F32, *, labels: I64 | None = None) -> Assignment:
        """Read new samples.

        Args:
            embeddings: (m, d) unit rows of the same encoder.
            labels: (m,) index into the diagnosis' class names, -1 where unknown. A cluster inside one class takes only
                samples of that class; where the label is unknown the membership is computed as if the sample were of
                it.

        Raises:
            InvalidInput: the vectors are of another space or width, or not finite; labels are out of range.
        """
        given = embeddings if isinstance(embeddings, Embeddings) else Embeddings(embeddings, self.encoder, self.space)
        vectors = given.vectors
        if given.space != self.space:
            raise InvalidInput(
                f"The new samples must be embedded as the diagnosed ones were ({self.space}): "
                f"got {given.space}. Embed them again."
            )
        if vectors.shape[1] != len(self.features.centre):
            raise InvalidInput(
                f"The new embeddings must be (m, {len(self.features.centre)}), as diagnosed: got {vectors.shape}. "
                "Use the same encoder."
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
                "Check the label column."
            )
        return np.where(labels < 0, -1, self.class_of_label[np.maximum(labels, 0)])

    def to_arrays(self) -> dict[str, Any]:
        """Every array that `load` needs; the rest is in `to_json`."""
        arrays: dict[str, Any] = {f"regressor.{k}": v for k, v in self.regressor.to_arrays().items()}
        arrays |= {f"features.{k}": v for k, v in self.features.to_arrays().items()}
        arrays["class_of_label"] = self.class_of_label
        if self.superclasses is not None:
            arrays["superclasses"] = self.superclasses.of_class
        for i, rule in enumerate(self.rules):
            arrays |= {f"rule.{i}.{k}": v for k, v in rule.items() if isinstance(v, np.ndarray)}
        # ascontiguousarray would make a vector of a lone number
        return {k: np.asarray(v, order="C") for k, v in arrays.items()}

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays."""
        rules = [{k: v for k, v in rule.items() if not isinstance(v, np.ndarray)} for rule in self.rules]
        return {
            "regressor": self.regressor.get_params(),
            "rules": rules,
            "n_confirmed": self.n_confirmed,
            "encoder": self.encoder,
            "space": self.space,
            "superclasses": None
            if self.superclasses is None
            else {"names": list(self.superclasses.names), "note": self.superclasses.note},
        }

    @classmethod
    def load(cls, arrays: Mapping[str, Any], json: Mapping[str, Any]) -> Assigner:
        """The assigner that `to_arrays` and `to_json` described."""

        def under(prefix: str) -> dict[str, Any]:
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        named = json.get("superclasses")
        rules: Sequence[dict[str, Any]] = [{**rule, **under(f"rule.{i}.")} for i, rule in enumerate(json["rules"])]
        return cls(
            LossRegressor.from_arrays(under("regressor."), json["regressor"]),
            Features.from_arrays(under("features.")),
            tuple(rules),
            int(json["n_confirmed"]),
            arrays["class_of_label"],
            str(json["encoder"]),
            str(json["space"]),
            None if named is None else Superclasses(arrays["superclasses"], tuple(named["names"]), str(named["note"])),
        )


def _membership(rule: Mapping[str, Any], rows: F64, blocks: I64) -> F64:
    block = rule["block"]
    among = rule.get("blocks")  # the classes of a superclass
    scope = among if among is not None else None if block is None else [block]
    inside = np.ones(len(rows), bool) if scope is None else np.isin(blocks, scope) | (blocks < 0)
    if rule["kind"] == "slice":
        weights: F32 = rule["weights"]
        # of an unknown class: the head of the scope, which its classes share
        heads = np.where(blocks < 0, 0 if scope is None else scope[0], blocks)
        if block is not None:
            heads = np.full(len(rows), block)
        score = np.einsum("nr,nr->n", rows, weights[heads])
        membership = logistic((score - rule["cut"]) / rule["width"])
        if "order" in rule:  # which members come first is said by other heads, those of the classes
            each: F32 = rule["order"]
            order = np.einsum("nr,nr->n", rows, each[np.maximum(heads, 0)])
            if scope is None:
                order = np.where(blocks < 0, rows @ each.mean(0), order)
            by_class = ordered(order, rule["order_middle"], rule["order_spread"])
            membership = np.where(membership >= 0.5, by_class, membership)
    else:
        membership = logistic(margin(rows, KMeansPart(rule["centres"], int(rule["which"]))) / rule["width"])
    return np.where(inside, membership, 0.0)
