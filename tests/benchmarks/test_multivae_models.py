"""Only where MultiVae is installed, which the environment of the tests need not have."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

pytestmark = [
    pytest.mark.skipif(find_spec("multivae") is None, reason="MultiVae is not installed"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory):
    from benchmarks.torchvision_operators import define_missing_operators

    define_missing_operators()
    from amodal.datasets.digits import make_digits
    from benchmarks.peer_table import peer_table

    folder: Path = tmp_path_factory.mktemp("peer") / "digits"
    make_digits(folder, rows=60, missing=0.2, seed=0)
    return peer_table(folder, ["image", "speech", "caption", "digit", "thickness"], 30, seed=0)


def test_likelihoods_of_texts_and_labels_are_those_of_amodal(table) -> None:
    from benchmarks.multivae_models import data_of, model_named

    torch.manual_seed(0)
    model = model_named("MVTCAE", table.modalities, scale=0.3)
    batch = table.judged
    z = torch.randn(len(batch), 64)
    for index, (column, modality) in enumerate(table.modalities.items()):
        decoder = model.decoders[column]
        scores = model.recon_log_probs[column](
            decoder(z).reconstruction, data_of(modality, batch, index, column)
        )
        if column in ("caption", "digit"):
            expected = decoder.network(z).log_prob(modality.scale(batch.x[column]))
            torch.testing.assert_close(scores.reshape(len(batch), -1).sum(1), expected, rtol=1e-4, atol=1e-4)
        else:
            assert scores.numel() == batch.x[column].numel()
        several = torch.stack([z, z])
        flat = decoder(several.flatten(0, 1)).reconstruction
        cells = data_of(modality, batch, index, column)
        twice = model.recon_log_probs[column](flat.view(2, len(batch), *flat.shape[1:]), cells)
        torch.testing.assert_close(twice[1], scores, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["MVAE", "MMVAE", "MoPoE", "MVTCAE", "JMVAE", "MMVAE+", "DMVAE"])
def test_every_model_trains_on_rows_with_holes_and_draws_cells(table, name: str) -> None:
    from benchmarks.multivae_models import train_peer

    peer, told = train_peer(name, table, 0.5, scale=0.3, rate=1e-3, seed=0)
    assert told["rows a second"] > 0
    assert told["training rows"] == (
        table.store.present[table.training].all(1).sum() if name == "JMVAE" else len(table.training)
    )
    assert all(parameter.isfinite().all() for parameter in peer.model.parameters())
    # The trained text decoder is the one that is scored and that draws.
    assert peer.model.recon_log_probs["caption"].__self__ is peer.model.decoders["caption"]
    for drawn in (
        peer.complete(("image",), ("caption", "digit", "thickness")),
        peer.complete(("speech", "caption"), ("image", "digit")),
    ):
        assert all(len(cells) == 30 for cells in drawn.values())
    assert set(peer.whole_rows()) == set(table.modalities)


def test_what_is_not_given_is_not_looked_at(table) -> None:
    from benchmarks.multivae_models import Peer, model_named

    torch.manual_seed(0)
    model = model_named("MoPoE", table.modalities, scale=0.3)
    draws = []
    for shuffled in (False, True):
        batch = table.judged
        if shuffled:
            order = torch.randperm(len(batch))
            others = {name: cells if name == "image" else cells[order] for name, cells in batch.x.items()}
            batch = type(batch)(others, batch.present, batch.rows)
        torch.manual_seed(1)
        other = type(table)(table.modalities, table.store, table.training, table.held_out, batch)
        draws.append(Peer(model, other, 0).complete(("image",), ("digit", "caption")))
    assert draws[0] == draws[1]
