"""What an evaluation found, as report.json holds it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FORMAT = 1
"""Of report.json; another number is another layout."""

_TELLING = 0.1

Better = Literal["higher", "lower"]
Share = float
"""From 0, as bad as the floor, to 1, as good as the ceiling."""


class _Part(BaseModel):
    # No NaN: a metric that cannot be had is left out, with its reason.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Mark(_Part):
    """A number and how far it can be trusted.

    Attributes:
        value: the number.
        low: lower end of its 95 % interval; None where there is none.
        high: the upper end.
        rows: on how many rows it was measured.
        subsampled: whether there were more rows, of which these were drawn.
    """

    value: float
    low: float | None = None
    high: float | None = None
    rows: int
    subsampled: bool = False


class Reading(Mark):
    """A metric's value beside what real and worthless rows have.

    Attributes:
        name: of the metric, such as "coverage".
        says: what it tells, in one sentence.
        unit: of the value; empty for shares and other plain numbers.
        better: whether more or less is better; None where it should be neither, as said.
        ceiling: the same metric of real held-out rows: what cannot be bettered.
        floor: the same metric of rows that are worth nothing, as `floor_is` says.
        floor_is: what these rows are, such as "shuffled".
    """

    name: str
    says: str = ""
    unit: str = ""
    better: Better | None
    ceiling: Mark | None = None
    floor: Mark | None = None
    floor_is: str = ""

    @property
    def scaled(self) -> Share | None:
        """Where the value lies between floor, 0, and ceiling, 1, clipped.

        None where these do not tell: the floor is not worse than the ceiling by a tenth of the larger of them.
        """
        return self.scale(self.value)

    def scale(self, value: float) -> Share | None:
        """`scaled`, of another value of this metric."""
        if self.better is None or self.ceiling is None or self.floor is None:
            return None
        way = self.ceiling.value - self.floor.value
        least = _TELLING * max(abs(self.ceiling.value), abs(self.floor.value))
        if way * (1 if self.better == "higher" else -1) <= least:
            return None
        return min(1.0, max(0.0, (value - self.floor.value) / way))


class Data(_Part):
    """Rows that were looked at.

    Attributes:
        source: the file's name, or what a DataFrame is called.
        rows: how many it has.
        fingerprint: of its cells.
    """

    source: str
    rows: int
    fingerprint: str


class Made(_Part):
    """How model and report were made.

    Attributes:
        versions: library -> version, with python and amodal.
        method: the model's.
        options: what it was made with.
        parameters: how many weights it has.
        fit_seed: of training.
        fit_rows: how many rows it was trained on.
        fit_fingerprint: of these.
        seed: of the evaluation.
        data: the held-out table.
        training: the training table; None where it was not given.
        judged_rows: how many held-out rows the model is judged by.
        matched_by: which real rows matchers, judges and nearest neighbours learned from, which are not among those.
        matched_rows: how many these are.
        generated_rows: how many rows were drawn with nothing given.
        seconds: how long the evaluation took.
    """

    versions: dict[str, str]
    method: str
    options: dict[str, float | int | str | bool | None]
    parameters: int
    fit_seed: int
    fit_rows: int
    fit_fingerprint: str
    seed: int
    data: Data
    training: Data | None
    judged_rows: int
    matched_by: Literal["training rows", "the other half of the held-out rows"]
    matched_rows: int
    generated_rows: int
    seconds: float


class ColumnNote(_Part):
    """A column as the model knows it.

    Attributes:
        name: its name.
        type: image, audio, text, number or category; None for an ignored column.
        representation: of its cells; None for an ignored column.
        summary: what was learned of it, in a few words; empty for an ignored column.
        reason: why it is of this type, or why it is ignored.
        missing: share of its cells that training rows lacked, 0 to 1.
        heldout_missing: the same of held-out rows; None where the column was not looked at.
    """

    name: str
    type: str | None
    representation: str | None
    summary: str
    reason: str
    missing: float
    heldout_missing: float | None


class LeftOutNote(_Part):
    """A metric that could not be had.

    Attributes:
        metric: such as "copying", "fidelity".
        of: the column, or "given -> target"; empty for one of whole rows.
        reason: why, as it may stand after "left out because".
    """

    metric: str
    of: str = ""
    reason: str


class Summary(_Part):
    """What a person reads first.

    Attributes:
        overall: 0 to 1, the mean of `fidelity` and `coherence`, or the one there is; what `--fail-under` compares.
        fidelity: 0 to 1, the mean over columns of the mean of their scores between floor and ceiling.
        coherence: 0 to 1, what (given, target) pairs have of real rows' agreement beyond chance; the sum over the
            pairs that tell, of 0 to the ceiling each, over the sum of their ceilings.
        completion: share of columns in which the model's completion is better than all that have no model.
        realism: as `Report.realism`.
        copying: as `CopyingPart.ratio`.
        sentences: the findings in words, the most important first.
    """

    overall: Reading | None
    fidelity: Reading | None
    coherence: Reading | None
    completion: Reading | None
    realism: Reading | None
    copying: Reading | None
    sentences: list[str]


class ColumnFidelity(_Part):
    """How far a column's generated cells, with nothing given, are from real ones.

    Attributes:
        column: its name.
        type: its type.
        scores: for pictures, sounds and texts Frechet distance, precision, recall, density, coverage, and for
            texts length distance and n-gram overlap; for numbers Wasserstein distance; for categories total variation.
    """

    column: str
    type: str
    scores: list[Reading]


class PairScore(_Part):
    """How often a target cell belongs to the given cell it is drawn for, rather than to another's.

    Attributes:
        given: the column that is given.
        target: the column that is drawn from it alone; for whole generated rows, the other column.
        score: 0.5 by chance, 1 always; the ceiling is real rows, the floor these shuffled.
        is_informative: whether real rows agree beyond chance. Of a pair that does not tell nothing can be said.
        scaled: between floor and ceiling, clipped; None where the pair does not tell.
    """

    given: str
    target: str
    score: Reading
    is_informative: bool
    scaled: Share | None


class WholeRows(_Part):
    """Whether the columns of rows that are drawn with nothing given agree.

    Attributes:
        score: the mean over the pairs that tell; None where none does.
        pairs: each two columns, once.
    """

    score: Reading | None
    pairs: list[PairScore]


class ColumnCompletion(_Part):
    """A column's hidden cells, drawn given the row's others, against the real ones.

    Attributes:
        column: its name.
        type: its type.
        how: what of the model is compared: "mean of 19 draws", "most frequent of 19 draws" or "one draw".
        model: the error or accuracy; `better` says which.
        baselines: the same of fills without a model, by name: "mean", "most frequent" or "mean cell"; "nearest
            rows"; and of numbers and categories "IterativeImputer".
        best: which is best, "model" or a baseline's name.
    """

    column: str
    type: str
    how: str
    model: Reading
    baselines: list[Reading]
    best: str


class CoverageReading(_Part):
    """How often an interval of the draws holds the real number.

    Attributes:
        nominal: how often it should, 0 to 1.
        share: how often it does.
    """

    nominal: float
    share: Reading


class ColumnCalibration(_Part):
    """Whether a number's draws are as uncertain as they should be."""

    column: str
    coverage: list[CoverageReading]


