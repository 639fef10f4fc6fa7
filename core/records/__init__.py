"""The records that flow between the rooms: frozen dataclasses over numpy arrays. Import them from here."""

from __future__ import annotations

from core.records.benchmarks import (
    ALL_ITEMS as ALL_ITEMS,
    LOWER_IS_BETTER as LOWER_IS_BETTER,
    Benchmark as Benchmark,
    Box as Box,
    ComparedMetric as ComparedMetric,
    CompositionComparison as CompositionComparison,
    CompositionResult as CompositionResult,
    Item as Item,
    Kind as Kind,
    LoadedBenchmark as LoadedBenchmark,
    Metric as Metric,
    Picture as Picture,
    Scorer as Scorer,
    Scores as Scores,
    TagMetrics as TagMetrics,
    Texts as Texts,
    distinct_captions as distinct_captions,
)
from core.records.diagnosis import (
    EVERYTHING as EVERYTHING,
    ClassFinding as ClassFinding,
    ClusterName as ClusterName,
    Diagnosis as Diagnosis,
    FailureCluster as FailureCluster,
    FailureMap as FailureMap,
    Insight as Insight,
    LossEstimate as LossEstimate,
    Measure as Measure,
    Predictability as Predictability,
    Prediction as Prediction,
    PredictionRow as PredictionRow,
)
from core.records.faithfulness import (
    CauseKind as CauseKind,
    Faithfulness as Faithfulness,
    KindFaithfulness as KindFaithfulness,
    NamedCause as NamedCause,
)
from core.records.probes import (
    OWN as OWN,
    SECOND_MODELS as SECOND_MODELS,
    Choice as Choice,
    Comparison as Comparison,
    Control as Control,
    FourWay as FourWay,
    LogitParts as LogitParts,
    Neighbours as Neighbours,
    ProbeResult as ProbeResult,
    Support as Support,
)
from core.records.progress import (
    Progress as Progress,
    Reporter as Reporter,
    no_progress as no_progress,
    progress_bar as progress_bar,
)
from core.records.published import (
    PublishedFigure as PublishedFigure,
    encoder_key as encoder_key,
    published_figures as published_figures,
)
from core.records.samples import (
    F32 as F32,
    F64 as F64,
    I64 as I64,
    Bool as Bool,
    Column as Column,
    Competence as Competence,
    Embeddings as Embeddings,
    Estimate as Estimate,
    ItemStore as ItemStore,
    ItemView as ItemView,
    NamedItems as NamedItems,
    Outcomes as Outcomes,
    SampleSet as SampleSet,
    Words as Words,
)
from core.records.sensitivity import (
    Detectable as Detectable,
    PlantedPattern as PlantedPattern,
    Sensitivity as Sensitivity,
)
