# SPDX-License-Identifier: BSD-3-Clause
"""Train a model with int8 in place, by torchao's PT2E flow. Imports torch."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterable
from dataclasses import replace
from operator import attrgetter
from typing import Any

import torch
from torch import nn
from torchao.quantization.pt2e import FakeQuantize
from torchao.quantization.pt2e.fake_quantize import FakeQuantizeBase
from torchao.quantization.pt2e.observer import (
    MovingAverageMinMaxObserver,
    MovingAveragePerChannelMinMaxObserver,
    PerChannelMinMaxObserver,
)
from torchao.quantization.pt2e.quantizer import QuantizationSpec
from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

from mcugen.base.errors import ConfigError, QuantizationError
from mcugen.base.explain import explain
from mcugen.base.quiet import quiet
from mcugen.export.calibration import Calibration
from mcugen.export.observers import ActivationObserver, least_weight_scales
from mcugen.export.prepared import captured_for, channels_last
from mcugen.export.quantization import DEFAULTS, QuantizationOptions
from mcugen.model.made import copied
from mcugen.model.source import ModelSource

#: What the author of a model may not expect of its figures.
NOTE = "trained with int8 in place: ranges are those of training, fidelity is to what was trained"


class _WeightObserver(MovingAveragePerChannelMinMaxObserver):  # type: ignore[misc]  # no types
    """Has the ranges of the weights as they are now, a row each; see PerChannelWeightObserver."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(averaging_constant=1.0, **kwargs)

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scales and zero points, one a row."""
        return least_weight_scales(*super().calculate_qparams())


class _ActivationObserver(MovingAverageMinMaxObserver):  # type: ignore[misc]
    """Follows ranges within some ten batches: torchao's hundred is as long as such a training."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(averaging_constant=0.1, **kwargs)


#: One object: torchao takes specifications for the same if their constructors are.
_ACTIVATIONS = FakeQuantize.with_args(observer=_ActivationObserver)


class QatModule(nn.Module):
    """A model whose weights and activations are rounded as int8 rounds them; `qat` makes it.

    Its parameters are trained like those of any module, on batches of the size it was made for. In
    training mode the ranges follow the data, in eval mode they stay. Batch norm is folded into the
    layers, and dropout is left out. Give it to mcugen in place of the model.
    """

    def __init__(self, graph: Any, single: Any, quantizer: Any, batch: int) -> None:
        super().__init__()
        self.graph = graph
        self.batch = batch
        self._others = (single, quantizer)  # a tuple: no part of the state, nor of the parameters
        self.train()

    def train(self, mode: bool = True) -> QatModule:
        """Let the ranges follow the data, or stay."""
        self.training = mode
        for each in _fakes(self.graph):
            each.enable_observer(mode)
        return self

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Return the outputs as int8 computes them; in training mode with gradients.

        Args:
            inputs: [batch, ...] each, as the module takes them.
        """
        return self.graph(*channels_last(inputs))

    def in_float(self) -> Trained:
        """Return the same weights as a model in float, for inputs like the example's."""
        return Trained(self, rounds=False)

    def single(self) -> tuple[Any, Any]:
        """Return the prepared graph for inputs like the example's, as trained, and its quantizer.

        Raises QuantizationError if nothing was trained.
        """
        graph, quantizer = self._others
        if not any(map(_has_seen, _fakes(self.graph))):
            raise QuantizationError(
                "the model was prepared for training, but no batch has gone through it",
                hint="Train it, or load_state_dict() what was trained.",
            )
        single = copied(graph)
        single.load_state_dict(self.graph.state_dict())
        _look_at_weights(single)
        return single, quantizer


class Trained(nn.Module):
    """What was trained with int8 in place, as it is now, for inputs like the example's.

    Args:
        trained: the model.
        rounds: computed as int8 does; else in float.
    """

    def __init__(self, trained: QatModule, *, rounds: bool) -> None:
        super().__init__()
        graph, _ = trained.single()
        for each in _fakes(graph):
            each.enable_fake_quant(rounds)
            each.disable_observer()
        self._inside = (trained, graph)  # a tuple: they have modes of their own
        self.eval()

    @property
    def trained(self) -> QatModule:
        """What was trained."""
        return self._inside[0]

    def forward(self, *inputs: torch.Tensor) -> Any:
        """Return the outputs of inputs like the example's."""
        return self._inside[1](*channels_last(inputs))


