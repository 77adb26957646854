"""The recurrence whose gates read inputs alone, used like `keras.layers.GRU`."""

from collections.abc import Callable

import keras

from addrnn import _validation
from addrnn.gate import Gate
from addrnn.window_sequence import WindowTensors
from keras_addrnn._keras_private import no_automatic_dependency_tracking
from keras_addrnn.layers import _common, _defaults, _input_scale
from keras_addrnn.ops import _arguments, _dispatch, _fused, _min_composed


@keras.saving.register_keras_serializable(package="keras_addrnn")
class MinAddGRU(keras.layers.Layer):
    """Addition-gated recurrent unit whose gates read inputs alone: parallel over time.

    It is used like `keras.layers.GRU`. The gates read the inputs of the last `kernel_size` steps,
    and no state, so that all steps are computed at once:

        [u | z] = x_t @ kernel[-1] + x_{t-1} @ kernel[-2] + ... + bias
        c = activation(z)
        h = max(h - relu(-u), relu(c - relu(u)))

    The state `h` is a maximum that fades. A negative update gate `u` lets it fade by `-u`, and a
    positive one keeps it and raises what the candidate `c` has to exceed. The state is never
    negative, and never above the larger of the initial state and the largest candidate: it cannot
    explode.

    One such layer is a fading maximum of what it read. Use two or more, with
    `keras.layers.LayerNormalization` between. A larger state never makes a later one smaller.
    So what has to be toggled or counted at each step is for `keras_addrnn.AddGRU`.

    The weights are, in this order: `kernel` `[kernel_size, features, 2 * units]`, with `use_bias`
    the `bias` `[2 * units]`, and with `scale_inputs` the number `input_scale`. That one is not
    trained. It is -1 until a batch sets it, which counts as 1. `set_weights` takes all of them.

    Args:
        units: Positive integer, the size of the state and of the output.
        kernel_size: Positive integer, the number of steps that the gates read: the step itself and
            those before it. Default: 3.
        activation: Activation of the candidate. None for linear. Default: `"relu"`. `"linear"`,
            `"relu"`, `"hard_tanh"` and `"tanh"` are those of the fused implementation.
        use_bias: Whether to add a bias. Default: True.
        kernel_initializer: Initializer of the `kernel` `[kernel_size, features, 2 * units]`.
            Default: `"glorot_uniform"`.
        bias_initializer: Initializer of the `bias` `[2 * units]`. Default: `"zeros"`.
        kernel_regularizer: Regularizer of the `kernel`.
        bias_regularizer: Regularizer of the `bias`.
        activity_regularizer: Regularizer of the layer's output.
        kernel_constraint: Constraint on the `kernel`.
        bias_constraint: Constraint on the `bias`.
        dropout: Fraction of the inputs to drop in training, at least 0 and below 1; the same inputs
            at every step.
        seed: Random seed of the dropout.
        return_sequences: Whether to return the outputs of all steps, or that of the last one.
        return_state: Whether to return the last states too.
        go_backwards: Whether to process the sequence from its end, and return it in that order.
        stateful: Whether to start each batch from the states that the one before ended with.
        zero_output_for_mask: Whether the output of a masked step is zero, and not the state that
            it leaves as it is.
        scale_inputs: Whether the first batch in training sets a factor of the inputs, 1 over their
            root mean square, and at most 1: large inputs become smaller. The factor then stays: it
            is the weight `input_scale`, which is not trained, and multiplies the kernel wherever
            the layer runs.
            Regularizers and constraints act on the kernel without it. Use False where you set the
            weights by hand. Default: True.
        implementation: `"fused"` for the project's own op (an error where it cannot
            run), `"composed"` for plain Keras operations, `"auto"` for the fused one where it can.

    Call arguments:
        sequences: Tensor `[batch, time, features]`. Batch and time may be unknown, or 0.
        initial_state: Tensor `[batch, units]`, or a list with it, or a list of it and the inputs
            before the first step, `[batch, kernel_size - 1, features]`, the oldest first: what
            `return_state` returns. Zeros by default, and where one is None. Negative numbers in the
            state are taken for 0.
        mask: Boolean tensor `[batch, time]`. Where it is False, the state stays as it is, and later
            steps read zeros.
        training: Whether to apply dropout, and to set the factor of the inputs if none is set.

    Returns:
        The outputs `[batch, time, units]` with `return_sequences`, else the last state
        `[batch, units]`. With `return_state` the last state follows, and, where `kernel_size` is
        above 1, the last inputs `[batch, kernel_size - 1, features]` in the order of processing.

    Raises:
        ValueError: An argument has a value that is not allowed.
        TypeError: An argument is of the wrong type.

    Example:

    >>> inputs = np.random.random((32, 10, 8))
    >>> keras_addrnn.MinAddGRU(4)(inputs).shape
    (32, 4)
    >>> layer = keras_addrnn.MinAddGRU(4, return_sequences=True, return_state=True)
    >>> outputs, state, last_inputs = layer(inputs)
    >>> outputs.shape, state.shape, last_inputs.shape
    ((32, 10, 4), (32, 4), (32, 2, 8))
    """

    def __init__(
        self,
        units: int,
        kernel_size: int = 3,
        activation: str | Callable | None = "relu",
        use_bias: bool = True,
        kernel_initializer=_defaults.KERNEL_INITIALIZER,
        bias_initializer=_defaults.BIAS_INITIALIZER,
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        scale_inputs: bool = True,
        implementation: str = "auto",
        **kwargs,
    ) -> None:
        _arguments.refuse_those_of_recurrent_weights(kwargs)
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = _validation.integer("units", units, 1)
        self.kernel_size = _validation.integer("kernel_size", kernel_size, 1)
        self.activation = keras.activations.get(_arguments.activation(activation))
        self.use_bias = _validation.flag("use_bias", use_bias)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = _validation.fraction("dropout", dropout)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed=seed)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.zero_output_for_mask = zero_output_for_mask
        self.scale_inputs = _validation.flag("scale_inputs", scale_inputs)
        self.implementation = implementation
        self.input_scale = None
        self.states = None
        self.supports_masking = True
        self.input_spec = keras.layers.InputSpec(ndim=3)

    @property
    def gate(self) -> Gate:
        """The settings of the gate: the `activation` alone."""
        # Of the attribute as it is now, which may have been set since: it is what is saved.
        return _arguments.gate(self.activation)

    @property
    def implementation(self):
        """Which implementation runs. Set it before the model is compiled, or compile anew."""
        return self._implementation

    @implementation.setter
    def implementation(self, value):
        self._implementation = _arguments.implementation(value)
        self.supports_jit = _fused.supports_jit(value)

    def build(self, sequences_shape, initial_state_shape=None):
        features = _common.known_features(sequences_shape)
        self.kernel = _common.add_weight(
            self, "kernel", (self.kernel_size, features, 2 * self.units)
        )
        self.bias = None
        if self.use_bias:
            self.bias = _common.add_weight(self, "bias", (2 * self.units,))
        if self.scale_inputs:
            self.input_scale = _input_scale.add_weight(self)
        if self.stateful:
            self._create_states(sequences_shape)
        # Another number of features is then refused by name, not as a kernel that does not fit.
        self.input_spec = keras.layers.InputSpec(ndim=3, axes={-1: features})

    @no_automatic_dependency_tracking
    def _create_states(self, sequences_shape):
        batch = sequences_shape[0]
        if batch is None:
            raise ValueError(
                "With stateful=True the batch size must be static. Received: sequences with "
                f"shape={tuple(sequences_shape)}. Give `batch_shape` or `batch_size` to the Input."
            )
        with keras.name_scope(self.name, caller=self):
            self.states = [
                keras.Variable(
                    keras.ops.zeros(shape), dtype=self.variable_dtype, trainable=False, name=name
                )
                for name, shape in zip(
                    ("state", "last_inputs"), self._state_shapes(sequences_shape), strict=False
                )
            ]

    def _state_shapes(self, sequences_shape):
        batch, _, features = sequences_shape
        shapes = [(batch, self.units), (batch, self.kernel_size - 1, features)]
        return shapes if self.kernel_size > 1 else shapes[:1]

    def call(self, sequences, initial_state=None, mask=None, training=False):
        sequences = keras.ops.cast(sequences, self.compute_dtype)
        if self.scale_inputs and training and self.trainable:
            # Gates that read no state need no larger inputs to get going.
            _input_scale.set_from(self.input_scale, sequences, mask, largest=1.0)
        initial_state, initial_inputs = self._first_states(sequences, initial_state)
        tensors = WindowTensors(
            sequences, self.scaled_kernel(), self.bias, initial_state, mask, initial_inputs
        )
        outputs, state = _dispatch.window_sequence(
            self._dropped(tensors) if training and self.dropout else tensors,
            gate=self.gate,
            go_backwards=bool(self.go_backwards),
            implementation=self.implementation,
            training=training,
            return_sequences=bool(self.return_sequences),
        )
        states = self._last_states(tensors, state) if self.stateful or self.return_state else ()
        if self.stateful:
            for variable, value in zip(self.states, states, strict=True):
                variable.assign(value)

        result = outputs if self.return_sequences else state
        if self.zero_output_for_mask and mask is not None:
            result = _common.zero_masked(
                result,
                mask,
                go_backwards=self.go_backwards,
                return_sequences=self.return_sequences,
            )
        return (result, *states) if self.return_state else result

    def scaled_kernel(self):
        """The kernel that the inputs meet: `kernel`, times the `input_scale`."""
        if self.input_scale is None:
            return self.kernel
        return _input_scale.times(self.kernel, self.input_scale)

    def _first_states(self, sequences, given):
        """The state and the inputs before the first step; None for zeros."""
        if self.stateful:
            _common.check_batch(sequences.shape[0], self.states[0].shape[0])
        if given is None:
            # Copies: PyTorch assigns the new states in place, but its gradient needs the old ones.
            given = [keras.ops.copy(state) for state in self.states or ()]
        elif not isinstance(given, (list, tuple)):
            given = [given]
        elif not 1 <= len(given) <= len(self._state_shapes(sequences.shape)):
            window = ", or with it and the last inputs [batch, kernel_size - 1, features]"
            raise _validation.value_error(
                "initial_state",
                "be one tensor [batch, units], or a list with it"
                + (window if self.kernel_size > 1 else ""),
                f"{len(given)} states",
            )
        given = [
            None if state is None else keras.ops.cast(state, self.compute_dtype) for state in given
        ]
        return (*given, None, None)[:2]

    def _dropped(self, tensors):
        """The tensors with the same inputs dropped at every step, and before the first."""
        batch, _, features = keras.ops.shape(tensors.inputs)
        kept = keras.random.dropout(
            keras.ops.ones((batch, 1, features), tensors.inputs.dtype),
            self.dropout,
            seed=self.seed_generator,
        )
        initial_inputs = tensors.initial_inputs
        if initial_inputs is not None:
            initial_inputs = initial_inputs * kept
        return tensors._replace(inputs=tensors.inputs * kept, initial_inputs=initial_inputs)

    def _last_states(self, tensors, state):
        """The states with which the sequence could go on."""
        if self.kernel_size == 1:
            return (state,)
        if tensors.mask is not None:
            tensors = tensors._replace(mask=keras.ops.cast(tensors.mask, "bool"))
        return state, _min_composed.last_inputs(tensors, go_backwards=self.go_backwards)

    def reset_state(self):
        """Makes the states that a stateful layer keeps zero."""
        for state in self.states or ():
            state.assign(keras.ops.zeros(state.shape, state.dtype))

    def reset_states(self):
        """`reset_state` by its older name."""
        self.reset_state()

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        batch, time, _ = sequences_shape
        shape = (batch, time, self.units) if self.return_sequences else (batch, self.units)
        return (shape, *self._state_shapes(sequences_shape)) if self.return_state else shape

    def compute_mask(self, sequences, mask=None):
        mask = keras.tree.flatten(mask)[0] if mask is not None else None
        mask = mask if self.return_sequences else None
        if not self.return_state:
            return mask
        return [mask] + [None] * (1 if self.kernel_size == 1 else 2)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_size": self.kernel_size,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **_common.config_of_weights(self, ("kernel", "bias")),
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            "dropout": self.dropout,
            "seed": self.seed,
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "zero_output_for_mask": self.zero_output_for_mask,
            "scale_inputs": self.scale_inputs,
            "implementation": self.implementation,
        }
