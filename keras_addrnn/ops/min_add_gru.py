"""The recurrence whose gates read inputs alone, as a public function."""

from collections.abc import Callable
from typing import Any

import keras

from addrnn import _validation
from addrnn.window_sequence import WindowTensors
from keras_addrnn.ops import _arguments, _dispatch


def min_add_gru(
    inputs: Any,
    kernel: Any,
    bias: Any = None,
    initial_state: Any = None,
    mask: Any = None,
    initial_inputs: Any = None,
    *,
    activation: str | Callable | None = "relu",
    go_backwards: bool = False,
    implementation: str = "auto",
) -> tuple[Any, Any]:
    """An addition-gated recurrence whose gates read inputs alone, in parallel over time.

    With `w` the kernel's size, `u_t` the update gate and `c_t` the candidate,

        [u_t | z_t] = x_t @ kernel[w - 1] + ... + x_{t-w+1} @ kernel[0] + bias
        c_t = activation(z_t)
        h_t = max(h_{t-1} - relu(-u_t), relu(c_t - relu(u_t)))

    so the state fades where `u_t` is negative, and takes the candidate where that is larger. It is
    never negative. No state enters a product: all steps are computed at once.

    Args:
        inputs: Floating-point tensor `[B, T, D]`. `B` and `T` may be 0.
        kernel: Tensor `[w, D, 2H]`.
        bias: Tensor `[2H]`. None for zeros.
        initial_state: Tensor `[B, H]`. None for zeros. Negative values in it are taken for 0.
        mask: Boolean tensor `[B, T]`. At a step where it is False the state stays as it is, and is
            the output of that step too. Later steps read its inputs as zeros.
        initial_inputs: Tensor `[B, w - 1, D]`, the inputs before the first step, the oldest first,
            for a sequence that goes on. None for zeros.
        activation: Of the candidate. None (linear), a name in `keras.activations` or a callable;
            `"linear"`, `"relu"`, `"hard_tanh"` and `"tanh"` are those of the fused implementation.
        go_backwards: Whether to read inputs and mask from the last step to the first. The outputs
            are in the order of processing, and the steps before are those processed before.
        implementation: `"fused"` for the project's own op (an error where it cannot
            run), `"composed"` for plain Keras operations, `"auto"` for the fused one where it can.

    Returns:
        A tuple `(outputs, state)`: the states after each step `[B, T, H]`, and the last `[B, H]`.

    Raises:
        ValueError: A shape or a setting does not fit.
        TypeError: The tensors have different dtypes, or not a floating-point one.

    Example:

    >>> x = np.random.rand(32, 10, 8).astype("float32")
    >>> kernel = np.random.rand(3, 8, 2 * 4).astype("float32")
    >>> outputs, state = keras_addrnn.ops.min_add_gru(x, kernel)
    >>> outputs.shape, state.shape
    ((32, 10, 4), (32, 4))
    """
    tensors = WindowTensors(inputs, kernel, bias, initial_state, mask, initial_inputs)
    if any(isinstance(tensor, keras.KerasTensor) for tensor in tensors):
        return MinAddGruSequence(activation, go_backwards, implementation).symbolic_call(*tensors)
    return _dispatch.window_sequence(
        tensors,
        gate=_arguments.gate(activation),
        go_backwards=_validation.flag("go_backwards", go_backwards),
        implementation=_arguments.implementation(implementation),
    )


@keras.saving.register_keras_serializable(package="keras_addrnn")
class MinAddGruSequence(keras.Operation):
    """`min_add_gru` as a node of a functional model, which can then be saved."""

    def __init__(self, activation, go_backwards, implementation, name=None):
        super().__init__(name=name)
        self.gate = _arguments.gate(activation)
        self.go_backwards = _validation.flag("go_backwards", go_backwards)
        self.implementation = _arguments.implementation(implementation)

    def call(self, *tensors):
        return _dispatch.window_sequence(
            WindowTensors(*tensors),
            gate=self.gate,
            go_backwards=self.go_backwards,
            implementation=self.implementation,
        )

    def compute_output_spec(self, *tensors):
        given = _dispatch.as_tensors(WindowTensors(*tensors))
        _arguments.window_tensors(given)
        batch, time, _ = given.inputs.shape
        units = given.kernel.shape[-1] // 2
        return (
            keras.KerasTensor((batch, time, units), given.inputs.dtype),
            keras.KerasTensor((batch, units), given.inputs.dtype),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(keras.activations.get(self.gate.activation)),
            "go_backwards": self.go_backwards,
            "implementation": self.implementation,
        }
