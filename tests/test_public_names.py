from __future__ import annotations

import pytest

import amodal


@pytest.mark.parametrize("name", amodal.__all__)
def test_every_public_name_can_be_had(name: str) -> None:
    assert getattr(amodal, name) is not None


def test_an_earlier_name_warns_and_is_the_new_class() -> None:
    earlier = "DataProblem"
    with pytest.warns(DeprecationWarning, match="amodal.DataProblem is now amodal.DataError"):
        assert getattr(amodal, earlier) is amodal.DataError
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        amodal.Nothing  # noqa: B018
