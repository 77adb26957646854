"""From an integer model to a circuit, in the cheapest of several formulations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from addrnn import _validation
from addrnn.fhe import _bounds, _tracing
from addrnn.fhe._bounds import IntArray
from addrnn.fhe._concrete import concrete
from addrnn.fhe._encrypted_model import EncryptedModel
from addrnn.fhe._encrypted_stream import EncryptedStream
from addrnn.layers import IntegerDense
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
        timesteps: Integer `T` from 1 to 10,000: the length of the sequences.
        input_range: The least and the greatest input integer, each a number or an array `[D]`. A
            narrower range makes narrower, cheaper look-up tables. `encrypt` refuses inputs outside.
            None for all that `model.inputs` allows.
        formulation: How the gate is written as look-up tables: `"shared_relu"`,
            `"clipped_candidate"`, `"accumulator_lookup"`, `"refreshed_state"` or
            `"truncated_sums"`. `"auto"` compiles those that differ for this model, some seconds
            each, and takes the cheapest.
        global_p_error: Upper bound of the probability that the result of one sequence differs from
            that of the integer model.
        show_progress: Whether each evaluation prints a progress bar on standard output.

    Returns:
        An `EncryptedModel`.

    Raises:
        ImportError: There is no concrete-python, or the process has TensorFlow.
        TypeError: An argument has the wrong type.
        ValueError: A value is not allowed, or the model takes look-up tables of more than 8 bits;
            the message names the layer. Or concrete-python knows no secure parameters for it.
    """
    timesteps = _validation.integer("timesteps", timesteps, 1, 10_000)
    input_bounds, global_p_error = _checked(model, input_range, formulation, global_p_error)
    configuration = _configuration(
        global_p_error, show_progress=show_progress, compress_input_ciphertexts=True
    )
    # The compiler wants a sample; `graph_processor` replaces its bounds by the proven ones.
    sample = np.array(np.broadcast_to(input_bounds[0], (timesteps, model.features)))

    def compiled(name: str) -> Any:
        def circuit(inputs: Any) -> Any:
            return _tracing.trace(model, inputs, input_bounds, name)

        return _compiled(
            concrete().Compiler(circuit, {"inputs": "encrypted"}), sample, configuration
        )

    return EncryptedModel(model, timesteps, input_bounds, *_cheapest(model, formulation, compiled))


def compile_stream(
    model: IntegerModel,
    max_timesteps: int,
    *,
    input_range: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    formulation: str = "auto",
    global_p_error: float = 1e-4,
) -> EncryptedStream:
    """Makes the TFHE circuit of one step of an integer model, for sequences of any length.

    Its state stays encrypted from one step to the next. Each step gives an output as well.

    Args:
        model: `addrnn.IntegerModel` of one recurrent layer, and an `IntegerDense` or not. The layer
            reads one input at a time, forwards, and has `return_sequences=False`.
        max_timesteps: Integer from 1 to 1,000,000, the greatest length of a sequence.
        input_range, formulation: As those of `compile`.
        global_p_error: Upper bound of the probability that any of so many steps goes wrong.

    Returns:
        An `EncryptedStream`.

    Raises:
        ImportError, TypeError, ValueError: As `compile`, or the model is not as described.
    """
    max_timesteps = _validation.integer("max_timesteps", max_timesteps, 1, 1_000_000)
    input_bounds, global_p_error = _checked(model, input_range, formulation, global_p_error)
    layer, *others = (each for each in model.layers if not isinstance(each, IntegerDense))
    window = getattr(layer, "kernel_size", 1)
    if others or layer.go_backwards or layer.return_sequences or window > 1:
        raise _validation.value_error(
            "model",
            "have one recurrent layer that reads one input at a time, forwards, and returns its "
            "last state (a stream answers after each step anyway)",
            repr(model),
            "Use `compile` for others, which takes whole sequences.",
        )
    configuration = _configuration(global_p_error / max_timesteps)
    sample = (
        np.array(np.broadcast_to(input_bounds[0], (model.features,))),
        np.zeros(layer.units, np.int64),
    )

    def compiled(name: str) -> Any:
        def circuit(inputs: Any, state: Any) -> Any:
            return _tracing.trace_step(model, inputs, state, input_bounds, name)

        parameters = {"inputs": "encrypted", "state": "encrypted"}
        compiler = concrete().Compiler(circuit, parameters, composition=_StateReturns())
        return _compiled(compiler, sample, configuration)

    cheapest = _cheapest(model, formulation, compiled)
    return EncryptedStream(model, 1, input_bounds, *cheapest, max_steps=max_timesteps)