def qat(
    module: nn.Module,
    example_inputs: tuple[torch.Tensor, ...],
    *,
    batch: int = 1,
    calibration: Iterable[tuple[torch.Tensor, ...]] = (),
    options: QuantizationOptions = DEFAULTS,
) -> QatModule:
    """Return a trained model as a module to go on training with int8 in place.

    Quantized is what `mcugen build` quantizes, in the same way, by torchao's prepare_qat_pt2e:
    weights by row, activations by moving averages of their extremes.

    Args:
        module: in float, trained; it is put in eval mode.
        example_inputs: as the device takes them: tensors [1, ...].
        batch: samples at once in training; the first axis of every input is multiplied by it.
        calibration: some samples like example_inputs; needed where the model has masks in front of
            a softmax.
        options: layers that stay in float. Ranges come from training, whatever the method is.

    Raises QuantizationError if the model cannot be traced, or not with such a batch.
    """
    samples = tuple(calibration) or (example_inputs,)
    name = type(module).__name__
    module.eval()
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            single, quantizer = _prepared(name, module, example_inputs, samples, options)
            if batch == 1:
                return QatModule(copy.deepcopy(single), single, quantizer, batch)
            inputs = tuple(value.repeat_interleave(batch, 0) for value in example_inputs)
            many, _ = _prepared(name, module, inputs, (inputs,), options)
        except QuantizationError:
            raise
        except Exception as error:  # torch raises many types
            raise QuantizationError(f"{name}: {explain(error)}") from error
    if many.state_dict().keys() != single.state_dict().keys():
        raise QuantizationError(
            f"{name}: for {batch} samples at once it is another graph than for one",
            hint="Train with batch=1, and add up the gradients of several samples.",
        )
    return QatModule(many, single, quantizer, batch)


def refuse_options(name: str, options: QuantizationOptions) -> None:
    """Raise ConfigError for choices about ranges that a model has from its training."""
    options = replace(options, samples=None)
    if options.as_arguments:
        raise ConfigError(
            f"{options.as_arguments}: {name} was trained with int8 in place, and has its ranges",
            hint="Give them to mcugen.qat() as `options`.",
        )


def as_trained(module: nn.Module) -> nn.Module:
    """Return what a model is to be compared with: one that was trained with int8, with that."""
    return Trained(module.trained, rounds=True) if isinstance(module, Trained) else module


def prepared_by_training(module: Any) -> tuple[Any, Any] | None:
    """Return the prepared graph and the quantizer of a QatModule, in float or not; or None."""
    trained = module.trained if isinstance(module, Trained) else module
    return trained.single() if isinstance(trained, QatModule) else None


def _prepared(
    name: str,
    module: nn.Module,
    inputs: tuple[torch.Tensor, ...],
    samples: tuple[tuple[torch.Tensor, ...], ...],
    options: QuantizationOptions,
) -> tuple[Any, Any]:
    from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e
    from torchao.quantization.pt2e.utils import _fuse_conv_bn_, _fuse_linear_bn_

    from mcugen.export.quantizer import reporting_quantizer

    source = ModelSource(name, copy.deepcopy(module), inputs, None, None, "trained")
    graph = captured_for(source, Calibration(samples, "trained", False))
    # As prepare_pt2e does: what is trained is what the device computes.
    _fuse_conv_bn_(graph)
    _fuse_linear_bn_(graph)
    quantizer = reporting_quantizer(options, annotated=_round_in_training)
    return prepare_qat_pt2e(graph, quantizer), quantizer


def _round_in_training(model: Any) -> None:
    """Replace observers in a graph's annotations by ones that round, too."""
    made: dict[QuantizationSpec, QuantizationSpec] = {}

    def rounding(spec: Any) -> Any:
        if not isinstance(spec, QuantizationSpec):
            return spec  # shared, derived or fixed
        if spec not in made:
            made[spec] = replace(spec, observer_or_fake_quant_ctr=_fake_for(spec))
        return made[spec]

    for node in model.graph.nodes:
        annotation = node.meta.get(Q_ANNOTATION_KEY)
        if annotation is not None:
            annotation.input_qspec_map = {
                each: rounding(spec) for each, spec in annotation.input_qspec_map.items()
            }
            annotation.output_qspec = rounding(annotation.output_qspec)


def _fake_for(spec: QuantizationSpec) -> Any:
    observer: Any = spec.observer_or_fake_quant_ctr
    if observer is ActivationObserver:
        return _ACTIVATIONS
    if isinstance(observer, type) and issubclass(observer, PerChannelMinMaxObserver):
        return FakeQuantize.with_args(observer=_WeightObserver, ch_axis=spec.ch_axis)
    return FakeQuantize.with_args(observer=observer)


def _fakes(graph: nn.Module) -> list[FakeQuantizeBase]:
    return [each for each in graph.modules() if isinstance(each, FakeQuantizeBase)]


def _look_at_weights(graph: Any) -> None:
    """Take the ranges of the weights anew: the last step changed them after they were seen."""
    for node in graph.graph.nodes:
        if node.op == "call_module" and node.args[0].op == "get_attr":
            fake = graph.get_submodule(node.target)
            if isinstance(fake, FakeQuantizeBase):
                fake.enable_observer()
                fake(attrgetter(node.args[0].target)(graph).detach())


def _has_seen(fake: Any) -> bool:
    observer = fake.activation_post_process
    least = getattr(observer, "min_val", None)
    return least is None or (least.numel() > 0 and bool(torch.isfinite(least).all()))
