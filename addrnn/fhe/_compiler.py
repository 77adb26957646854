"""From an integer model to a circuit: the forms it can be written in, and the cheapest of them."""

import numpy as np

from addrnn import _validation
from addrnn.fhe import _network, _ranges
from addrnn.fhe._library import concrete
from addrnn.fhe._model import EncryptedModel
from addrnn.model import IntegerModel


def compile(
    model, timesteps, *, input_range=None, form="auto", global_p_error=1e-4, show_progress=False
):
    """Makes the TFHE circuit of an integer model, for sequences of one length.

    All ranges are proven from the weights and bounds of the model and from `input_range`, never
    taken from samples, so that no input allowed can leave what a look-up reads.

    Args:
        model: `addrnn.IntegerModel`.
        timesteps: Integer `T` of at least 1: the length of the sequences.
        input_range: The least and the greatest input integer, each a number or an array `[D]`,
            where the inputs never use all of their bits: narrower look-ups are cheaper. `encrypt`
            refuses what is outside. None for all that `model.inputs` allows.
        form: `"auto"` compiles the forms of `addrnn.fhe._network.FORMS` that differ for this
            model, some seconds each, and takes the one of the least estimated cost; or one of
            them.
        global_p_error: Upper bound of the probability that the result of one sequence is not that
            of the integer model.
        show_progress: Whether each evaluation prints a bar of its progress, on standard output.

    Returns:
        An `EncryptedModel`.

    Raises:
        ImportError: There is no concrete-python, or the process has TensorFlow.
        TypeError: An argument is not what it has to be.
        ValueError: A value is not allowed, or the model takes look-ups of more than 8 bits; the
            message names the layer.
    """
    if not isinstance(model, IntegerModel):
        raise TypeError(f"`model` must be an IntegerModel. Received: {model!r}")
    timesteps = _validation.integer("timesteps", timesteps, 1, 10_000)
    input_range = _input_range(model, input_range)
    if not 0 < global_p_error < 1:
        raise ValueError(
            f"`global_p_error` must be between 0 and 1, both excluded. Received: {global_p_error!r}"
        )
    possible = _network.forms(model)
    if form != "auto" and form not in _network.FORMS:
        raise ValueError(
            f"`form` must be 'auto' or one of {', '.join(_network.FORMS)}. Received: {form!r}"
        )
    concrete()  # so that where it is missing nothing else is blamed
    circuits = {
        name: _circuit(model, timesteps, input_range, name, global_p_error, show_progress)
        for name in (possible if form == "auto" else (form,))
    }
    costs = {name: circuit.complexity for name, circuit in circuits.items()}
    cheapest = min(costs, key=costs.get)
    return EncryptedModel(model, timesteps, input_range, circuits[cheapest], cheapest, costs)


def _circuit(model, timesteps, input_range, form, global_p_error, show_progress):
    def circuit(inputs):
        return _network.run(model, inputs, input_range, form)

    compiler = concrete().Compiler(circuit, {"inputs": "encrypted"})
    configuration = concrete().Configuration(
        global_p_error=global_p_error,
        show_progress=show_progress,
        dump_artifacts_on_unexpected_failures=False,
        compress_evaluation_keys=True,
        compress_input_ciphertexts=True,
        additional_pre_processors=[_ranges.processor()],
    )
    # One sample, since there has to be one; `ranges.processor` puts the proven ranges in its place.
    sample = np.broadcast_to(input_range[0], (timesteps, model.features))
    try:
        compiled = compiler.compile([np.array(sample)], configuration)
    except RuntimeError as error:
        if "NoParametersFound" not in str(error):
            raise
        raise ValueError(
            "concrete-python knows no secure parameters for this circuit: its sums carry too much "
            "noise for look-ups as wide. Use fewer bits for inputs, weights or state, fewer units "
            "or a larger `global_p_error`."
        ) from error
    _ranges.check_widths(compiled.graph)
    return compiled


def _input_range(model, given):
    least, greatest = model.inputs.range
    if given is None:
        given = least, greatest
    ends = []
    for name, end in zip(("least", "greatest"), given, strict=True):
        end = np.asarray(end)
        if end.dtype.kind not in "iu" or end.shape not in ((), (model.features,)):
            raise ValueError(
                f"The {name} of `input_range` must be an integer, or {model.features} of them. "
                f"Received: {end!r}"
            )
        ends.append(np.broadcast_to(end.astype(np.int64), (model.features,)))
    low, high = ends
    if (low < least).any() or (high > greatest).any() or (low > high).any():
        raise ValueError(
            f"`input_range` must go up, and stay within {least} to {greatest}, the inputs of the "
            f"model. Received: {given}"
        )
    return low, high
