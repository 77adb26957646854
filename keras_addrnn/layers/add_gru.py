"""The recurrence over whole sequences, used like `keras.layers.GRU`."""

from collections.abc import Callable

import keras

from addrnn import _validation
from keras_addrnn.layers import _common, _defaults, _input_scale
from keras_addrnn.layers.add_gru_cell import AddGRUCell
from keras_addrnn.ops import _arguments


def _of_the_cell(name):
    return property(lambda self: getattr(self.cell, name), doc=f"The cell's `{name}`.")


@keras.saving.register_keras_serializable(package="keras_addrnn")
class AddGRU(keras.layers.RNN):
    """Addition-gated recurrent unit (arXiv 2308.05629, section 3.1).

    Used like `keras.layers.GRU`, but for `recurrent_activation`, `reset_after` and `use_cudnn`,
    which raise a ValueError. The gate adds and takes ReLUs where that of a GRU multiplies and takes
    sigmoids:

        [u | z] = x_t @ kernel + h @ recurrent_kernel + bias
        c = activation(z)
        h = relu(h + state_shift - relu(-u)) + relu(c + state_shift - relu(u)) - state_shift

    and `h` is at most `state_max`. A large positive update gate `u` keeps the old state, a large
    negative one replaces it by the candidate `c`, and `u = 0` adds the two.

    The layer runs the project's own op where it can; `keras_addrnn.info()` tells whether and why.
    Everywhere else it runs the same recurrence composed of plain Keras operations.

    The weights are, in this order: `kernel` `[features, 2 * units]`, `recurrent_kernel`
    `[units, 2 * units]`, with `use_bias` the `bias` `[2 * units]`, and with `scale_inputs` the
    number `input_scale`. That one is not trained. It is -1 until a batch sets it, which counts as
    1. `set_weights` takes all of them.

    Args:
        units: Positive integer, the size of the state and of the output.
        activation: Activation of the candidate. None for linear. Default: `"relu"`. `"linear"`,
            `"relu"`, `"hard_tanh"` and `"tanh"` have a fused implementation.
        state_shift: Finite number of at least 0. The state is shifted by it inside the gate, so
            that it can be as low as `-state_shift`. Default: 0.
        state_max: Finite number above `-state_shift`, the upper bound of the state. Default:
            None, no bound.
        use_bias: Whether to add a bias. Default: True.
        kernel_initializer: Initializer of the `kernel` `[features, 2 * units]`. Default:
            `"glorot_uniform"`.
        recurrent_initializer: Initializer of the `recurrent_kernel` `[units, 2 * units]`. Default:
            `keras_addrnn.layers.InhibitedOrthogonal()`. With a GRU's `"orthogonal"` the state
            can explode (docs/explanation/defaults.md).
        bias_initializer: Initializer of the `bias` `[2 * units]`. Default: `"zeros"`.
            `keras_addrnn.layers.GateBias(-0.5)` begins by forgetting (docs/results/handwriting.md).
        kernel_regularizer: Regularizer of the `kernel`.
        recurrent_regularizer: Regularizer of the `recurrent_kernel`.
        bias_regularizer: Regularizer of the `bias`.
        activity_regularizer: Regularizer of the layer's output.
        kernel_constraint: Constraint on the `kernel`.
        recurrent_constraint: Constraint on the `recurrent_kernel`.
        bias_constraint: Constraint on the `bias`.
        dropout: Fraction of the inputs to drop in training, at least 0 and below 1; the same inputs
            at every step.
        recurrent_dropout: Fraction of the state to drop, in training, where it enters the matrix
            product. What the gate keeps of the state is never dropped. Trains the composed
            implementation.
        seed: Random seed of the dropout.
        return_sequences: Whether to return the outputs of all steps, or that of the last one.
        return_state: Whether to return the last state too.
        go_backwards: Whether to process the sequence from its end, and return it in that order.
        stateful: Whether to start each batch from the states that the one before ended with.
        unroll: Whether to write the steps out instead of looping (composed; short sequences only).
        zero_output_for_mask: Whether the output of a masked step is zero, and not the state that
            it leaves as it is.
        scale_inputs: Whether the first batch in training sets a factor of the inputs, 1 over their
            root mean square, and at most 100. The factor then stays: it is the weight
            `cell.input_scale`, which is not trained, and multiplies the kernel wherever the layer
            runs. Regularizers and constraints act on the kernel without it. The recurrence has no
            scale of its own, as a sigmoid has, and learns badly from inputs that are far too small
            (docs/explanation/defaults.md). Use False where you set the weights by hand. Default:
            True.
        implementation: `"fused"` for the project's own op (an error where it cannot
            run), `"composed"` for plain Keras operations, `"auto"` for the fused one where it can.

    Call arguments:
        sequences: Tensor `[batch, time, features]`. Batch and time may be unknown, or 0.
        initial_state: Tensor `[batch, units]`, or a list with it. Zeros by default.
        mask: Boolean tensor `[batch, time]`. Where it is False, the state stays as it is.
        training: Whether to apply dropout, and to set the factor of the inputs if none is set.

    Returns:
        The outputs `[batch, time, units]` with `return_sequences`, else the last state
        `[batch, units]`. With `return_state` the last state `[batch, units]` follows.

    Raises:
        ValueError: An argument has a value that is not allowed.
        TypeError: An argument is of the wrong type.

    Example:

    >>> inputs = np.random.random((32, 10, 8))
    >>> keras_addrnn.AddGRU(4)(inputs).shape
    (32, 4)
    >>> layer = keras_addrnn.AddGRU(4, return_sequences=True, return_state=True)
    >>> outputs, state = layer(inputs)
    >>> outputs.shape, state.shape
    ((32, 10, 4), (32, 4))
    """

    def __init__(
        self,
        units: int,
        activation: str | Callable | None = "relu",
        state_shift: float = 0.0,
        state_max: float | None = _defaults.STATE_MAX,
        use_bias: bool = True,
        kernel_initializer=_defaults.KERNEL_INITIALIZER,
        recurrent_initializer=_defaults.RECURRENT_INITIALIZER,
        bias_initializer=_defaults.BIAS_INITIALIZER,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        scale_inputs: bool = True,
        implementation: str = "auto",
        **kwargs,
    ) -> None:
        _arguments.refuse_those_of_gru(kwargs)
        cell = AddGRUCell(
            units,
            activation=activation,
            state_shift=state_shift,
            state_max=state_max,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            scale_inputs=scale_inputs,
            implementation=implementation,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="add_gru_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            zero_output_for_mask=zero_output_for_mask,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self._refuse_unrolled(implementation)

    units = _of_the_cell("units")
    gate = _of_the_cell("gate")
    activation = _of_the_cell("activation")
    state_shift = _of_the_cell("state_shift")
    state_max = _of_the_cell("state_max")
    use_bias = _of_the_cell("use_bias")
    kernel_initializer = _of_the_cell("kernel_initializer")
    recurrent_initializer = _of_the_cell("recurrent_initializer")
    bias_initializer = _of_the_cell("bias_initializer")
    kernel_regularizer = _of_the_cell("kernel_regularizer")
    recurrent_regularizer = _of_the_cell("recurrent_regularizer")
    bias_regularizer = _of_the_cell("bias_regularizer")
    kernel_constraint = _of_the_cell("kernel_constraint")
    recurrent_constraint = _of_the_cell("recurrent_constraint")
    bias_constraint = _of_the_cell("bias_constraint")
    dropout = _of_the_cell("dropout")
    recurrent_dropout = _of_the_cell("recurrent_dropout")
    seed = _of_the_cell("seed")
    scale_inputs = _of_the_cell("scale_inputs")

    @property
    def implementation(self):
        """The cell's `implementation`. Set it before the model is compiled, or compile anew."""
        return self.cell.implementation

    @implementation.setter
    def implementation(self, value):
        self._refuse_unrolled(value)
        self.cell.implementation = value

    def _refuse_unrolled(self, implementation):
        if self.unroll and implementation == "fused":
            raise ValueError(
                'implementation="fused" cannot be unrolled. Received: unroll=True. '
                'Use implementation="auto" or unroll=False.'
            )

    def build(self, sequences_shape, initial_state_shape=None):
        super().build(sequences_shape, initial_state_shape)
        # Another number of features is then refused by name, not as a kernel that does not fit.
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: self.cell.kernel.shape[0]})

    def call(self, sequences, initial_state=None, mask=None, training=False):
        # Instead of `RNN.call`, which looks at the first step of a sequence that may have none.
        if self.unroll and sequences.shape[1] is None:
            raise ValueError(
                "With unroll=True the number of steps must be known. Received: sequences with "
                f"shape={tuple(sequences.shape)}. Use unroll=False."
            )
        sequences = keras.ops.cast(sequences, self.compute_dtype)
        if self.scale_inputs and training and self.trainable:
            # The layer below may grow while the factor stays: in the thousands, training explodes.
            _input_scale.set_from(self.cell.input_scale, sequences, mask, largest=100.0)
        outputs, state = self.cell.sequence(
            sequences,
            self._first_state(sequences, initial_state),
            mask,
            go_backwards=bool(self.go_backwards),
            return_sequences=self.return_sequences,
            unroll=self.unroll,
            training=training,
        )
        if self.stateful:
            self.states[0].assign(state)

        result = outputs if self.return_sequences else state
        if self.zero_output_for_mask and mask is not None:
            result = _common.zero_masked(
                result,
                mask,
                go_backwards=self.go_backwards,
                return_sequences=self.return_sequences,
            )
        return (result, state) if self.return_state else result

    def _first_state(self, sequences, initial_state):
        """The state before the first step, `[B, H]`, or None for zeros."""
        if self.stateful:
            _common.check_batch(sequences.shape[0], self.states[0].shape[0])
        if initial_state is None:
            if not self.stateful:
                return None
            # A copy: PyTorch assigns the new state in place, but its gradient needs the old one.
            initial_state = keras.ops.copy(self.states[0])
        elif isinstance(initial_state, (list, tuple)):
            if len(initial_state) != 1:
                raise _validation.value_error(
                    "initial_state",
                    "be one tensor [batch, units] or a list with it",
                    f"{len(initial_state)} states",
                )
            initial_state = initial_state[0]
        return keras.ops.cast(initial_state, self.compute_dtype)

    def get_config(self):
        config = super().get_config()
        del config["cell"]
        cell_config = self.cell.get_config()
        for name in ("name", "trainable", "dtype"):
            del cell_config[name]
        activity_regularizer = keras.regularizers.serialize(self.activity_regularizer)
        return {**config, **cell_config, "activity_regularizer": activity_regularizer}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)
