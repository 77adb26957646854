"""`model.export` to a SavedModel, and what it takes to run it elsewhere."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_addrnn as ka
from addrnn.gate import Gate
from tests.keras_addrnn.layers.common import assert_close, lively, sequences

SERVE = """
import sys
import numpy as np
import tensorflow as tf
{load_library}
model = tf.saved_model.load({model!r})
np.save({out!r}, model.serve(np.load({inputs!r})))
assert {imports_addrnn} == any(name.startswith(("addrnn", "keras_addrnn")) for name in sys.modules)
"""


def serve(path, x, load_library=""):
    """What the SavedModel makes of `x` in a fresh process."""
    np.save(path / "inputs.npy", x)
    code = SERVE.format(
        load_library=load_library,
        imports_addrnn=bool(load_library),
        model=str(path / "model"),
        inputs=str(path / "inputs.npy"),
        out=str(path / "out.npy"),
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    return np.load(path / "out.npy")


def export(path, *layers):
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.Masking(), *layers])
    model.export(path / "model", format="tf_saved_model", verbose=False)
    return model


def ops_of(path):
    """The names of all ops in the SavedModel, its functions included."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((path / "model" / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [node for function in graph.library.function for node in function.node_def]
    return {node.op for node in [*graph.node, *nodes]}


def masked_sequences():
    x = sequences()
    x[0, 3:] = x[1, :2] = x[2] = 0.0
    return x


def test_runs_where_this_package_is_not_imported(tmp_path):
    cell = keras.layers.RNN(ka.AddGRUCell(**lively(4)), return_sequences=True)
    both = keras.layers.Bidirectional(ka.AddGRU(**lively(5), return_sequences=True))
    last = ka.AddGRU(**lively(5), activation="tanh", state_max=1.0)
    x, model = masked_sequences(), export(tmp_path, cell, both, last)
    assert not [op for op in ops_of(tmp_path) if op.startswith("AddGru")]
    assert_close(serve(tmp_path, x), model.predict(x, verbose=0))


@pytest.mark.fused
def test_keeps_the_fused_op_where_that_is_demanded(tmp_path):
    layer = ka.AddGRU(**lively(5), implementation="fused")
    x, model = masked_sequences(), export(tmp_path, layer)
    assert [op for op in ops_of(tmp_path) if op.startswith("AddGru")]
    load_library = "import addrnn.tensorflow; addrnn.tensorflow.load_library()"
    assert_close(serve(tmp_path, x, load_library), model.predict(x, verbose=0))


@pytest.mark.fused
def test_training_goes_on_with_the_fused_op_after_an_export(tmp_path):
    from keras_addrnn.ops import _fused

    export(tmp_path, ka.AddGRU(4))
    assert _fused.why_not("float32", Gate()) is None
