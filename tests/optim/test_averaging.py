"""The means, against NumPy and against torch's AveragedModel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from s2s_lit.errors import UserError
from s2s_lit.optim.averaging import ExponentialAveraging, LastCheckpoints, StochasticWeightAveraging, WeightAveraging

STEPS = [torch.randn(3, 2, generator=torch.Generator().manual_seed(n), dtype=torch.float64) for n in range(60)]
ARRAYS = np.stack([step.numpy() for step in STEPS])


def mean_of(averaging: WeightAveraging, steps: list[Tensor]) -> np.ndarray:
    for number, weight in enumerate(steps, 1):
        averaging.after_step({"w": weight})
        if number % 10 == 0:
            averaging.before_validation({"w": weight})
    return averaging.mean()["w"].numpy()


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_ema_is_a_weighted_mean(decay: float) -> None:
    shares = np.ones(1)
    for n in range(1, 60):
        d = min(decay, (1 + n) / (10 + n))
        shares = np.append(shares * d, 1 - d)
    assert shares.sum() == pytest.approx(1)
    expected = np.tensordot(shares, ARRAYS, axes=1)
    np.testing.assert_allclose(mean_of(ExponentialAveraging(60, decay=decay), STEPS), expected, rtol=1e-9)


@pytest.mark.parametrize(("start", "first"), [(0.5, 30), (0.75, 45), (0.001, 0)])
def test_swa_is_the_mean_from_its_start_on(start: float, first: int) -> None:
    averaging = StochasticWeightAveraging(60, start=start)
    np.testing.assert_allclose(mean_of(averaging, STEPS), ARRAYS[first:].mean(0), rtol=1e-9)


def test_swa_is_torchs() -> None:
    layer = nn.Linear(2, 3).double()
    torchs, ours = AveragedModel(layer), StochasticWeightAveraging(20, start=0.5)
    for step in range(20):
        with torch.no_grad():
            layer.weight.copy_(STEPS[step])
        ours.after_step(dict(layer.state_dict()))
        if step >= 10:
            torchs.update_parameters(layer)
    torch.testing.assert_close(ours.mean()["weight"], torchs.module.weight.detach(), rtol=1e-12, atol=1e-12)


def test_swa_has_no_mean_before_its_start() -> None:
    averaging = StochasticWeightAveraging(60, start=0.5)
    for weight in STEPS[:30]:
        averaging.after_step({"w": weight})
    assert averaging.mean() == {}


@pytest.mark.parametrize(("total", "start"), [(1, 0.9), (10, 0.99)])
def test_swa_averages_one_step_at_least(total: int, start: float) -> None:
    averaging = StochasticWeightAveraging(total, start=start)
    np.testing.assert_array_equal(mean_of(averaging, STEPS[:total]), ARRAYS[total - 1])


@pytest.mark.parametrize("count", [1, 3, 50])
def test_last_checkpoints_are_those_of_the_last_validations(count: int) -> None:
    kept = ARRAYS[9::10][-count:]
    np.testing.assert_allclose(mean_of(LastCheckpoints(60, count=count), STEPS), kept.mean(0), rtol=1e-12)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UserError, match=r"task\.averaging\.start"):
        StochasticWeightAveraging(10, start=3)
    with pytest.raises(UserError, match=r"task\.averaging\.decay"):
        ExponentialAveraging(10, decay=1.5)
    with pytest.raises(UserError, match=r"task\.averaging\.count"):
        LastCheckpoints(10, count=0)
