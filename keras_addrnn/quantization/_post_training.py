"""From a trained Keras model to an integer model, with the scales that some data suggests."""

import warnings

import numpy as np

from addrnn import _validation, reference, weight_quantization
from addrnn.model import IntegerModel
from addrnn.quantization import Quantization, StateQuantization

# The ranges of the state that are tried beside the full one, as fractions of the largest value that
# occurs: at few bits a finer step can be worth more than the rarest values.
_RANGE_FRACTIONS = (0.75, 0.5, 0.375, 0.25)
_SEQUENCES = 128  # of the data, to choose among them
_CLIPPED_SHARE = 0.01  # of all candidates, which may be clipped at state_max without a warning


def quantize(
    model,
    representative_data=None,
    *,
    weight_bits=None,
    state_bits=None,
    input_bits=None,
    rescale=None,
):
    """Makes an integer model of a trained Keras model.

    The layers must follow one another: one or more `AddGRU` or `RNN(AddGRUCell)` layers with
    `"relu"`, `"linear"` or `"hard_tanh"`, and a `Dense` layer after them or not. What does nothing
    in inference is skipped, as `Dropout`. A softmax or sigmoid at the end is left out: it does not
    change which output is the largest, or above 0 instead of one half.

    The data tells how far inputs and states reach; what later goes beyond saturates. For each layer
    a few ranges of the state are tried, and the one is taken with which the states are nearest to
    Keras' own. The same model and data give the same integers.

    In integers `state_max` bounds the candidate too, where a layer of real numbers bounds the new
    state alone. A model whose candidates go far beyond its `state_max` loses accuracy by that, and
    a warning says so; `quantization_aware` trains with it.

    Args:
        model: Built `keras.Model` with one input `[batch, time, features]`. One that
            `quantization_aware` made gives the integers that it has been trained with; ranges and
            bits are its own, and no argument for them may be given.
        representative_data: Real numbers `[N, T, D]`, what the model will be used on; some hundred
            sequences are enough. A quantization-aware model needs none.
        weight_bits: Integer from 2 to 8. Default: 8.
        state_bits: Integer from 2 to 16. Default: 16.
        input_bits: Integer from 1 to 16. Default: 8.
        rescale: `"shift"` if a rounding shift brings each accumulator to the state's scale:
            weights have steps that are powers of two. `"multiplier"` for a multiplication before
            the shift: weights have the finest steps. Default: `"shift"`.

    Returns:
        An `IntegerModel`.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument has a value that is not allowed, or the model holds something that
            has no integer form; the message says what to do.

    Example:

    >>> integers = keras_addrnn.quantization.quantize(model, x_train[:500])
    >>> classes = integers.predict(x_test).argmax(-1)
    """
    from keras_addrnn.quantization import _quantization_aware

    given = {
        "weight_bits": weight_bits,
        "state_bits": state_bits,
        "input_bits": input_bits,
        "rescale": rescale,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if _quantization_aware.is_aware(model):
        for name, value in given.items():
            raise _validation.value_error(
                name,
                f"be left out: model '{model.name}' is quantization-aware, and has the bits that "
                "it was trained with",
                f"{name}={value!r}",
            )
        return _quantization_aware.integer_model(model)
    integers, clipped = quantize_float_model(model, representative_data, **given)
    for name, share in clipped.items():
        if share > _CLIPPED_SHARE:
            warnings.warn(
                "In integers `state_max` bounds the candidates too, which changes "
                f"{share:.0%} of those of layer '{name}'. Train it with "
                "keras_addrnn.quantization.quantization_aware, or with a larger `state_max`.",
                stacklevel=2,
            )
    return integers


def quantize_float_model(
    model, representative_data, *, weight_bits=8, state_bits=16, input_bits=8, rescale="shift"
):
    """What `quantize` makes of a model that is not quantization-aware.

    Returns:
        The `IntegerModel`, and a dict from each recurrent layer's name to the share of
        its candidates that integers clip at `state_max` and the layer does not.
    """
    from keras_addrnn.quantization import _keras_model  # which imports Keras

    weight_bits = _validation.integer("weight_bits", weight_bits, 2, 8)
    state_bits = _validation.integer("state_bits", state_bits, 2, 16)
    input_bits = _validation.integer("input_bits", input_bits, 1, 16)
    _validation.one_of("rescale", rescale, weight_quantization.RESCALES)
    layers = _keras_model.read(model)
    data = _checked(representative_data, layers[0].kernel.shape[0])
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
        reals, candidates, clipped[layer.name] = _reals(layer, data)
        best = _best_layer(
            layer,
            layer_inputs,
            integers,
            reals[sample],
            _calibrations(layer, reals, candidates, layer_inputs, state_bits),
            weight_bits=weight_bits,
            rescale=rescale,
        )
        made.append(best)
        integers, _ = reference.run_layer(best, integers)
        layer_inputs = Quantization(state_bits, best.state_scale)
        data = reals
    return IntegerModel(inputs, made), clipped


def _checked(data, features):
    name = "representative_data"
    if data is None:
        raise _validation.type_error(
            name,
            "be given: only a quantization-aware model holds the ranges of its numbers already",
            "None",
        )
    try:
        given = np.asarray(data)
        if given.dtype.kind not in "biufV":  # of V are bfloat16 and its kin
            raise TypeError
        data = given.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise _validation.type_error(
            name,
            "be an array of real numbers [N, T, D]",
            getattr(data, "dtype", type(data).__name__),
        ) from error
    if data.ndim != 3 or data.shape[-1] != features or not data.size:
        raise _validation.value_error(
            name,
            f"have the shape [N, T, {features}], with at least one sequence and one step",
            f"shape={data.shape}",
        )
    if not np.isfinite(data).all():
        raise _validation.value_error(name, "be finite", "NaN or infinity")
    return data


def _reals(layer, data):
    """Keras' own states and candidates after each step, float32 `[N, T, H]`; the share clipped."""
    import keras

    from keras_addrnn import ops

    tensors = [
        None if value is None else keras.ops.convert_to_tensor(value)
        for value in (data, layer.kernel, layer.recurrent_kernel, layer.bias)
    ]
    outputs, _ = ops.add_gru(
        *tensors,
        activation=layer.activation,
        state_shift=layer.state_shift,
        state_max=layer.state_max,
        go_backwards=layer.go_backwards,
    )
    outputs = keras.ops.convert_to_numpy(outputs)
    if not np.isfinite(outputs).all():
        raise _validation.value_error(
            "representative_data",
            f"give finite states: those of layer '{layer.name}' are not finite on it",
            "NaN or infinity",
            "Train it with state_max, or give data like that it was trained on.",
        )
    units = layer.recurrent_kernel.shape[0]
    before = np.concatenate([np.zeros_like(outputs[:, :1]), outputs[:, :-1]], axis=1)
    order = data[:, ::-1] if layer.go_backwards else data
    sums = order @ layer.kernel + before @ layer.recurrent_kernel
    if layer.bias is not None:
        sums = sums + layer.bias
    activation = keras.activations.get(layer.activation)
    candidates = activation(keras.ops.convert_to_tensor(sums[..., units:]))
    candidates = keras.ops.convert_to_numpy(candidates)
    return outputs, candidates, _clipped_share(layer, sums[..., :units], candidates)


def _clipped_share(layer, update, candidates):
    """The share of the candidates that makes a difference above `state_max`."""
    if layer.state_max is None:
        return 0.0
    # Where the update gate takes nothing away, the new state is clipped at `state_max` anyway.
    return np.mean((candidates > layer.state_max) & (update > 0))


def _calibrations(layer, states, candidates, inputs, bits):
    """The `StateQuantization`s to choose from, the one of the widest range first."""
    largest = float(max(states.max(), candidates.max()))
    if layer.state_max is not None:
        largest = min(largest, layer.state_max)
    largest = largest if largest > 0 else 1.0
    bounds = layer.state_shift, layer.state_max
    full = StateQuantization.of_range(largest, bits, *bounds)
    # A scale that is the inputs' times a power of two adds up inputs without rounding them.
    scale = inputs.scale * 2.0 ** np.ceil(np.log2(full.scale / inputs.scale))
    exact = StateQuantization.of_scale(scale, bits, *bounds)
    finer = [
        StateQuantization.of_range(fraction * largest, bits, *bounds)
        for fraction in _RANGE_FRACTIONS
    ]
    return [full, exact, *finer]


def _best_layer(layer, inputs, integers, reals, calibrations, **settings):
    """The layer whose states are nearest to the real ones, `[N, T, H]`."""
    best = None
    for state in calibrations:
        made = weight_quantization.add_gru(
            layer.kernel,
            layer.recurrent_kernel,
            layer.bias,
            activation=layer.activation,
            inputs=inputs,
            state=state,
            name=layer.name,
            go_backwards=layer.go_backwards,
            return_sequences=layer.return_sequences,
            **settings,
        )
        outputs, last = reference.run_layer(made, integers)
        error = _error(outputs, reals, made.state_scale)
        if not layer.return_sequences:
            error = _error(last, reals[:, -1], made.state_scale)
        if best is None or error < best[0]:
            best = error, made
    return best[1]


def _error(integers, reals, scale):
    return float(np.square(integers * scale - reals).mean())