class _StateReturns:
    """The composition of a stream: the state after a step is the second input of the next.

    concrete-python counts the outputs as they are returned when it assigns bits, and as they are
    made when it chooses parameters. So both outputs are declared, which is right either way.
    """

    def get_rules_iter(self, graphs: list[Any]) -> list[Any]:
        (step,) = graphs
        library = concrete()
        # Without a dense layer both are one value, which the library knows once.
        count = len({id(node) for node in step.output_nodes.values()})
        wires = [
            library.Wire(library.Output(step, at), library.Input(step, 1)) for at in range(count)
        ]
        return [rule for wire in wires for rule in wire.get_rules_iter(graphs)]


def _checked(
    model: IntegerModel,
    input_range: tuple[npt.ArrayLike, npt.ArrayLike] | None,
    formulation: str,
    global_p_error: float,
) -> tuple[tuple[IntArray, IntArray], float]:
    """The bounds of the inputs, and `global_p_error`, of arguments that are allowed."""
    if not isinstance(model, IntegerModel):
        expected = "be an IntegerModel, as keras_addrnn.quantization.quantize makes it"
        raise _validation.type_error("model", expected, type(model).__name__)
    global_p_error = _validation.finite("global_p_error", global_p_error)
    if not 0 < global_p_error < 1:
        raise _validation.value_error(
            "global_p_error", "be between 0 and 1, both excluded", repr(global_p_error)
        )
    _validation.one_of("formulation", formulation, ("auto", *_tracing.FORMULATIONS))
    return _input_bounds(model, input_range), global_p_error


def _configuration(global_p_error: float, **options: bool) -> Any:
    return concrete().Configuration(
        global_p_error=global_p_error,
        dump_artifacts_on_unexpected_failures=False,
        compress_evaluation_keys=True,
        additional_pre_processors=[_bounds.graph_processor()],
        **options,
    )


def _cheapest(
    model: IntegerModel, formulation: str, compiled: Callable[[str], Any]
) -> tuple[Any, str, dict[str, float]]:
    """The circuit with the lowest estimated cost, its formulation, and the costs of all."""
    names = _tracing.formulations(model) if formulation == "auto" else (formulation,)
    circuits = {name: compiled(name) for name in names}
    costs = {name: circuit.complexity for name, circuit in circuits.items()}
    cheapest = min(costs, key=lambda name: costs[name])
    return circuits[cheapest], cheapest, costs


def _compiled(compiler: Any, sample: Any, configuration: Any) -> Any:
    try:
        circuit = compiler.compile([sample], configuration)
    except RuntimeError as error:
        if "NoParametersFound" not in str(error):
            raise
        raise ValueError(
            "concrete-python knows no secure parameters for this circuit: its sums carry too much "
            "noise for tables this wide. Use fewer bits for inputs, weights or state, fewer "
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
            f"be two ends, each an integer or {model.features} integers, one for each feature",
            str(given),
        )
    low, high = (np.broadcast_to(end.astype(np.int64), (model.features,)) for end in ends)
    if (low < lowest).any() or (high > highest).any() or (low > high).any():
        raise _validation.value_error(
            "input_range",
            f"rise from low to high, and stay within {lowest} to {highest}, the model's inputs",
            str(given),
        )
    return low, high
