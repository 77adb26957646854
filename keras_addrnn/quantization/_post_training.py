"""Post-training quantization: the scales that representative data suggests."""

import numpy as np

from addrnn import _validation, reference, weight_quantization
from addrnn.model import IntegerModel
from addrnn.quantization import Quantization
from keras_addrnn.quantization import _calibration, _keras_model

_SEQUENCES = 128  # of the data, to choose among them


def quantize_float_model(
    model, representative_data, *, weight_bits=8, state_bits=16, input_bits=8, rescale="shift"
):
    """As `quantize`, for a model that is not quantization-aware.

    Returns the share of clipped candidates too: a dict from each recurrent layer's name to the
    share of its candidates that integers clip at `state_max` and the layer does not.
    """
    weight_bits = _validation.integer("weight_bits", weight_bits, 2, 8)
    state_bits = _validation.integer("state_bits", state_bits, 2, 16)
    input_bits = _validation.integer("input_bits", input_bits, 1, 16)
    _validation.one_of("rescale", rescale, weight_quantization.RESCALES)
    layers = _keras_model.read(model)
    data = _calibration.checked(representative_data, layers[0].features)
    inputs = layer_inputs = Quantization.of_range(data.min(), data.max(), input_bits)
    sample = np.linspace(0, len(data) - 1, min(len(data), _SEQUENCES)).astype(int)
    integers = inputs.quantize(data[sample])
    made, clipped = [], {}
    for layer in layers:
        if isinstance(layer, _keras_model.Dense):
            made.append(
                weight_quantization.dense(
                    layer.kernel,
                    layer.bias,
                    inputs=layer_inputs,
                    weight_bits=weight_bits,
                    name=layer.name,
                )
            )
            break
        reals, candidates, clipped[layer.name] = _calibration.real_states(layer, data)
        best = _best_layer(
            layer,
            layer_inputs,
            integers,
            reals[sample],
            _calibration.state_choices(layer, reals, candidates, layer_inputs, state_bits),
            weight_bits=weight_bits,
            rescale=rescale,
        )
        made.append(best)
        integers, _ = reference.run_layer(best, integers)
        layer_inputs = Quantization(state_bits, best.state_scale)
        data = reals
    return IntegerModel(inputs, made), clipped


def _best_layer(layer, inputs, integers, reals, states, **settings):
    """The layer whose states are nearest to the real ones, `[N, T, H]`."""
    tried = []
    for state in states:
        made = layer.make_integer(
            *layer.weights,
            activation=layer.activation,
            inputs=inputs,
            state=state,
            name=layer.name,
            go_backwards=layer.go_backwards,
            return_sequences=layer.return_sequences,
            **settings,
        )
        outputs, last = reference.run_layer(made, integers)
        got, wanted = (outputs, reals) if layer.return_sequences else (last, reals[:, -1])
        error = float(np.square(got * made.state_scale - wanted).mean())
        tried.append((error, made))
    return min(tried, key=lambda pair: pair[0])[1]
