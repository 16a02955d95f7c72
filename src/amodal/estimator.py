"""TableModel, the estimator: fit a table, then complete, sample, embed and score rows."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack

import numpy as np
import pandas as pd
import torch
from pydantic import PositiveFloat, PositiveInt
from pydantic_core import to_jsonable_python
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError

from amodal.answers import AnswersMixin
from amodal.answers.certainty import certainty_record, drawn_record
from amodal.answers.completion import ConditionalCompletion, drawn_cells, present_cells
from amodal.answers.conditions import Conditions
from amodal.answers.given import check_given
from amodal.answers.holes import sample_missing
from amodal.answers.shares import assigned_labels
from amodal.errors import UsageError
from amodal.features import feature_table
from amodal.files import check_output_folder, output_folder
from amodal.inference import complete_cells, embed, encode_table, log_prob
from amodal.methods import DEFAULT_METHOD, method_named
from amodal.modalities import MODALITIES, Modality
from amodal.models.latent_flow import LatentFlow
from amodal.persistence import FittedModel, read_model, write_model
from amodal.seeds import seed_of
from amodal.settings import Values, flatten, parameters, parse, resolve
from amodal.table import (
    MEDIA_ROOT,
    CompletedRows,
    ReadOptions,
    Table,
    column_name,
    column_of,
    in_form_of,
    infer_schema,
    is_address,
    mark_missing,
    read_table,
)
from amodal.training import Budget, parse_duration

if TYPE_CHECKING:
    import pyarrow as pa

    from amodal.report import Report

Data = Any
"""A table: the path or address of a file, or a table-like object; see `amodal.table.read_table`."""
_EPOCHS = 1000
_DEVICES = ("auto", "cpu", "cuda", "mps")


class TableModel(AnswersMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """One generative model of a table of pictures, sounds, texts, numbers and categories, with holes.

    A scikit-learn estimator: `fit` learns the table, `transform` (`embed`) gives each row a vector.

    Args:
        method: name of the method; `amodal methods` lists them.
        types: column -> type ("image", "image:pixels", "ignore"), where it should not be inferred.
        options: column -> keywords of its modality, for example {"photo": {"height": 128, "width": 128}}.
        missing: column -> cells that stand for missing ones, for example {"age": [-1, 999]}. Texts such as "NA" among
            numbers or dates do without.
        bad_cells: "error" refuses a table with cells that cannot be read; "missing" takes them as missing.
        rules: conditions that all rows keep, such as "low <= high" or "total == a + b": checked in training rows by
            `fit`, and kept in all rows that are drawn. They are written as `where` of `sample`.
        epochs: most passes over the table; None for at most 1,000, until the held-out loss no longer falls.
        time_limit: most time `fit` takes, in seconds or as "5m"; None for no limit.
        device: "auto", "cpu", "cuda" or "mps".
        random_state: seed of training, and of draws unless they are given one: a whole number, a NumPy `RandomState`
            or `Generator`, or None for another seed each time.
        settings: hyper-parameters of the method, such as `latent`, `guidance`, `learning_rate` or `batch_size`;
            `amodal methods NAME` lists a method's. Where several parts of a method have a setting of one name, it is
            given with its owner, as in `**{"objective.beta": 2.0}`.

    Attributes:
        modalities: the column types that are tried; a subclass with further ones has
            `modalities = (*MODALITIES, Own)`.
        schema_: the columns, their types, and why.
        history_: one row an epoch, as a DataFrame.
        bad_cells_: the cells that could not be read and were taken as missing.
        settings_: all settings of the method, by name, as the model was fitted with.
        feature_names_in_: names of the table's columns.
        n_features_in_: number of them.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"height": [1.5, 1.7, None, 1.9] * 10, "sex": ["f", "f", "m", None] * 10})
        >>> model = TableModel(epochs=2).fit(table)
        >>> model.sample(3).columns.tolist()
        ['height', 'sex']
        >>> bool(model.complete(table).isna().any().any())
        False
    """

    modalities: ClassVar[tuple[type[Modality], ...]] = MODALITIES

    def __init__(
        self,
        method: str = DEFAULT_METHOD,
        *,
        types: Mapping[Hashable, str] | None = None,
        options: Mapping[Hashable, Mapping[str, Any]] | None = None,
        missing: Mapping[Hashable, Sequence[Any]] | None = None,
        bad_cells: Literal["error", "missing"] = "error",
        rules: str | Sequence[str] | None = None,
        epochs: PositiveInt | None = None,
        time_limit: str | PositiveFloat | None = None,
        device: str = "auto",
        random_state: int | np.random.RandomState | np.random.Generator | None = 0,
        **settings: Any,
    ) -> None:
        self.method = method
        self.types = types
        self.options = options
        self.missing = missing
        self.bad_cells = bad_cells
        self.rules = rules
        self.epochs = epochs
        self.time_limit = time_limit
        self.device = device
        self.random_state = random_state
        self.settings = settings
        if settings:
            # A misspelled name is refused here, as that of any other argument.
            self._settings()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """All arguments, the settings among them; see scikit-learn."""
        return super().get_params(deep) | self.settings

    def set_params(self, **params: Any) -> Self:
        """Set arguments and settings; see scikit-learn."""
        own = super().get_params(deep=False)
        self.settings = self.settings | {name: value for name, value in params.items() if name not in own}
        return super().set_params(**{name: value for name, value in params.items() if name in own})

    def _settings(self) -> Values:
        """All settings, parsed and checked.

        Raises:
            UsageError: the method has no such setting, or a value is out of its range.
        """
        return resolve(method_named(self.method), self.settings, arguments=super().get_params(deep=False))

    def _arguments(self) -> dict[str, Any]:
        """The other arguments, parsed and checked, as JSON has them."""
        given = {name: _by_name(getattr(self, name)) for name in ("types", "options", "missing")}
        parsed = {
            setting.field: parse(
                setting.field, setting, given.get(setting.field, getattr(self, setting.field))
            )
            for setting in parameters("TableModel", type(self))
            if setting.field not in ("random_state", "rules")
        }
        rules = [self.rules] if isinstance(self.rules, str) else list(self.rules or ())
        if not all(isinstance(rule, str) for rule in rules):
            raise UsageError(f"rules must be texts such as 'low <= high', not {self.rules!r}.")
        parsed |= {"random_state": seed_of(self.random_state), "rules": rules}
        # Here, and not at the end of training: NumPy's numbers, for one, cannot be saved as JSON.
        return dict(to_jsonable_python(parsed, fallback=lambda value: value.item()))

    def fit(
        self,
        data: Data,
        y: None = None,
        *,
        media_root: str | Path | None = None,
        work: str | Path | None = None,
        output: str | Path | None = None,
        overwrite: bool = False,
        resume: bool = False,
        **reading: Unpack[ReadOptions],
    ) -> Self:
        """Learn a table.

        Args:
            data: a file (.csv, .tsv, .jsonl, .parquet, .xlsx), its address, a folder with metadata.csv, a DataFrame of
                pandas or polars, an Arrow table, a `datasets.Dataset`, a dict of columns or a list of dicts. Images and
                sounds may be paths, `bytes`, Pillow images, arrays, `(rate, samples)`, or {"bytes": ..., "path": ...}.
            y: ignored; scikit-learn passes it.
            media_root: the folder that paths in the table are relative to, and must stay below; the table's own by
                default, and the working folder for tables that have none.
            work: folder for the prepared table and checkpoints. By default it is `output` with ".training" at its
                end, which is removed when the model is there, or a temporary one where there is no `output`.
            output: a folder to write the model to as well, as `save` does.
            overwrite: replace a model that is in `output`.
            resume: go on from whatever is in `work`: a checkpoint, or nothing yet; or take the model that is in
                `output`, where a run with the same data and settings is at its end.
            **reading: `sep` and `encoding` of a text file, and `follow_links`; see `amodal.table.read_table`.

        Raises:
            UsageError: an unknown method, setting, column or type; or `work` or `output` hold something else, or what
                another run is writing; or the run to resume was of other data or settings.
            DataError: the table cannot be used; says which columns and rows.
            KeyboardInterrupt: after Ctrl-C, SIGTERM or SIGHUP; the last checkpoint is in `work`.
        """
        _device(self.device)
        folders = {"media_root": media_root, "work": work, "output": output}
        return self._fit(
            data, time.monotonic(), overwrite=overwrite, resume=resume, reading=reading, **folders
        )

    def _fit(
        self,
        data: Data,
        started: float,
        *,
        overwrite: bool = False,
        resume: bool = False,
        reading: ReadOptions | None = None,
        **folders: str | Path | None,
    ) -> Self:
        """`fit` with a time limit that counts from `started` on, by `time.monotonic`."""
        # Imports Lightning for seconds, which no other call needs.
        from amodal.fitting import FitRun
        from amodal.training import global_rank

        arguments = self._arguments()
        run = FitRun(
            data,
            arguments,
            self._settings(),
            Budget(arguments["epochs"] or _EPOCHS, parse_duration(arguments["time_limit"]), started),
            overwrite=overwrite,
            resume=resume,
            modalities=self.modalities,
            reading=reading or ReadOptions(),
            **{name: Path(folder) if folder else None for name, folder in folders.items()},
        )
        self._set_fitted(run())
        self._media_root = folders.get("media_root") or (Path(data).parent if _is_file(data) else None)
        self.is_global_zero_ = global_rank() == 0
        return self

    def _set_fitted(self, fitted: FittedModel) -> None:
        self.fitted_ = fitted
        self.schema_ = fitted.schema
        self.history_ = fitted.history
        self.bad_cells_ = fitted.bad_cells
        self.settings_ = flatten(method_named(fitted.method), fitted.settings)
        names = [column.name for column in fitted.schema.columns]
        self.n_features_in_ = len(names)
        self.feature_names_in_ = np.array(names, dtype=object)
        fitted.model.to(_device(self.device))

    def _seed(self, seed: Any) -> int:
        """A seed of draws: the one given, or `random_state`."""
        return seed_of(self.random_state) if seed is None else seed_of(seed, "seed")

    @property
    def _n_features_out(self) -> int:
        """Size of an embedding, for `get_feature_names_out`."""
        return self._fitted().model.latent

    def _fitted(self) -> FittedModel:
        if not hasattr(self, "fitted_"):
            raise NotFittedError("This TableModel is not fitted yet: call fit, or TableModel.load.")
        return self.fitted_

    def sample(
        self,
        n: int,
        *,
        given: Mapping[Any, Any] | None = None,
        where: str | None = None,
        balance: Hashable | Sequence[Hashable] | None = None,
        shares: Mapping[Any, Mapping[Any, float]] | None = None,
        holes: bool = False,
        guidance: float | None = None,
        fast: bool = False,
        media_root: str | Path | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Generate rows.

        Args:
            n: number of rows.
            given: column -> cell of all rows; for an image or sound in any form, see `fit`.
            where: a condition that all rows meet, such as "price > 10 and kind in ['a', 'b'] and image is not null":
                comparisons, `in`, `between A and B`, `is null`, joined by `and`, `or` and `not`, of columns, numbers
                and texts in quotes. A column's name that is no word goes between backticks.
            balance: column, or columns, of which each label is equally frequent.
            shares: column -> label -> share of the rows; the shares of a column sum to 1.
            holes: draw the holes too: patterns of missing cells as frequent as in the fitted table, which do not depend
                on the drawn cells. A generated row else has no holes.
            guidance: see `complete`.
            fast: see `complete`.
            media_root: the folder that such a path is relative to; the working folder by default.
            seed: of the draws; `random_state` by default.

        Returns:
            n rows. Images are uint8 arrays (H, W, C), sounds have `samples` and `rate`. Identifiers are new ones.
            `attrs["tries"]` is the most draws that a row took to meet `where` and the model's rules.

        Raises:
            UsageError: an unknown column; a condition that cannot be parsed, or that no row can meet.
            DataError: a given cell cannot be read or was not seen in training, or no draw meets the conditions.
        """
        frame = self._sample(
            n,
            given=given,
            where=where,
            balance=balance,
            shares=shares,
            holes=holes,
            guidance=guidance,
            fast=fast,
            media_root=media_root,
            seed=seed,
        )
        schema = self._fitted().schema
        typed = schema.parse_texts(frame) if schema.is_text else frame
        typed.columns = pd.Index([schema.labels[str(name)] for name in typed])
        typed.attrs = frame.attrs
        return typed

    def _sample(
        self,
        n: int,
        *,
        given: Mapping[Any, Any] | None,
        where: str | None,
        balance: Hashable | Sequence[Hashable] | None,
        shares: Mapping[Any, Mapping[Any, float]] | None,
        holes: bool,
        guidance: float | None,
        fast: bool,
        seed: int | None,
        media_root: str | Path | None = None,
    ) -> pd.DataFrame:
        """`sample` by names of columns, with texts where the model was fitted to texts."""
        if n < 1:
            raise UsageError(f"n must be at least 1, not {n}.")
        fitted, seed = self._fitted(), self._seed(seed)
        schema = fitted.schema
        cells = _by_name(given) or {}
        self._check_columns(cells)
        root = Path(media_root or Path.cwd())
        check_given(cells, schema.used, root)
        conditions = self._conditions(where)
        balanced = (
            [balance] if isinstance(balance, str) or not isinstance(balance, Sequence) else list(balance)
        )
        names = [column_name(label) for label in balanced if label is not None]
        labels = assigned_labels(n, names, _by_name(shares), conditions, seed)
        present = [*cells, *labels]
        missing = None
        if holes:
            missing = sample_missing(
                fitted.patterns, list(schema.used), n, conditions, present=present, seed=seed
            )
        frame = pd.DataFrame(
            {name: column_of(list(labels.get(name, [cells.get(name)] * n))) for name in schema.used}
        )
        drawn = self._complete(
            read_table(frame, root),
            conditions,
            given=present,
            missing=missing,
            guidance=guidance,
            fast=fast,
            seed=seed,
        ).frame
        tries = drawn.attrs.get("tries")
        for name, mask in (missing or {}).items():
            drawn[name] = drawn[name].where(~pd.Series(mask))
        filled = schema.fill(drawn, seed=seed, add=True)
        if tries is not None:
            filled.attrs = {"tries": tries}
        return filled

    def complete(
        self,
        data: Data,
        *,
        columns: Iterable[Hashable] | None = None,
        given: Iterable[Hashable] | None = None,
        where: str | None = None,
        draws: int = 1,
        best: bool = False,
        certainty: bool = False,
        guidance: float | None = None,
        fast: bool = False,
        bad_cells: Literal["error", "missing"] = "error",
        media_root: str | Path | None = None,
        seed: int | None = None,
        **reading: Unpack[ReadOptions],
    ) -> Any:
        """Draw cells given others; with neither `columns` nor `given`, the missing ones.

        Args:
            data: the rows; see `fit`. Columns that it lacks are drawn, columns the model does not know are kept.
            columns: draw these, also where a cell is present, which is then not used for its own draw.
            given: use only these columns' cells.
            where: a condition that all rows with a drawn cell meet; see `sample`.
            draws: completions of each row; above 1, columns `row` and `draw` number them (`row_2` and `draw_2` where
                the table has columns of these names). `amodal.pool` pools what is estimated from each.
            best: the best cells in place of draws: the likeliest label, the median number, the likeliest of 16 texts,
                and of 8 images or sounds the one nearest to their mean.
            certainty: add how certain the drawn cells are, as `attrs["certainty"]`.
            guidance: strength of guidance of texts, images and sounds by the given cells, from 0 up: 1 draws from the
                model's distribution, more agrees better and varies less. `latent-flow` only; the model's own by
                default.
            fast: draw images and sounds in a few distilled steps, and in bfloat16 where that is faster. `latent-flow`
                only.
            bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.
            media_root: the folder that paths in the table are relative to.
            seed: of the draws; `random_state` by default. A row's draw depends on the seed and its number alone.
            **reading: see `fit`.

        Returns:
            The rows in the form of `data`: a frame of the same library, with its index, column names and types, whose
            given cells are as they were; a DataFrame of pandas for files, dicts, lists and arrays. Drawn images are
            uint8 arrays (H, W, C), drawn sounds have `samples` and `rate`; in Arrow, polars and datasets both are
            structs of `bytes` and `path`.

            In `attrs` of a DataFrame of pandas are `drawn`, column -> whether each cell was drawn; with `certainty`,
            columns `row` (from 1), `column`, `cell`, `probability` of a label, and `low` and `high` of the interval
            that holds a number with 80 %, given the row's present cells; and `tries`, the most draws that a row took
            to meet conditions. The first two have `to_frame()`.

        Raises:
            UsageError: an unknown column, a keyword that the method does not have, or a condition that no row can meet.
            DataError: cells cannot be read; the message lists them. Or no draw of a row meets the conditions.
        """
        conditions = self._conditions(where)
        table = self._read(data, media_root, reading)
        completed = self._complete(
            table,
            conditions,
            columns=columns,
            given=given,
            draws=draws,
            best=best,
            certainty=certainty,
            guidance=guidance,
            fast=fast,
            bad_cells=bad_cells,
            seed=self._seed(seed),
        )
        schema, attrs = self._fitted().schema, completed.frame.attrs
        rows = in_form_of(table, completed, schema.used, draws, schema.labels)
        if isinstance(rows, pd.DataFrame):
            rows.attrs |= attrs
        return rows

    def _complete(
        self,
        table: Table,
        conditions: Conditions,
        *,
        columns: Iterable[Hashable] | None = None,
        given: Iterable[Hashable] | None = None,
        missing: Mapping[str, Any] | None = None,
        draws: int = 1,
        best: bool = False,
        certainty: bool = False,
        guidance: float | None = None,
        fast: bool = False,
        bad_cells: Literal["error", "missing"] = "error",
        seed: int = 0,
    ) -> CompletedRows:
        """`complete` of a table that is read, in pandas and by names of columns; some cells stay missing."""
        fitted = self._fitted()
        model = fitted.model
        targets = None if columns is None else [column_name(label) for label in columns]
        sources = None if given is None else [column_name(label) for label in given]
        self._check_columns([*(targets or []), *(sources or [])])
        if draws < 1:
            raise UsageError(f"draws must be at least 1, not {draws}.")
        if best and draws > 1:
            raise UsageError("There is one best completion of a row: give best=True or draws, not both.")
        if missing is None:
            conditions.check_without_holes()
        options = self._draw_options(guidance, fast)
        batch = encode_table(model, table, bad_cells)
        drawn = drawn_cells(batch, targets, missing or {})
        completion = ConditionalCompletion(
            table, present_cells(batch), drawn, conditions, missing or {}, best
        )
        completed = complete_cells(
            model,
            table,
            options=options,
            columns=targets,
            given=sources,
            draws=draws,
            seed=seed,
            batch=batch,
            complete=completion,
            exact=completion.exact_cells,
        )
        cells = {name: list(completed.frame[name]) for name in drawn} if certainty else {}
        if targets is None:
            completed = replace(completed, frame=fitted.schema.fill(completed.frame, seed=seed, add=False))
        attrs = completed.frame.attrs
        attrs["drawn"] = drawn_record(drawn, draws)
        if not conditions.is_empty:
            attrs["tries"] = completion.tries
        if certainty:
            kept = set(model.modalities) - set(targets or ()) if sources is None else sources
            attrs["certainty"] = certainty_record(
                model, batch.given(kept), drawn, cells, draws=draws, seed=seed
            )
        return completed

    def embed(
        self, data: Data, *, media_root: str | Path | None = None, **reading: Unpack[ReadOptions]
    ) -> np.ndarray:
        """The joint representation of each row given its cells, float32 (rows, latent).

        Args:
            data: the rows; see `fit`.
            media_root: the folder that paths in the table are relative to.
            **reading: see `fit`.
        """
        model = self._fitted().model
        return embed(model, encode_table(model, self._read(data, media_root, reading)))

    def transform(self, data: Data) -> np.ndarray:
        """`embed`, for scikit-learn's pipelines."""
        return self.embed(data)

    def score_samples(
        self,
        data: Data,
        *,
        media_root: str | Path | None = None,
        samples: int = 100,
        seed: int | None = None,
        **reading: Unpack[ReadOptions],
    ) -> np.ndarray:
        """Log-likelihood in nats of each row's cells, (rows,): an importance-weighted lower bound.

        Images, sounds and numbers have densities, of their scaled tensors: scores compare rows with the same cells
        present, and not models with other representations.

        Args:
            data: the rows; see `fit`.
            media_root: the folder that paths in the table are relative to.
            samples: latents drawn a row; the bound tightens as they grow.
            seed: of the latents; `random_state` by default.
            **reading: see `fit`.
        """
        fitted = self._fitted()
        batch = encode_table(fitted.model, self._read(data, media_root, reading))
        return log_prob(fitted.model, batch, num_samples=samples, seed=self._seed(seed))

    def score(self, data: Data, y: None = None, *, media_root: str | Path | None = None) -> float:
        """Mean of `score_samples` over the rows, in nats; greater is better, as scikit-learn's searches need.

        Args:
            data: the rows; see `fit`.
            y: ignored; scikit-learn passes it.
            media_root: the folder that paths in the table are relative to.
        """
        return float(self.score_samples(data, media_root=media_root).mean())

    def evaluate(
        self,
        data: Data,
        *,
        target: Hashable | None = None,
        training: Data | None = None,
        bad_cells: Literal["error", "missing"] = "error",
        media_root: str | Path | None = None,
        seed: int | None = None,
        output: str | Path | None = None,
        overwrite: bool = False,
        **reading: Unpack[ReadOptions],
    ) -> Report:
        """Judge the model by rows that it was not fitted to; see `amodal.report.Report`.

        The report's one overall score, `report.summary.overall.value`, goes from 0 to 1. It is the lowest of
        `fidelity`, how far generated cells come from a random baseline to real ones in the worst column, of
        `matching_accuracy`, what columns drawn from one another have of real rows' agreement beyond chance, and of
        `whole_rows`, the same of rows drawn with nothing given; None where none of them can be had.
        `report.summary.weakness` says in words what is bad.

        Args:
            data: held-out rows; see `fit`. Up to 4,000 are looked at, half of them to judge by.
            target: a column of categories or numbers, of which it is asked what the others say of it.
            training: the rows that the model was fitted to. Matchers then learn from these, all held-out rows are
                judged (up to 2,000), and it is looked for copies.
            bad_cells: "error" refuses cells that cannot be read, and labels not seen in training; "missing" takes
                them as missing.
            media_root: the folder that paths in the tables are relative to.
            seed: of draws, splits and subsamples; `random_state` by default.
            output: a folder to write the report to as well.
            overwrite: replace a report that is there.
            **reading: see `fit`.

        Raises:
            UsageError: the model has no such target, or `output` holds something else.
            DataError: a table has none of the model's columns, or cells that cannot be used.
        """
        inputs = [data, training, media_root]
        if output is not None:
            check_output_folder(output, "report", overwrite=overwrite, inputs=inputs)
        # Imports libraries for a second, which no other call needs.
        from amodal.report import evaluate, write_evaluation

        evaluation = evaluate(
            self._fitted(),
            self._read(data, media_root, reading),
            training=None if training is None else self._read(training, media_root, reading),
            target=None if target is None else column_name(target),
            seed=self._seed(seed),
            bad_cells=bad_cells,
        )
        if output is not None:
            with output_folder(output, "report", overwrite=overwrite, inputs=inputs) as folder:
                write_evaluation(evaluation, folder)
        return evaluation.report

    def features(
        self, data: Data, *, media_root: str | Path | None = None, **reading: Unpack[ReadOptions]
    ) -> pa.Table:
        """Vectors of each cell for other tools; needs no `fit`.

        Each column becomes what its representation says (`types={"photo": "image:patches"}`): the numbers that
        scikit-learn's and librosa's own calls give, and not those of a model.

        Args:
            data: the rows; see `fit`.
            media_root: the folder that paths in the table are relative to.
            **reading: see `fit`.

        Returns:
            A pyarrow table with one fixed-size list a column, null where a cell is missing. Its schema's metadata
            say under "amodal", in JSON, each column's type, representation, shape, unit and fitted state.

        Raises:
            UsageError: an unknown column or type.
            DataError: the table cannot be used; says which columns and rows.
        """
        table = mark_missing(read_table(data, media_root, **reading), _by_name(self.missing) or {})
        types, options = _by_name(self.types), _by_name(self.options)
        modalities = infer_schema(table, self.modalities, types, options).used
        vectors, self.bad_cells_ = feature_table(table, modalities, bad_cells=self.bad_cells)
        return vectors

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the model to a folder that `TableModel.load` reads on any machine.

        Args:
            folder: appears complete or not at all.
            overwrite: replace a model in that folder.

        Raises:
            UsageError: the folder holds something else, or a model, without `overwrite`.
        """
        write_model(self._fitted(), Path(folder), overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto") -> Self:
        """Read a model that `save` wrote; its arguments and settings are those that it was fitted with.

        Args:
            folder: of the model.
            device: "auto", "cpu", "cuda" or "mps".

        Raises:
            DataError: the folder holds no model, a damaged one, or one of another format.
        """
        fitted = read_model(Path(folder), cls.modalities)
        settings = flatten(method_named(fitted.method), fitted.settings)
        model = cls(**fitted.arguments, device=device, **settings)
        model._set_fitted(fitted)
        return model

    def _draw_options(self, guidance: float | None, fast: bool) -> dict[str, Any]:
        """Keywords of the model's `complete`."""
        options: dict[str, Any] = {"guidance": guidance} if guidance is not None else {}
        if fast:
            options["fast"] = True
        if options and not isinstance(self._fitted().model, LatentFlow):
            raise UsageError(
                f"A model of method {self.method!r} has no {' and no '.join(options)}: that is latent-flow's."
            )
        if guidance is not None and fast:
            raise UsageError(
                "Fast draws are distilled at the model's own guidance: give guidance or fast, not both."
            )
        if guidance is not None and not 0.0 <= guidance < float("inf"):
            raise UsageError(f"guidance must be a number from 0 up, not {guidance}.")
        return options

    def _conditions(self, where: str | None) -> Conditions:
        """The conditions of a call, and the model's rules."""
        fitted = self._fitted()
        return Conditions.parse(where, fitted.arguments.get("rules") or (), fitted.schema.used)

    def _read(self, data: Data, media_root: str | Path | None, reading: ReadOptions) -> Table:
        """Read a table; paths of one without a folder are relative to that of the table that was fitted here."""
        if media_root is None and not _is_file(data) and MEDIA_ROOT not in getattr(data, "attrs", ()):
            media_root = getattr(self, "_media_root", None)
        return mark_missing(read_table(data, media_root, **reading), _by_name(self.missing) or {})

    def _check_columns(self, names: Iterable[str]) -> None:
        used = self._fitted().schema.used
        unknown = [name for name in names if name not in used]
        if unknown:
            raise UsageError(f"The model has no column {unknown[0]!r}. Choose from {', '.join(used)}.")


def _is_file(data: Data) -> bool:
    return isinstance(data, str | Path) and not is_address(data)


def _by_name(values: Mapping[Any, Any] | None) -> dict[str, Any] | None:
    """A mapping by labels of columns as one by their names."""
    return (
        {column_name(label): value for label, value in values.items()}
        if isinstance(values, Mapping)
        else values
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in _DEVICES:
        raise UsageError(f"Unknown device {name!r}. Choose from {', '.join(_DEVICES)}.")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError('There is no CUDA device here: pass device="cpu" or device="auto".')
    if name == "mps" and not torch.backends.mps.is_available():
        raise UsageError('There is no MPS device here: pass device="cpu" or device="auto".')
    return torch.device(name)
