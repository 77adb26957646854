"""From an integer model to a circuit, in the cheapest of several formulations."""

from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn.fhe import _bounds, _tracing
from addrnn.fhe._bounds import IntArray
from addrnn.fhe._concrete import concrete
from addrnn.fhe._encrypted_model import EncryptedModel
from addrnn.model import IntegerModel


def compile(
    model: IntegerModel,
    timesteps: int,
    *,
    input_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    formulation: str = "auto",
    global_p_error: float = 1e-4,
    show_progress: bool = False,
) -> EncryptedModel:
    """Makes the TFHE circuit of an integer model, for sequences of one length.

    The bounds of all values are proven from the weights and bounds of the model and from
    `input_range`, never taken from samples. So no allowed input can leave a look-up table.

    Args:
        model: `addrnn.IntegerModel`.
        timesteps: Integer `T` of at least 1: the length of the sequences.
        input_range: The least and the greatest input integer, each a number or an array `[D]`. A
            narrower range makes narrower, cheaper look-up tables. `encrypt` refuses inputs outside.
            None for all that `model.inputs` allows.
        formulation: How the gate is written as look-up tables: `"shared_relu"`,
            `"clipped_candidate"`, `"accumulator_lookup"` or `"refreshed_state"`. `"auto"` compiles
            those that differ for this model, some seconds each, and takes the cheapest.
        global_p_error: Upper bound of the probability that the result of one sequence differs from
            that of the integer model.
        show_progress: Whether each evaluation prints a progress bar on standard output.

    Returns:
        An `EncryptedModel`.

    Raises:
        ImportError: There is no concrete-python, or the process has TensorFlow.
        TypeError: An argument has the wrong type.
        ValueError: A value is not allowed, or the model takes look-up tables of more than 8 bits;
            the message names the layer.
    """
    if not isinstance(model, IntegerModel):
        raise _validation.type_error("model", "be an IntegerModel", repr(model))
    timesteps = _validation.integer("timesteps", timesteps, 1, 10_000)
    input_bounds = _input_bounds(model, input_range)
    global_p_error = _validation.finite("global_p_error", global_p_error)
    if not 0 < global_p_error < 1:
        raise _validation.value_error(
            "global_p_error", "be between 0 and 1, both excluded", repr(global_p_error)
        )
    _validation.one_of("formulation", formulation, ("auto", *_tracing.FORMULATIONS))
    configuration = concrete().Configuration(
        global_p_error=global_p_error,
        show_progress=show_progress,
        dump_artifacts_on_unexpected_failures=False,
        compress_evaluation_keys=True,
        compress_input_ciphertexts=True,
        additional_pre_processors=[_bounds.graph_processor()],
    )
    # The compiler wants a sample; `graph_processor` replaces its bounds by the proven ones.
    sample = np.array(np.broadcast_to(input_bounds[0], (timesteps, model.features)))

    def compiled(name: str) -> Any:
        def circuit(inputs: Any) -> Any:
            return _tracing.trace(model, inputs, input_bounds, name)

        return _compiled(
            concrete().Compiler(circuit, {"inputs": "encrypted"}), sample, configuration
        )

    names = _tracing.formulations(model) if formulation == "auto" else (formulation,)
    circuits = {name: compiled(name) for name in names}
    costs = {name: circuit.complexity for name, circuit in circuits.items()}
    cheapest = min(costs, key=lambda name: costs[name])
    return EncryptedModel(model, timesteps, input_bounds, circuits[cheapest], cheapest, costs)


def _compiled(compiler: Any, sample: IntArray, configuration: Any) -> Any:
    try:
        circuit = compiler.compile([sample], configuration)
    except RuntimeError as error:
        if "NoParametersFound" not in str(error):
            raise
        raise ValueError(
            "concrete-python knows no secure parameters for this circuit: its sums carry too much "
            "noise for look-up tables as wide. Use fewer bits for inputs, weights or state, fewer "
            "units or a larger `global_p_error`."
        ) from error
    _bounds.check_bit_widths(circuit.graph)
    return circuit


def _input_bounds(
    model: IntegerModel, given: tuple[npt.ArrayLike, npt.ArrayLike] | None
) -> tuple[IntArray, IntArray]:
    lowest, highest = model.inputs.range
    if given is None:
        given = lowest, highest
    ends = [np.asarray(end) for end in given]
    if len(ends) != 2 or not all(
        end.dtype.kind in "iu" and end.shape in ((), (model.features,)) for end in ends
    ):
        raise _validation.value_error(
            "input_range",
            f"hold two ends, each of which must be an integer, or {model.features} of them",
            str(given),
        )
    low, high = (np.broadcast_to(end.astype(np.int64), (model.features,)) for end in ends)
    if (low < lowest).any() or (high > highest).any() or (low > high).any():
        raise _validation.value_error(
            "input_range",
            f"go up, and stay within {lowest} to {highest}, the inputs of the model",
            str(given),
        )
    return low, high
