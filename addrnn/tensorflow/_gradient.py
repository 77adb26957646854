"""The gradient of the fused op: a second op, which reads the bits that the forward pass kept."""

import functools
from typing import Any

import tensorflow as tf

from addrnn import _compiled_core


def register(ops: Any) -> None:
    """Tells TensorFlow the gradients of the ops of the library; once per process."""
    tf.RegisterGradient("AddGru")(functools.partial(gradient, ops))
    tf.RegisterGradient("MinAddGru")(functools.partial(min_gradient, ops))
    for name in ("AddGruGrad", "AddGruStepGrad", "MinAddGruGrad"):
        tf.RegisterGradient(name)(_no_second_gradient)


def gradient(
    ops: Any,
    op: Any,
    d_outputs: tf.Tensor,
    d_final_state: tf.Tensor,
    _d_reserve: Any,
    _d_candidates: Any,
) -> tuple[tf.Tensor | None, ...]:
    if op.inputs[0].shape.rank == 2:
        return _step_gradient(ops, op, d_outputs, d_final_state)
    inputs, kernel, recurrent_kernel, bias, initial_state, _ = op.inputs
    outputs, _, reserve, candidates = op.outputs
    attributes = {name: op.get_attr(name) for name in ("activation", "go_backwards")}
    with_d_inputs = not _without_d_inputs(op)
    if not op.get_attr("with_reserve"):
        # Without the bits that the forward pass keeps, it runs again.
        outputs, _, reserve, candidates = ops.add_gru(
            *op.inputs,
            **attributes,
            state_shift=op.get_attr("state_shift"),
            state_max=op.get_attr("state_max"),
            with_reserve=True,
        )
    d_inputs, d_kernel, d_recurrent_kernel, d_bias, d_initial_state = ops.add_gru_grad(
        inputs,
        kernel,
        recurrent_kernel,
        initial_state,
        outputs,
        reserve,
        candidates,
        d_outputs,
        d_final_state,
        **attributes,
        with_d_inputs=with_d_inputs,
    )
    # The op's shape function cannot know whether it computes this one.
    d_inputs.set_shape(inputs.shape if with_d_inputs else [0])
    return (
        d_inputs if with_d_inputs else None,
        d_kernel,
        d_recurrent_kernel,
        d_bias if _present(bias) else tf.zeros_like(bias),
        d_initial_state if _present(initial_state) else tf.zeros_like(initial_state),
        None,
    )


def _step_gradient(
    ops: Any, op: tf.Operation, d_outputs: tf.Tensor, d_final_state: tf.Tensor
) -> tuple[tf.Tensor | None, ...]:
    """The gradient of a single step, which keeps its reserve in any case.

    A loop adds up the weights' gradients step by step. TensorFlow's own products do that without
    packing the weights anew each time.
    """
    inputs, kernel, recurrent_kernel, bias, initial_state, _ = op.inputs
    _, _, reserve, candidates = op.outputs
    d_sums, d_state = ops.add_gru_step_grad(
        reserve, candidates, d_outputs, d_final_state, activation=op.get_attr("activation")
    )
    d_sums.set_shape([inputs.shape[0], kernel.shape[1]])
    d_inputs = None
    if not _without_d_inputs(op):
        d_inputs = _times_transposed(d_sums, kernel)
    d_recurrent_kernel, d_initial_state = map(tf.zeros_like, (recurrent_kernel, initial_state))
    if _present(initial_state):
        d_recurrent_kernel = tf.matmul(initial_state, d_sums, transpose_a=True)
        d_initial_state = d_state + _times_transposed(d_sums, recurrent_kernel)
    return (
        d_inputs,
        tf.matmul(inputs, d_sums, transpose_a=True),
        d_recurrent_kernel,
        tf.reduce_sum(d_sums, axis=0) if _present(bias) else tf.zeros_like(bias),
        d_initial_state,
        None,
    )


def min_gradient(
    ops: Any,
    op: Any,
    d_outputs: tf.Tensor,
    d_final_state: tf.Tensor,
    _d_reserve: Any,
    _d_candidates: Any,
) -> tuple[tf.Tensor | None, ...]:
    inputs, kernel, bias, initial_state, mask, initial_inputs = op.inputs
    _, _, reserve, candidates = op.outputs
    attributes = {name: op.get_attr(name) for name in ("activation", "go_backwards")}
    with_d_inputs = not _without_d_inputs(op)
    if not op.get_attr("with_reserve"):
        _, _, reserve, candidates = ops.min_add_gru(*op.inputs, **attributes, with_reserve=True)
    d_inputs, d_kernel, d_bias, d_initial_state, d_initial_inputs = ops.min_add_gru_grad(
        inputs,
        kernel,
        initial_state,
        mask,
        initial_inputs,
        reserve,
        candidates,
        d_outputs,
        d_final_state,
        **attributes,
        with_d_inputs=with_d_inputs,
    )
    d_inputs.set_shape(inputs.shape if with_d_inputs else [0])
    return (
        d_inputs if with_d_inputs else None,
        d_kernel,
        d_bias if _present(bias) else tf.zeros_like(bias),
        d_initial_state if _present(initial_state) else tf.zeros_like(initial_state),
        None,
        d_initial_inputs,
    )


def _times_transposed(few: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """`few @ transpose(weights)`, in the order in which TensorFlow packs the smaller matrix.

    With a batch of few rows the other order takes up to three times as long. With many, this one
    does up to twice.
    """
    if few.shape[0] is not None and few.shape[0] >= 256:
        return tf.matmul(few, weights, transpose_b=True)
    return tf.transpose(tf.matmul(weights, few, transpose_b=True))


def _no_second_gradient(*_: Any) -> None:
    raise NotImplementedError(_compiled_core.NO_SECOND_GRADIENT)


def _without_d_inputs(op: tf.Operation) -> bool:
    """Whether nobody wants the gradient of the inputs. A tape is told; `tf.gradients` is not."""
    return 0 in (getattr(op, "skip_input_indices", None) or ())


def _present(tensor: tf.Tensor) -> bool:
    """Whether an optional input was given: an absent one is a constant without elements."""
    return bool(tensor.shape.num_elements() != 0)