class CopyingPart(_Part):
    """Whether generated rows are copies of training rows.

    Attributes:
        nearer: how often a generated row is nearer to training than a held-out row: 0.5 for new rows, 1 for copies.
        ratio: share of rows suspiciously near to one training row and not to others: 0.05 for new rows, 1 for copies.
        duplicates: share of generated rows that are a training row; the ceiling is that of held-out rows.
    """

    nearer: Reading
    ratio: Reading
    duplicates: Reading


class ColumnLikelihood(_Part):
    """How well a column's held-out cells are foreseen.

    Attributes:
        column: its name.
        bits: the mean of -log2 p(cell) / dimensions, given the columns in `given`: an upper bound, lower is better.
            Densities of pictures, sounds and numbers are of scaled tensors, so that only models with the same
            representation compare, and may be below zero.
        dimensions: numbers or words in a cell.
        given: the columns that the cell is given.
    """

    column: str
    bits: Reading
    dimensions: float
    given: list[str]


class MissingnessPart(_Part):
    """Which cells are missing.

    Attributes:
        columns: of the matrices.
        real: share of held-out rows that lack both of two columns, on the diagonal one.
        generated: the same of generated rows.
        rates: mean difference of columns' rates.
        together: mean difference of two columns' rates.
    """

    columns: list[str]
    real: list[list[float]]
    generated: list[list[float]]
    rates: Reading
    together: Reading


