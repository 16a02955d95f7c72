"""TableModel: fit a table, and complete it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from amodal.distributions import RowNoise
from amodal.errors import DataError, UsageError
from amodal.features import feature_table
from amodal.files import check_output_folder, output_folder
from amodal.inference import complete_table, each_batch
from amodal.methods import DEFAULT_METHOD, method_named
from amodal.modalities import MODALITIES
from amodal.models.latent_flow import LatentFlow
from amodal.persistence import FittedModel, holds_model, read_model, write_model
from amodal.run_folder import differences, run_folder, say
from amodal.table import BadCell, fingerprint, infer_schema, read_table
from amodal.training import Budget, TrainerConfig, global_rank, parse_duration, train

if TYPE_CHECKING:
    import pyarrow as pa

    from amodal.report import Report

Data = str | Path | pd.DataFrame
_EPOCHS = 1000


class TableModel(TransformerMixin, BaseEstimator):
    """One generative model of a table of pictures, sounds, texts, numbers and categories, with holes.

    A scikit-learn estimator: `fit` learns the table, `transform` (`embed`) gives each row a vector.

    Args:
        method: how it is modelled; `amodal fit --help` lists the methods.
        types: column -> type ("image", "image:pixels", "ignore"), where it should not be inferred.
        options: column -> what its modality is told, for example {"photo": {"height": 128, "width": 128}}.
        bad_cells: "error" refuses a table with cells that cannot be read; "missing" takes them as missing.
        epochs: most passes over the table; until it stops getting better, at most 1,000, by default.
        time_limit: most time `fit` takes, in seconds or as "5m".
        batch_size: rows a step; 128, fewer for tables under 2,560 rows, by default.
        learning_rate: the highest of training.
        latent: size of the joint representation, and of `embed`'s vectors; the method's own by default.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "auto", or as Lightning has it ("32-true", "bf16-mixed").
        devices: processes on this machine that train together.
        num_nodes: machines that train together.
        strategy: how they do, as Lightning has it ("ddp", "fsdp", ...).
        random_state: seed of training, and of draws unless they are given one.

    Attributes:
        schema_: the columns, their types, and why.
        history_: one row an epoch, as a DataFrame.
        bad_cells_: the cells that could not be read and were taken as missing.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"height": [1.5, 1.7, None, 1.9] * 10, "sex": ["f", "f", "m", None] * 10})
        >>> model = TableModel(epochs=2).fit(table)
        >>> model.sample(3).columns.tolist()
        ['height', 'sex']
        >>> bool(model.complete(table).isna().any().any())
        False
    """

    def __init__(
        self,
        method: str = DEFAULT_METHOD,
        *,
        types: Mapping[str, str] | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        bad_cells: Literal["error", "missing"] = "error",
        epochs: int | None = None,
        time_limit: str | float | None = None,
        batch_size: int | None = None,
        learning_rate: float = 2e-3,
        latent: int | None = None,
        device: str = "auto",
        precision: str = "auto",
        devices: int | str = 1,
        num_nodes: int = 1,
        strategy: str = "auto",
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.types = types
        self.options = options
        self.bad_cells = bad_cells
        self.epochs = epochs
        self.time_limit = time_limit
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.latent = latent
        self.device = device
        self.precision = precision
        self.devices = devices
        self.num_nodes = num_nodes
        self.strategy = strategy
        self.random_state = random_state

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
        started: float | None = None,
    ) -> Self:
        """Learn a table.

        Args:
            data: a DataFrame, a file (.csv, .tsv, .jsonl, .parquet) or a folder with metadata.csv.
            y: not used.
            media_root: the folder that paths in the table are relative to; the table's own by default.
            work: folder for the prepared table and checkpoints. By default it is `output` with ".training" at its
                end, which is removed when the model is there, or a temporary one where there is no `output`.
            output: a folder to write the model to as well, as `save` does.
            overwrite: replace a model that is in `output`.
            resume: go on from whatever is in `work`: a checkpoint, or nothing yet; or take the model that is in
                `output`, where a run with the same data and settings is at its end.
            started: when the call began that the time limit is of, on `time.monotonic`'s clock; now by default.

        Raises:
            UsageError: an unknown method, column or type; or `work` or `output` hold something else, or what another
                run is writing; or the run to resume was of other data or settings.
            DataError: the table cannot be used; says which columns and rows.
            KeyboardInterrupt: after Ctrl-C, SIGTERM or SIGHUP; the last checkpoint is in `work`.
        """
        began = time.monotonic() if started is None else started
        budget = Budget(self.epochs or _EPOCHS, parse_duration(self.time_limit), began)
        if overwrite and resume:
            raise UsageError("overwrite=True starts anew and resume=True goes on: give one of them.")
        work, output = Path(work) if work else None, Path(output) if output else None
        inputs, first = [data, media_root], global_rank() == 0
        if first and work is not None:
            check_output_folder(work, "checkpoint", resume=True, inputs=inputs)
        if first and output is not None:
            check_output_folder(output, "model", overwrite=overwrite or resume, inputs=inputs)
        with run_folder(work, output) as run:
            if first and output is not None:
                # Another run may have written it until its lock was free.
                check_output_folder(output, "model", overwrite=overwrite or resume, inputs=inputs)
            method = method_named(self.method)
            table = read_table(data, Path(media_root) if media_root else None)
            budget.check("the table was read")
            schema = infer_schema(table, MODALITIES, self.types, self.options)
            options = {} if self.latent is None else {"latent": self.latent}
            modalities = schema.used
            mark = fingerprint(table, modalities)
            state = {"method": self.method, "seed": self.random_state, "options": options, "data": mark}
            settings = {
                "epochs": self.epochs,
                "time_limit": budget.seconds,
                "batch_size": self.batch_size,
                "learning_rate": self.learning_rate,
                "precision": self.precision,
            }
            made_by = {"amodal": version("amodal")}
            go_on = resume and run.can_go_on(state | made_by)
            if resume and first and output is not None and not run.begun:
                finished = _finished(output, state, settings)
                if finished is not None:
                    self.is_global_zero_ = True
                    self.bad_cells_: tuple[BadCell, ...] = finished.bad_cells
                    self._take(finished)
                    return self
            store = run.store(
                state | made_by,
                table,
                modalities,
                self.bad_cells,
                go_on=go_on,
                check=lambda: budget.check("the table was prepared"),
            )
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.random_state)
                model = method.model(modalities, **options)
            plan = TrainerConfig(
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                seed=self.random_state,
                device=self.device,
                precision=self.precision,
                devices=self.devices,
                num_nodes=self.num_nodes,
                strategy=self.strategy,
            )
            training = train(
                model, method.stages, store, budget, plan, checkpoint=run.checkpoint, resume=resume
            )
            self.is_global_zero_ = training.is_global_zero
            self.bad_cells_ = store.bad_cells
            fitted = FittedModel(
                method=self.method,
                model=model.cpu().eval(),
                options=options,
                schema=schema,
                history=training.history,
                seed=self.random_state,
                rows=len(table),
                fingerprint=mark,
                bad_cells=self.bad_cells_,
                settings=settings,
            )
            if output is not None and self.is_global_zero_:
                write_model(fitted, output, overwrite=overwrite or resume)
        self._take(fitted)
        return self

    def _take(self, fitted: FittedModel) -> None:
        self.fitted_ = fitted
        self.schema_ = fitted.schema
        self.history_ = fitted.history
        self.n_features_in_ = len(fitted.schema.columns)
        self._device = _device(self.device)
        fitted.model.to(self._device)

    def _fitted(self) -> FittedModel:
        if not hasattr(self, "fitted_"):
            raise NotFittedError("This TableModel is not fitted yet: call fit, or TableModel.load.")
        return self.fitted_

    def sample(
        self,
        n: int,
        *,
        given: Mapping[str, Any] | None = None,
        guidance: float | None = None,
        fast: bool = False,
        media_root: str | Path | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Generate rows.

        Args:
            n: how many.
            given: column -> the cell that all rows shall have; a path for a picture or sound.
            guidance: see `complete`.
            fast: see `complete`.
            media_root: the folder that such a path is relative to; the current one by default.
            seed: of the draws; `random_state` by default.

        Returns:
            n rows. Pictures are uint8 arrays (H, W, C), sounds have `samples` and `rate`.
        """
        if n < 1:
            raise UsageError(f"n must be at least 1, not {n}.")
        columns = list(self._fitted().schema.used)
        given = dict(given or {})
        self._check_columns(given)
        frame = pd.DataFrame({name: [given.get(name)] * n for name in columns})
        frame = frame.astype({name: "object" for name in columns if name not in given})
        return self.complete(
            frame,
            given=list(given),
            guidance=guidance,
            fast=fast,
            media_root=media_root or Path.cwd(),
            seed=seed,
        )

    def complete(
        self,
        data: Data,
        *,
        columns: Iterable[str] | None = None,
        given: Iterable[str] | None = None,
        draws: int = 1,
        guidance: float | None = None,
        fast: bool = False,
        bad_cells: Literal["error", "missing"] = "error",
        media_root: str | Path | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Draw cells given others. With neither `columns` nor `given`, fills the holes.

        Args:
            data: the rows; see `fit`. Columns that it lacks are drawn, columns the model does not know are kept.
            columns: draw these, also where a cell is present, which is then not used for its own draw.
            given: use only these columns' cells.
            draws: how many completions of each row; above 1, columns `row` and `draw` number them.
            guidance: how much texts, pictures and sounds keep to what is given, from 0 up: 1 draws what the
                model believes, more agrees better and varies less. Of `latent-flow` only; the model's own by default.
            fast: draw pictures and sounds in a few jumps instead of many steps, and in bfloat16 where that is
                faster. Of `latent-flow` only.
            bad_cells: "error" refuses cells that cannot be read; "missing" takes them as missing.
            media_root: the folder that paths in the table are relative to.
            seed: of the draws; `random_state` by default. A row's draw depends on the seed and its number alone.

        Returns:
            The rows. Drawn pictures are uint8 arrays (H, W, C), drawn sounds have `samples` and `rate`.

        Raises:
            UsageError: an unknown column, or a way of drawing that the method does not have.
            DataError: cells cannot be read; says which.
        """
        fitted = self._fitted()
        table = read_table(data, Path(media_root) if media_root else None)
        drawn = None if columns is None else list(columns)
        kept = None if given is None else list(given)
        self._check_columns([*(drawn or []), *(kept or [])])
        if draws < 1:
            raise UsageError(f"draws must be at least 1, not {draws}.")
        return complete_table(
            fitted.model,
            table,
            how=self._how(guidance, fast),
            columns=drawn,
            given=kept,
            draws=draws,
            seed=self.random_state if seed is None else seed,
            bad_cells=bad_cells,
        )

    def embed(self, data: Data, *, media_root: str | Path | None = None) -> np.ndarray:
        """The joint representation of each row, (rows, latent), float32: the mean of q(z | its cells)."""
        fitted = self._fitted()
        table = read_table(data, Path(media_root) if media_root else None)
        parts = [fitted.model.embed(batch).cpu().numpy() for batch in each_batch(fitted.model, table)]
        return np.concatenate(parts)

    def transform(self, data: Data) -> np.ndarray:
        """`embed`, for scikit-learn's pipelines."""
        return self.embed(data)

    def score_samples(
        self, data: Data, *, media_root: str | Path | None = None, samples: int = 100, seed: int | None = None
    ) -> np.ndarray:
        """Log-likelihood in nats of each row's cells, (rows,): an importance-weighted lower bound.

        Pictures, sounds and numbers have densities, of their scaled tensors, so that scores compare rows with
        the same cells present, and not models with other representations.

        Args:
            data: the rows.
            media_root: the folder that paths in the table are relative to.
            samples: latents drawn a row; the bound tightens as they grow.
            seed: of the latents.
        """
        fitted = self._fitted()
        table = read_table(data, Path(media_root) if media_root else None)
        seed = self.random_state if seed is None else seed
        parts = [
            fitted.model.log_prob(batch, RowNoise(seed, batch.rows), samples, chunk_size=10).cpu().numpy()
            for batch in each_batch(fitted.model, table)
        ]
        return np.concatenate(parts)

    def evaluate(
        self,
        data: Data,
        *,
        target: str | None = None,
        training: Data | None = None,
        bad_cells: Literal["error", "missing"] = "error",
        media_root: str | Path | None = None,
        seed: int | None = None,
        output: str | Path | None = None,
        overwrite: bool = False,
    ) -> Report:
        """Judge the model by rows that it was not fitted to; see `amodal.report.Report`.

        The report's one overall score, `report.summary.overall.value`, goes from 0 to 1. It is the mean of
        `fidelity`, how far generated cells come from a random baseline to real ones, column by column, and of
        `matching_accuracy`, what columns drawn from one another have of real rows' agreement beyond chance; where one
        of them cannot be had it is the other, and None where neither can.

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

        Raises:
            UsageError: the model has no such target, or `output` holds something else.
            DataError: a table has none of the model's columns, or cells that cannot be used.
        """
        inputs = [data, training, media_root]
        if output is not None:
            check_output_folder(output, "report", overwrite=overwrite, inputs=inputs)
        # Its libraries take a second to load, which no other call needs.
        from amodal.report import evaluate, write_evaluation

        root = Path(media_root) if media_root else None
        evaluation = evaluate(
            self._fitted(),
            read_table(data, root),
            training=None if training is None else read_table(training, root),
            target=target,
            seed=self.random_state if seed is None else seed,
            bad_cells=bad_cells,
        )
        if output is not None:
            with output_folder(output, "report", overwrite=overwrite, inputs=inputs) as folder:
                write_evaluation(evaluation, folder)
        return evaluation.report

    def features(self, data: Data, *, media_root: str | Path | None = None) -> pa.Table:
        """Vectors of each cell for other tools; needs no `fit`.

        Each column becomes what its representation says (`types={"photo": "image:patches"}`): the numbers that
        scikit-learn's and librosa's own calls give, and not those of a model.

        Args:
            data: the rows; see `fit`.
            media_root: the folder that paths in the table are relative to.

        Returns:
            A pyarrow table with one fixed-size list a column, null where a cell is missing. Its schema's metadata
            say under "amodal", in JSON, each column's type, representation, shape, unit and fitted state.

        Raises:
            UsageError: an unknown column or type.
            DataError: the table cannot be used; says which columns and rows.
        """
        table = read_table(data, Path(media_root) if media_root else None)
        modalities = infer_schema(table, MODALITIES, self.types, self.options).used
        vectors, self.bad_cells_ = feature_table(table, modalities, bad_cells=self.bad_cells)
        return vectors

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the model as a folder, of which `TableModel.load` makes the same model on any machine.

        Args:
            folder: where it goes; it is there whole or not at all.
            overwrite: replace a model that is there.

        Raises:
            UsageError: something is there that is no model, or a model, and `overwrite` is not given.
        """
        write_model(self._fitted(), Path(folder), overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "auto") -> Self:
        """Read what `save` wrote.

        Raises:
            DataError: there is no model, it is damaged, or a newer version wrote it.
        """
        fitted = read_model(Path(folder))
        model = cls(method=fitted.method, random_state=fitted.seed, device=device, **fitted.options)
        model._take(fitted)
        return model

    def _how(self, guidance: float | None, fast: bool) -> dict[str, Any]:
        """How cells are drawn, where it is not the model's own way."""
        how: dict[str, Any] = {}
        if guidance is not None:
            how["guidance"] = guidance
        if fast:
            how["fast"] = fast
        if how and not isinstance(self._fitted().model, LatentFlow):
            raise UsageError(
                f"A model of method {self.method!r} has no {' and no '.join(how)}: that is latent-flow's."
            )
        if guidance is not None and fast:
            raise UsageError(
                "Fast draws have learned one guidance, the model's: give guidance or fast, not both."
            )
        if guidance is not None and not 0.0 <= guidance < float("inf"):
            raise UsageError(f"guidance must be a number from 0 up, not {guidance}.")
        return how

    def _check_columns(self, names: Iterable[str]) -> None:
        used = self._fitted().schema.used
        unknown = [name for name in names if name not in used]
        if unknown:
            raise UsageError(f"The model has no column {unknown[0]!r}. Choose from {', '.join(used)}.")


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("There is no CUDA device here: use --device cpu or auto.")
    return torch.device(name)


def _finished(output: Path, state: Mapping[str, Any], settings: Mapping[str, Any]) -> FittedModel | None:
    """The model that is in a folder, where a run that is to be resumed made it and is at its end.

    Raises:
        UsageError: it was fitted to other data, or with other settings, and nothing is left to go on from.
    """
    if not holds_model(output):
        return None
    try:
        there = read_model(output)
    except DataError as problem:
        say(f"The model is fitted anew: {problem}")
        return None
    of_there = {
        "method": there.method,
        "seed": there.seed,
        "options": there.options,
        "data": there.fingerprint,
        **there.settings,
    }
    changed = differences(of_there, {**state, **(settings if there.settings else {})})
    if changed:
        raise UsageError(
            f"The model in {output} is finished, so that there is nothing to go on from, and differs in {changed}: "
            "give another place, or pass overwrite=True to fit it anew."
        )
    say(f"{output} is finished: it was fitted to the same data, with the same settings.")
    return there
