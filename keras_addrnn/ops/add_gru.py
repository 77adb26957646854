"""The recurrence as public functions, of tensors or of a functional model's symbolic ones."""

from collections.abc import Callable
from typing import Any

import keras

from addrnn import _validation
from addrnn.sequence import SequenceTensors
from keras_addrnn.ops import _arguments, _dispatch


def add_gru(
    inputs: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    initial_state: Any = None,
    mask: Any = None,
    *,
    activation: str | Callable | None = "relu",
    state_shift: float = 0.0,
    state_max: float | None = None,
    go_backwards: bool = False,
    implementation: str = "auto",
) -> tuple[Any, Any]:
    """An addition-gated recurrence over whole sequences (arXiv 2308.05629, section 3.1).

    With `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_t @ kernel + h_{t-1} @ recurrent_kernel + bias
        c_t = activation(z_t)
        h_t = relu(h_{t-1} + s - relu(-u_t)) + relu(c_t + s - relu(u_t)) - s

    where `s` is `state_shift`, and `h_t` is at most `state_max`.

    Args:
        inputs: Floating-point tensor `[B, T, D]`. `B` and `T` may be 0.
        kernel: Tensor `[D, 2H]`.
        recurrent_kernel: Tensor `[H, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        initial_state: Tensor `[B, H]`. None for zeros.
        mask: Boolean tensor `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too.
        activation: Of the candidate. None (linear), a name in `keras.activations` or a callable;
            `"linear"`, `"relu"`, `"hard_tanh"` and `"tanh"` have a fused implementation.
        state_shift: Finite number of at least 0, by which the state is shifted inside the gate. The
            state is never below `-state_shift`.
        state_max: Finite number above `-state_shift`, the upper bound of the state, or None.
        go_backwards: Whether to read inputs and mask from the last step to the first. The outputs
            are in the order of processing.
        implementation: `"fused"` for the project's own op (an error where it cannot
            run), `"composed"` for plain Keras operations, `"auto"` for the fused one where it can.

    Returns:
        A tuple `(outputs, state)`: the states after each step `[B, T, H]`, and the last `[B, H]`.

    Raises:
        ValueError: A shape or a setting does not fit.
        TypeError: The tensors have different dtypes, or not a floating-point one.

    Example:

    >>> x = np.random.rand(32, 10, 8).astype("float32")
    >>> kernel = np.random.rand(8, 2 * 4).astype("float32")
    >>> recurrent_kernel = np.zeros((4, 2 * 4), "float32")
    >>> outputs, state = keras_addrnn.ops.add_gru(x, kernel, recurrent_kernel)
    >>> outputs.shape, state.shape
    ((32, 10, 4), (32, 4))
    """
    tensors = SequenceTensors(inputs, kernel, recurrent_kernel, bias, initial_state, mask)
    if _any_symbolic(tensors):
        op = AddGruSequence(activation, state_shift, state_max, go_backwards, implementation)
        return op.symbolic_call(*tensors)
    return _dispatch.sequence(
        tensors,
        gate=_arguments.gate(activation, state_shift, state_max),
        go_backwards=_validation.flag("go_backwards", go_backwards),
        implementation=_arguments.implementation(implementation),
    )


def add_gru_step(
    inputs: Any,
    state: Any,
    kernel: Any,
    recurrent_kernel: Any,
    bias: Any = None,
    *,
    activation: str | Callable | None = "relu",
    state_shift: float = 0.0,
    state_max: float | None = None,
    implementation: str = "auto",
) -> Any:
    """One step of the recurrence that `add_gru` runs over a sequence.

    The formula is that of `add_gru`.

    Args:
        inputs: Floating-point tensor `[B, D]`. `B` may be 0.
        state: Tensor `[B, H]`, the state before the step.
        kernel: Tensor `[D, 2H]`.
        recurrent_kernel: Tensor `[H, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        activation, state_shift, state_max, implementation: As of `add_gru`.

    Returns:
        The state after the step, `[B, H]`.

    Raises:
        ValueError: A shape or a setting does not fit.
        TypeError: The tensors have different dtypes, or not a floating-point one.
    """
    tensors = SequenceTensors(inputs, kernel, recurrent_kernel, bias, state)
    if _any_symbolic(tensors):
        op = AddGruStep(activation, state_shift, state_max, implementation)
        return op.symbolic_call(inputs, state, kernel, recurrent_kernel, bias)
    return _dispatch.step(
        tensors,
        gate=_arguments.gate(activation, state_shift, state_max),
        implementation=_arguments.implementation(implementation),
    )


def _any_symbolic(tensors):
    return any(isinstance(tensor, keras.KerasTensor) for tensor in tensors)


class _AddGruOperation(keras.Operation):
    """Lets the functions above be called on `KerasTensor`s, and models made so be saved."""

    def __init__(self, activation, state_shift, state_max, implementation, name=None):
        super().__init__(name=name)
        self.gate = _arguments.gate(activation, state_shift, state_max)
        self.state_shift = float(state_shift)
        self.state_max = None if state_max is None else float(state_max)
        self.implementation = _arguments.implementation(implementation)

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(keras.activations.get(self.gate.activation)),
            "state_shift": self.state_shift,
            "state_max": self.state_max,
            "implementation": self.implementation,
        }


@keras.saving.register_keras_serializable(package="keras_addrnn")
class AddGruSequence(_AddGruOperation):
    """`add_gru` as a node of a functional model."""

    def __init__(self, activation, state_shift, state_max, go_backwards, implementation, name=None):
        super().__init__(activation, state_shift, state_max, implementation, name)
        self.go_backwards = _validation.flag("go_backwards", go_backwards)

    def call(self, *tensors):
        return _dispatch.sequence(
            SequenceTensors(*tensors),
            gate=self.gate,
            go_backwards=self.go_backwards,
            implementation=self.implementation,
        )

    def compute_output_spec(self, *tensors):
        given = _dispatch.as_tensors(SequenceTensors(*tensors))
        _arguments.tensors(given)
        batch, time, _ = given.inputs.shape
        units = given.recurrent_kernel.shape[0]
        return (
            keras.KerasTensor((batch, time, units), given.inputs.dtype),
            keras.KerasTensor((batch, units), given.inputs.dtype),
        )

    def get_config(self):
        return {**super().get_config(), "go_backwards": self.go_backwards}


@keras.saving.register_keras_serializable(package="keras_addrnn")
class AddGruStep(_AddGruOperation):
    """`add_gru_step` as a node of a functional model."""

    def call(self, inputs, state, *weights):
        return _dispatch.step(
            SequenceTensors(inputs, *weights, initial_state=state),
            gate=self.gate,
            implementation=self.implementation,
        )

    def compute_output_spec(self, inputs, state, *weights):
        given = _dispatch.as_tensors(SequenceTensors(inputs, *weights, initial_state=state))
        _arguments.tensors(given, one_step=True)
        shape = given.inputs.shape[0], given.recurrent_kernel.shape[0]
        return keras.KerasTensor(shape, given.inputs.dtype)
