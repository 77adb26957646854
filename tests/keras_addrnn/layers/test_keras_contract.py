"""Keras' own test of a layer: serialization, build, symbolic and real calls, training, dtypes."""

import keras
import pytest
from keras.src import testing

import keras_addrnn as ka

pytestmark = pytest.mark.backend_neutral


class LayerTest(testing.TestCase):
    def check(self, **init_kwargs):
        returned = init_kwargs.get("return_sequences", False)
        self.run_layer_test(
            ka.AddGRU,
            init_kwargs={"units": 3, **init_kwargs},
            input_shape=(3, 2, 4),
            expected_output_shape=(3, 2, 3) if returned else (3, 3),
            expected_num_trainable_weights=3 if init_kwargs.get("use_bias", True) else 2,
            expected_num_non_trainable_weights=1,  # the inputs' scale
            supports_masking=True,
        )

    def test_defaults(self):
        self.check()

    def test_sequences(self):
        self.check(return_sequences=True, go_backwards=True, activation="tanh", state_shift=0.5)

    def test_dropout(self):
        self.check(dropout=0.5)
        self.check(recurrent_dropout=0.5, state_max=2.0)

    def test_unrolled_without_bias(self):
        self.check(unroll=True, use_bias=False)

    def test_composed(self):
        self.check(implementation="composed", activation="gelu")

    def test_regularized(self):
        self.run_layer_test(
            ka.AddGRU,
            init_kwargs={"units": 3, "kernel_regularizer": "l2", "activity_regularizer": "l1"},
            input_shape=(3, 2, 4),
            expected_output_shape=(3, 3),
            expected_num_losses=2,
        )

    def test_cell(self):
        for init_kwargs in ({}, {"dropout": 0.5, "recurrent_dropout": 0.5}):
            self.run_layer_test(
                ka.AddGRUCell,
                init_kwargs={"units": 5, **init_kwargs},
                input_shape=(3, 2),
                call_kwargs={"states": [keras.ops.ones((3, 5))]},
                expected_num_trainable_weights=3,
                expected_num_non_trainable_weights=0,
                expected_num_non_trainable_variables=1,
                expected_num_seed_generators=1,
                supports_masking=False,
                # Neither of these checks passes the states on.
                run_training_check=False,
                run_mixed_precision_check=False,
            )
