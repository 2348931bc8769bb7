"""From a configuration to its parts."""

from dataclasses import asdict

import pytest
import torch

from metalab.core.errors import UserError
from metalab.core.hypergradient.reptile import Reptile
from metalab.core.inner_schedule import InnerSchedule
from metalab.core.outer import SGD, Adam
from metalab.engine import build
from metalab.engine.build import (
    DeviceError,
    available_devices,
    build_family,
    build_learner,
    resolve_device,
)
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides


def test_every_setting_arrives_where_it_belongs():
    config = with_overrides(
        preset_config("reptile-sine"),
        [("outer.clip_norm", 3.0), ("tasks.family.noise_std", 0.1)],
    )
    learner = build_learner(config)
    assert asdict(learner.inner) == {
        "num_inner_steps": 5,
        "inner_lr": 0.02,
        "momentum": 0.0,
        "inner_batch_size": 10,
        "inner_clamp": 0.0,
        "inner_clip_norm": 0.0,
        "inner_weight_decay": 0.0,
    }
    assert learner.hypergradient == Reptile()
    assert learner.outer == SGD(outer_lr=0.1)
    assert (learner.num_steps, learner.schedule) == (30_000, "linear")
    assert learner.clip_norm == 3.0
    assert learner.problem.model.layer_sizes == (1, 64, 64, 1)
    assert learner.problem.model.activation == "tanh"
    assert build_family(config).noise == 0.1


def test_the_outer_loss_and_extra_inputs_arrive_too():
    config = with_overrides(
        preset_config("maml-plus-plus-sine"), [("outer.first_order_steps", 7)]
    )
    learner = build_learner(config)
    assert asdict(learner.objective) == {"loss": "multi-step", "annealing_steps": 3_000}
    assert learner.first_order_steps == 7
    context = build_learner(preset_config("cavia-sine"))
    assert context.problem.model.layer_sizes == (1 + 5, 40, 40, 1)


def test_warm_up_decay_and_the_inner_ramp_arrive_too():
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.optimizer.weight_decay", 0.01),
            ("outer.warmup_steps", 40),
            ("inner.num_inner_steps", 5),
            ("outer.inner_ramp_steps", 30),
            ("outer.inner_lr_start_factor", 0.1),
            ("outer.num_inner_steps_start", 2),
        ],
    )
    learner = build_learner(config)
    assert learner.outer == Adam(outer_lr=0.001, weight_decay=0.01)
    assert learner.warmup_steps == 40
    assert learner.inner_schedule == InnerSchedule(
        ramp_steps=30, lr_start_factor=0.1, num_steps_start=2
    )


def having(monkeypatch, *devices):
    monkeypatch.setattr(build, "available_devices", lambda: (*devices, "cpu"))


def on(device, precision="float32"):
    return with_overrides(
        ExperimentConfig(), [("run.device", device), ("run.precision", precision)]
    )


def test_the_processor_is_always_there():
    assert available_devices()[-1] == "cpu"
    assert resolve_device(on("cpu")) == torch.device("cpu")


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_auto_takes_the_accelerator(monkeypatch, device):
    having(monkeypatch, device)
    assert resolve_device(on("auto")) == torch.device(device)
    assert resolve_device(on(device)) == torch.device(device)
    assert resolve_device(on("cpu")) == torch.device("cpu")


def test_auto_passes_over_mps_for_float64(monkeypatch):
    having(monkeypatch, "mps")
    assert resolve_device(on("auto", "float64")) == torch.device("cpu")


def test_a_device_that_is_not_there_is_named_with_those_that_are(monkeypatch):
    having(monkeypatch)
    with pytest.raises(DeviceError) as caught:
        resolve_device(on("cuda"))
    assert str(caught.value) == "run.device is 'cuda'; allowed here: auto, cpu"
    assert isinstance(caught.value, UserError)
