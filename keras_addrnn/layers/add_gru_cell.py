"""One step of the recurrence as a cell for `keras.layers.RNN`."""

from collections.abc import Callable

import keras

from addrnn import _validation
from addrnn.gate import Gate
from addrnn.sequence import SequenceTensors
from keras_addrnn._keras_private import DropoutRNNCell
from keras_addrnn.layers import _common, _defaults, _input_scale
from keras_addrnn.ops import _arguments, _dispatch, _fused


@keras.saving.register_keras_serializable(package="keras_addrnn")
class AddGRUCell(keras.layers.Layer, DropoutRNNCell):
    """One step of an addition-gated recurrent unit (arXiv 2308.05629, section 3.1).

    The state is kept or replaced by additions and ReLUs alone, without a sigmoid or a product:

        [u | z] = inputs @ kernel + state @ recurrent_kernel + bias
        c = activation(z)
        state = relu(state + state_shift - relu(-u)) + relu(c + state_shift - relu(u)) - state_shift

    This class processes one step, `keras_addrnn.AddGRU` a whole sequence. With the fused op AddGRU
    is faster than `keras.layers.RNN(AddGRUCell(...))`. Without it, both take about the same time.

    The weights are, in this order: `kernel`, `recurrent_kernel`, with `use_bias` the `bias`, and
    with `scale_inputs` the number `input_scale`.

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
        kernel_constraint: Constraint on the `kernel`.
        recurrent_constraint: Constraint on the `recurrent_kernel`.
        bias_constraint: Constraint on the `bias`.
        dropout: Fraction of the inputs to drop in training, at least 0 and below 1.
        recurrent_dropout: Fraction of the state to drop, in training, where it enters the matrix
            product. What the gate keeps of the state is never dropped.
        seed: Random seed of the dropout.
        scale_inputs: Whether to hold the weight `input_scale`, a factor of the kernel. AddGRU sets
            it by a batch of sequences. A cell sees one step only and leaves it at 1. Default:
            False.
        implementation: `"fused"` for the project's own op (an error where it cannot
            run), `"composed"` for plain Keras operations, `"auto"` for the fused one where it can.

    Call arguments:
        inputs: Tensor `[batch, features]`.
        states: The state `[batch, units]` before the step, or a list with it.
        training: Whether to apply dropout.

    Returns:
        A tuple: the state `[batch, units]` after the step, which is the output, and the same as
        the next `states`, a list where `states` was one.

    Raises:
        ValueError: An argument has a value that is not allowed.
        TypeError: An argument is of the wrong type.

    Example:

    >>> inputs = np.random.random((32, 10, 8))
    >>> rnn = keras.layers.RNN(keras_addrnn.AddGRUCell(4))
    >>> rnn(inputs).shape
    (32, 4)
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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        scale_inputs: bool = False,
        implementation: str = "auto",
        **kwargs,
    ) -> None:
        _arguments.refuse_those_of_gru(kwargs)
        super().__init__(**kwargs)
        self.units = _validation.integer("units", units, 1)
        gate = _arguments.gate(activation, state_shift, state_max)
        self.activation = keras.activations.get(gate.activation)
        self.state_shift = float(state_shift)
        self.state_max = None if state_max is None else float(state_max)
        self.use_bias = _validation.flag("use_bias", use_bias)
        self.scale_inputs = _validation.flag("scale_inputs", scale_inputs)

        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

        self.dropout = _validation.fraction("dropout", dropout)
        self.recurrent_dropout = _validation.fraction("recurrent_dropout", recurrent_dropout)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed=seed)

        self.implementation = implementation
        self.input_scale = None
        self.state_size = self.units
        self.output_size = self.units

    @property
    def gate(self) -> Gate:
        """The settings of the gate: `activation`, `state_shift` and `state_max`."""
        # Of the attributes as they are now, which may have been set since: they are what is saved.
        # What TensorFlow has compiled stays as it was, as with `implementation`.
        return _arguments.gate(self.activation, self.state_shift, self.state_max)

    @property
    def implementation(self):
        """Which implementation runs. Set it before the model is compiled, or compile anew."""
        return self._implementation

    @implementation.setter
    def implementation(self, value):
        value = _arguments.implementation(value)
        if self.recurrent_dropout and value == "fused":
            raise ValueError(
                'implementation="fused" knows no recurrent dropout. Received: recurrent_dropout='
                f'{self.recurrent_dropout}. Use implementation="auto" or recurrent_dropout=0.'
            )
        self._implementation = value
        self.supports_jit = _fused.supports_jit(value)

    def build(self, input_shape):
        features = _common.known_features(input_shape)
        self.kernel = _common.add_weight(self, "kernel", (features, 2 * self.units))
        self.recurrent_kernel = _common.add_weight(
            self, "recurrent_kernel", (self.units, 2 * self.units), "recurrent"
        )
        self.bias = None
        if self.use_bias:
            self.bias = _common.add_weight(self, "bias", (2 * self.units,))
        if self.scale_inputs:
            self.input_scale = _input_scale.add_weight(self)
        # Another number of features is then refused by name, not as a kernel that does not fit.
        self.input_spec = keras.layers.InputSpec(axes={-1: features})
        super().build(input_shape)

    def call(self, inputs, states, training=False):
        nested = isinstance(states, (list, tuple))
        state = states[0] if nested else states
        recurrent_dropout_mask = None
        if training:
            if self.dropout:
                inputs = inputs * self.get_dropout_mask(inputs)
            if self.recurrent_dropout:
                recurrent_dropout_mask = self.get_recurrent_dropout_mask(state)
        state = _dispatch.step(
            self._tensors(inputs, state),
            gate=self.gate,
            implementation=self.implementation,
            training=training,
            recurrent_dropout_mask=recurrent_dropout_mask,
        )
        return state, [state] if nested else state

    def sequence(
        self, inputs, initial_state, mask, *, go_backwards, return_sequences, unroll, training
    ):
        """The same as calling the cell on each step, in one loop.

        Args:
            inputs: `[B, T, D]`; with dropout, one mask serves all steps.
            initial_state: `[B, H]`, or None for zeros.
            mask: `[B, T]` or None.

        Returns:
            The states after each step, in the order of processing, `[B, T, H]`, and the last state
            `[B, H]`. Without `return_sequences` the former may be None.
        """
        recurrent_dropout_mask = None
        if training:
            if self.dropout:
                batch, _, features = keras.ops.shape(inputs)
                inputs = keras.random.dropout(
                    inputs, self.dropout, noise_shape=(batch, 1, features), seed=self.seed_generator
                )
            if self.recurrent_dropout:
                recurrent_dropout_mask = keras.random.dropout(
                    keras.ops.ones((keras.ops.shape(inputs)[0], self.units), inputs.dtype),
                    self.recurrent_dropout,
                    seed=self.seed_generator,
                )
        return _dispatch.sequence(
            self._tensors(inputs, initial_state, mask),
            gate=self.gate,
            go_backwards=go_backwards,
            implementation=self.implementation,
            training=training,
            return_sequences=return_sequences,
            unroll=unroll,
            recurrent_dropout_mask=recurrent_dropout_mask,
        )

    def scaled_kernel(self):
        """The kernel that the inputs meet, `[D, 2 * H]`: `kernel`, times the `input_scale`."""
        if self.input_scale is None:
            return self.kernel
        return _input_scale.times(self.kernel, self.input_scale)

    def _tensors(self, inputs, state, mask=None):
        kernel = self.scaled_kernel()
        return SequenceTensors(inputs, kernel, self.recurrent_kernel, self.bias, state, mask)

    def get_initial_state(self, batch_size=None):
        return [keras.ops.zeros((batch_size, self.units), dtype=self.compute_dtype)]

    def get_config(self):
        config = {
            "units": self.units,
            "activation": keras.activations.serialize(keras.activations.get(self.activation)),
            "state_shift": self.state_shift,
            "state_max": self.state_max,
            "use_bias": self.use_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
            "scale_inputs": self.scale_inputs,
            "implementation": self.implementation,
        }
        weights = _common.config_of_weights(self, ("kernel", "recurrent", "bias"))
        return {**super().get_config(), **config, **weights}