class TargetPrediction(_Part):
    """How well the target is predicted.

    Attributes:
        given: the columns it is predicted from.
        by: "embedding", a linear model on the joint latent; "completion", the model's own draws; "features", a linear
            model on raw features, without the model.
        score: in the part's `measure`.
    """

    given: list[str]
    by: Literal["embedding", "completion", "features"]
    score: Reading


class TargetDifference(_Part):
    """What more columns add: certain where `score.low` is above 0.

    Attributes:
        more: the columns of the better informed prediction.
        fewer: those of the other.
        by: how both predict.
        score: how much more the first has, in the part's `measure`.
    """

    more: list[str]
    fewer: list[str]
    by: Literal["embedding", "completion", "features"]
    score: Reading


class TargetJudge(_Part):
    """A column's cells judged by a classifier of real cells, which says the target's label.

    Attributes:
        column: the judged column.
        accuracy: of the judge on real cells that it was not trained on.
        judged: how often it says the label that the model drew the cell for; None where left out. The ceiling is the
            judge's accuracy.
    """

    column: str
    accuracy: Reading
    judged: Reading | None


class TargetPart(_Part):
    """A target column: is multimodal worth it?

    Attributes:
        target: its name.
        measure: "accuracy" or "R2".
        baseline: of the most frequent label, or of the mean number.
        predictions: from each column alone, from all, and from all but each.
        gains: by each way, all columns over the best single one.
        worth: by each way, all columns over all but one.
        judges: of each other column, where the target is a category.
        alike: share of whole generated rows of which all judges that are mostly right say the row's own label.
    """

    target: str
    measure: Literal["accuracy", "R2"]
    baseline: Reading
    predictions: list[TargetPrediction]
    gains: list[TargetDifference]
    worth: list[TargetDifference]
    judges: list[TargetJudge]
    alike: Reading | None


class Report(_Part):
    """All that `amodal evaluate` found.

    Attributes:
        format: version of this layout.
        made: how.
        columns: of the model, the ignored ones too.
        history: training, one mapping an epoch; empty where it is not known.
        summary: a few headlines.
        fidelity: of each column.
        pairs: the any-to-any matrix.
        whole_rows: of rows drawn with nothing given.
        completion: of each column.
        calibration: of each column of numbers.
        realism: how well a classifier tells real rows from generated ones, 0.5 when it cannot; None where left out.
        copying: None where left out.
        likelihood: of each column, for methods that have one.
        missingness: None where left out.
        target: None unless a target was asked for, or where left out.
        left_out: what could not be had, and why.
    """

    format: Literal[1] = 1
    made: Made
    columns: list[ColumnNote]
    history: list[dict[str, float | int | str | None]]
    summary: Summary
    fidelity: list[ColumnFidelity]
    pairs: list[PairScore]
    whole_rows: WholeRows
    completion: list[ColumnCompletion]
    calibration: list[ColumnCalibration]
    realism: Reading | None
    copying: CopyingPart | None
    likelihood: list[ColumnLikelihood]
    missingness: MissingnessPart | None
    target: TargetPart | None
    left_out: list[LeftOutNote]
