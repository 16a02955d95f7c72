"""Size of an extension: a new fusion rule is one short file and an entry in METHODS, and keeps the contract."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from amodal import TableModel, methods
from tests.contracts import test_fusions as contract

RULE = '''
"""The mixture of the products of all experts but one."""
import torch
from amodal.fusions import MembershipTable
from amodal.models.vae import MultimodalVAE


class LeaveOneOut(MembershipTable):
    """Mixture of the products of all present experts but one."""

    def members(self, present):
        return present[:, None] & ~torch.eye(present.shape[1], dtype=torch.bool, device=present.device)


def leave_one_out_vae(modalities, **options):
    return MultimodalVAE(modalities, LeaveOneOut(prior_expert=False), **options)
'''
MAX_LINES = 15


def test_a_fusion_rule_is_one_file_and_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "leave_one_out.py"
    path.write_text(RULE, encoding="utf-8")
    assert len([line for line in RULE.splitlines() if line.strip()]) <= MAX_LINES

    spec = importlib.util.spec_from_file_location("leave_one_out", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    rule = module.LeaveOneOut(prior_expert=False)
    for keeps in (
        contract.test_missing_experts_have_no_effect_and_no_gradient_even_when_nan,
        contract.test_nothing_present_gives_the_prior,
        contract.test_the_order_of_columns_does_not_matter,
        contract.test_the_posterior_is_a_normalised_mixture,
        contract.test_draws_follow_the_posterior,
    ):
        keeps(rule)
    products = rule.members(torch.tensor([[True, False, True]]))[0]
    assert products.tolist() == [[False, False, True], [True, False, True], [True, False, False]]

    stages = methods.method_named("mopoe").stages
    entry = methods.Method("leave-one-out", "", "", module.leave_one_out_vae, stages)
    monkeypatch.setattr(methods, "METHODS", (*methods.METHODS, entry))
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=60)
    frame = pd.DataFrame({"a": hidden, "b": -hidden, "c": np.where(hidden > 0, "high", "low")})
    frame = frame.mask(rng.random(frame.shape) < 0.2).dropna(how="all")
    completed = TableModel("leave-one-out", epochs=2, latent=2).fit(frame).complete(frame)
    assert completed.notna().all().all()
    for name in frame:
        present = frame[name].notna()
        assert (
            completed.loc[present.to_numpy(), name].to_numpy() == frame.loc[present, name].to_numpy()
        ).all()
