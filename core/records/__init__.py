"""The records shared by all packages: frozen dataclasses over numpy arrays. Import them from here."""

from __future__ import annotations

from core.records.diagnosis import (
    EVERYTHING as EVERYTHING,
    ClassFinding as ClassFinding,
    ClusterName as ClusterName,
    ClusterPart as ClusterPart,
    Diagnosis as Diagnosis,
    FailureCluster as FailureCluster,
    FailureMap as FailureMap,
    Insight as Insight,
    LossEstimate as LossEstimate,
    MatchedSample as MatchedSample,
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
from core.records.models import (
    BROUGHT as BROUGHT,
    OWN as OWN,
    SECOND_MODELS as SECOND_MODELS,
    Comparison as Comparison,
    FourWay as FourWay,
    ModelResult as ModelResult,
    other_models as other_models,
    with_models as with_models,
)
from core.records.progress import (
    Progress as Progress,
    Reporter as Reporter,
    no_progress as no_progress,
    progress_bar as progress_bar,
)
from core.records.samples import (
    F32 as F32,
    F64 as F64,
    I64 as I64,
    MEASURED as MEASURED,
    UNDEFINED as UNDEFINED,
    Bool as Bool,
    Column as Column,
    Competence as Competence,
    Dependence as Dependence,
    Embeddings as Embeddings,
    Estimate as Estimate,
    ItemStore as ItemStore,
    ItemView as ItemView,
    NamedItems as NamedItems,
    Outcomes as Outcomes,
    SampleSet as SampleSet,
    Words as Words,
)
from core.records.sections import (
    Figure as Figure,
    Pictures as Pictures,
    Row as Row,
    Section as Section,
    Verdict as Verdict,
)
from core.records.sensitivity import (
    Detectable as Detectable,
    PlantedPattern as PlantedPattern,
    Sensitivity as Sensitivity,
)
