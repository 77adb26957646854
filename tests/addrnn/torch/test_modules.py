"""`addrnn.torch.AddGRU` and `MinAddGRU`: used like `torch.nn.GRU`, and the same as in Keras."""

import copy
import io
import itertools
import pickle

import numpy as np
import pytest

from tests import min_reference, reference
from tests.support import needs_core

torch = pytest.importorskip("torch")

from torch.nn.utils import rnn  # noqa: E402

from addrnn.torch import AddGRU, MinAddGRU  # noqa: E402

pytestmark = needs_core

CLASSES = (AddGRU, MinAddGRU)
D, H = 3, 5


def make(cls, **settings):
    """A module whose biases and factors of the inputs are not those it begins with."""
    torch.manual_seed(0)
    module = cls(D, H, **settings)
    with torch.no_grad():
        for layer in module.layers:
            for parameter in layer.parameters():
                parameter += 0.3 * torch.randn_like(parameter)
            if layer.input_scale is not None:
                layer.input_scale.fill_(0.7)
    return module


def sequences(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def expected(module, x, hx=None, mask=None):
    """The reference's output and last states of inputs `[B, T, D]`, as the module has them."""
    x, last = x.double().numpy(), []
    directions = 2 if module.bidirectional else 1
    for first in range(0, len(module.layers), directions):
        outputs = []
        for direction in range(directions):
            layer = module.layers[first + direction]
            state = None if hx is None else hx[first + direction].double().numpy()
            arrays = {
                "kernel": layer.scaled_kernel(),
                "recurrent_kernel": getattr(layer, "recurrent_kernel", None),
                "bias": layer.bias,
            }
            arrays = {n: a.detach().double().numpy() for n, a in arrays.items() if a is not None}
            kind = reference.add_gru if isinstance(module, AddGRU) else min_reference.min_add_gru
            found = kind(x, **arrays, initial_state=state, mask=mask, go_backwards=direction == 1)
            outputs.append(found["outputs"][:, :: -1 if direction else 1])
            last.append(found["state"])
        x = np.concatenate(outputs, -1)
    return x, np.stack(last)


def assert_close(got, wanted, tolerance=1e-5):
    got = got.detach().double().numpy()
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


COMBINATIONS = [
    dict(zip(("num_layers", "bidirectional", "batch_first", "bias"), values, strict=True))
    for values in itertools.product((1, 2, 3), (False, True), (False, True), (False, True))
]


@pytest.mark.parametrize("settings", COMBINATIONS, ids=str)
@pytest.mark.parametrize("cls", CLASSES)
def test_shapes_are_those_of_a_gru_and_values_those_of_the_reference(cls, settings):
    module, gru = make(cls, **settings), torch.nn.GRU(D, H, **settings)
    batch_first = settings["batch_first"]
    for batch, steps, with_state in itertools.product((1, 4), (1, 7), (False, True)):
        x = sequences(batch, steps, D) if batch_first else sequences(steps, batch, D)
        state = sequences(len(module.layers), batch, H) if with_state else None
        got, wanted = module(x, state), gru(x, state)
        assert [t.shape for t in got] == [t.shape for t in wanted]
        output, last = expected(module, x if batch_first else x.transpose(0, 1), state)
        assert_close(got[0] if batch_first else got[0].transpose(0, 1), output)
        assert_close(got[1], last)

    x, state = sequences(7, D), sequences(len(module.layers), H)
    for hx in (None, state):
        got, wanted = module(x, hx), gru(x, hx)
        assert [t.shape for t in got] == [t.shape for t in wanted]
        output, last = expected(module, x[None], None if hx is None else hx[:, None])
        assert_close(got[0][None], output)
        assert_close(got[1][:, None], last)


@pytest.mark.parametrize("enforce_sorted", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cls", CLASSES)
def test_packed_sequences(cls, bidirectional, enforce_sorted):
    module = make(cls, bidirectional=bidirectional, num_layers=2)
    gru = torch.nn.GRU(D, H, bidirectional=bidirectional, num_layers=2)
    lengths = [7, 5, 5, 1] if enforce_sorted else [5, 1, 7, 5]
    x, hx = sequences(4, 7, D), sequences(len(module.layers), 4, H)
    packed = rnn.pack_padded_sequence(
        x, torch.tensor(lengths), batch_first=True, enforce_sorted=enforce_sorted
    )
    got, last = module(packed, hx)
    wanted, _ = gru(packed, hx)
    for one, other in zip(got[1:], wanted[1:], strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_array_equal(one, other)
    output, _ = rnn.pad_packed_sequence(got, batch_first=True)
    for row, length in enumerate(lengths):
        alone, state = expected(module, x[row : row + 1, :length], hx[:, row : row + 1])
        assert_close(output[row, :length], alone[0])
        assert_close(last[:, row], state[:, 0])
    assert gru(packed)[0].data.shape == module(packed)[0].data.shape


@pytest.mark.parametrize("cls", CLASSES)
def test_dropout_between_layers_in_training_alone(cls):
    module = make(cls, num_layers=2, dropout=0.5)
    x = sequences(4, 7, D)
    module.eval()
    assert_close(module(x)[0].transpose(0, 1), expected(module, x.transpose(0, 1))[0])
    module.train()
    torch.manual_seed(0)
    one, other = module(x)[0], module(x)[0]
    assert not torch.equal(one, other)
    single = make(cls, dropout=0.5)
    assert torch.equal(single(x)[0], single(x)[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("cls", CLASSES)
def test_dtypes(cls, dtype):
    module = cls(D, H, dtype=dtype, bidirectional=True)
    output, last = module(sequences(4, 6, D).to(dtype))
    assert output.dtype == last.dtype == dtype and output.isfinite().all()
    output.sum().backward()
    assert all(p.grad.dtype == dtype for p in module.parameters())


def state_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


@pytest.mark.parametrize("cls", CLASSES)
def test_state_dict_copies_and_pickles(cls, tmp_path):
    settings = {"num_layers": 2, "bidirectional": True, "activation": "tanh"}
    module, x = make(cls, **settings), sequences(6, 4, D)
    wanted = module(x)[0]
    other = cls(D, H, **settings)
    other.load_state_dict(state_of(module))
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    loaded = cls(D, H, **settings)
    loaded.load_state_dict(torch.load(buffer, weights_only=True))
    torch.save(module, tmp_path / "module.pt")
    saved = torch.load(tmp_path / "module.pt", weights_only=False)
    for each in (other, loaded, saved, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(each(x)[0], wanted)
    names = ["kernel", "recurrent_kernel", "bias", "input_scale"]
    if cls is MinAddGRU:
        names.remove("recurrent_kernel")
    assert list(module.layers[0].state_dict()) == names


@pytest.mark.parametrize("cls", CLASSES)
def test_begins_as_the_keras_layer_does(cls):
    torch.manual_seed(0)
    module = cls(40, 50, num_layers=2)
    for layer, features in zip(module.layers, (40, 50), strict=True):
        taps = 3 if cls is MinAddGRU else 1
        limit = np.sqrt(6 / (taps * (features + 100)))
        kernel = layer.kernel.detach()
        assert kernel.shape == ((3, features, 100) if cls is MinAddGRU else (features, 100))
        assert 0.95 * limit < kernel.abs().max() <= limit
        assert abs(kernel.std() - limit / np.sqrt(3)) < 0.03 * limit
        assert not layer.bias.any() and layer.input_scale == -1
        if cls is AddGRU:
            own = torch.cat([torch.zeros(50, 50), 0.5 * torch.eye(50)], -1)
            orthogonal = (layer.recurrent_kernel.detach() + own) / 0.1
            assert_close(orthogonal @ orthogonal.T, np.eye(50), 1e-4)


@pytest.mark.parametrize("cls, largest", [(AddGRU, 100.0), (MinAddGRU, 1.0)])
def test_first_batch_in_training_sets_the_factor_of_the_inputs(cls, largest):
    x = sequences(4, 6, D)
    for size, wanted in ((1e-4, largest), (5.0, None), (0.5, None)):
        module, inputs = cls(D, H, batch_first=True), size * x
        scale = module.layers[0].input_scale
        module.eval()(inputs)
        assert scale == -1
        module.train()(torch.zeros_like(inputs))
        module(torch.full_like(inputs, torch.inf))
        assert scale == -1
        module(inputs)
        factor = min(largest, 1 / float(inputs.square().mean().sqrt())) if not wanted else wanted
        assert float(scale) == pytest.approx(factor, rel=1e-5)
        module(3 * inputs)  # and it stays
        assert float(scale) == pytest.approx(factor, rel=1e-5)
        assert_close(module.eval()(inputs)[0], expected(module, inputs)[0])
    module = cls(D, H, scale_inputs=False)
    module(x)
    assert module.layers[0].input_scale is None


def test_padding_does_not_count_for_the_factor():
    x, lengths = sequences(2, 5, D), torch.tensor([5, 2])
    module = AddGRU(D, H)
    module(rnn.pack_padded_sequence(x, lengths, batch_first=True))
    seen = torch.cat([x[0], x[1, :2]])
    scale = float(module.layers[0].input_scale)
    assert scale == pytest.approx(1 / float(seen.square().mean().sqrt()), rel=1e-5)


def test_frozen_weights_leave_the_factor_alone():
    module = AddGRU(D, H).requires_grad_(False)
    module(sequences(4, 6, D))
    assert module.layers[0].input_scale == -1


def test_two_forward_passes_before_one_backward_pass():
    module, x = AddGRU(D, H), sequences(4, 6, D)
    (module(x)[0].sum() + module(2 * x)[0].sum()).backward()
    assert module.layers[0].kernel.grad.abs().max() > 0


@pytest.mark.parametrize("cls", CLASSES)
def test_learns(cls):
    torch.manual_seed(0)
    x = torch.rand(64, 8, 2)
    y = x[..., :1].sum(1)
    model, head = cls(2, 16, batch_first=True), torch.nn.Linear(16, 1)
    optimizer = torch.optim.Adam([*model.parameters(), *head.parameters()], 0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (head(model(x)[1][0]) - y).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize("settings", [{}, {"bias": False}, {"scale_inputs": False}])
@pytest.mark.parametrize("cls", CLASSES)
def test_weights_go_to_keras_and_back(cls, settings):
    import keras

    import keras_addrnn as ka

    renamed = {"use_bias" if name == "bias" else name: value for name, value in settings.items()}
    layer_class = getattr(ka, cls.__name__)
    settings = {**settings, "activation": "tanh"}
    layers = [
        keras.layers.Bidirectional(
            layer_class(H, return_sequences=True, activation="tanh", **renamed)
        )
        for _ in range(2)
    ]
    model = keras.Sequential([keras.Input((None, D)), *layers])
    x = sequences(4, 6, D)
    model(x.numpy(), training=True)  # sets the factors of the inputs
    parts = [part for layer in layers for part in (layer.forward_layer, layer.backward_layer)]
    weights = [weight for part in parts for weight in part.get_weights()]

    module = cls(D, H, num_layers=2, bidirectional=True, batch_first=True, **settings).eval()
    module.load_keras_weights(weights)
    assert_close(module(x)[0], keras.ops.convert_to_numpy(model(x.numpy())))
    for one, other in zip(module.keras_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)

    trained = make(cls, num_layers=2, bidirectional=True, batch_first=True, **settings).eval()
    arrays = trained.keras_weights()
    for index, part in enumerate(parts):
        count = len(arrays) // 4
        part.set_weights(arrays[index * count : (index + 1) * count])
    assert_close(trained(x)[0], keras.ops.convert_to_numpy(model(x.numpy())))


@pytest.mark.parametrize("cls", CLASSES)
def test_weights_of_16_bits_go_to_keras_as_float32(cls):
    module = cls(D, H, dtype=torch.bfloat16)
    arrays = module.keras_weights()
    assert {array.dtype.name for array in arrays} == {"float32"}
    module.load_keras_weights(arrays)
    for array, other in zip(arrays, module.keras_weights(), strict=True):
        np.testing.assert_array_equal(array, other)


def test_keras_weights_that_do_not_fit_are_refused():
    module = AddGRU(D, H)
    arrays = module.keras_weights()
    with pytest.raises(ValueError, match=r"`weights` must be 4 arrays, of shapes \[3, 10\].*3 arr"):
        module.load_keras_weights(arrays[:3])
    arrays[1] = arrays[1].T
    with pytest.raises(ValueError, match=r"`weights\[1\]` must have the shape \[5, 10\]"):
        module.load_keras_weights(arrays)


@pytest.mark.parametrize(
    "settings, error, message",
    [
        ({"input_size": 0}, ValueError, "`input_size` must be a positive integer"),
        ({"hidden_size": -1}, ValueError, "`hidden_size` must be a positive integer"),
        ({"hidden_size": 2.0}, TypeError, "`hidden_size` must be a positive integer"),
        ({"num_layers": 0}, ValueError, "`num_layers` must be a positive integer"),
        ({"dropout": 1.0}, ValueError, "`dropout` must be at least 0 and below 1"),
        ({"batch_first": 1}, TypeError, "`batch_first` must be True or False"),
        ({"activation": "gelu"}, ValueError, "`activation` must be one of"),
    ],
)
@pytest.mark.parametrize("cls", CLASSES)
def test_refuses_settings(cls, settings, error, message):
    with pytest.raises(error, match=message):
        cls(**{"input_size": D, "hidden_size": H, **settings})


def test_refuses_settings_of_the_gate():
    with pytest.raises(ValueError, match="`state_max` must be above"):
        AddGRU(D, H, state_max=-1.0)
    with pytest.raises(ValueError, match="`kernel_size` must be a positive integer"):
        MinAddGRU(D, H, kernel_size=0)


@pytest.mark.parametrize("cls", CLASSES)
def test_refuses_inputs(cls):
    module = cls(D, H, bidirectional=True)
    for shape in ((4, 6, D + 1), (D,), (1, 4, 6, D)):
        with pytest.raises(ValueError, match=r"`input` must have the shape \[time, batch, 3\]"):
            module(torch.zeros(shape))
    for shape in ((1, 4, H), (2, 3, H), (2, 4, H + 1), (2, H)):
        with pytest.raises(ValueError, match=r"`hx` must have the shape \[2, 4, 5\]"):
            module(torch.zeros(6, 4, D), torch.zeros(shape))
    with pytest.raises(TypeError, match="`kernel` must have the dtype of `inputs`, float64"):
        module(torch.zeros(6, 4, D).double())
    packed = rnn.pack_sequence([torch.zeros(3, D + 1)])
    with pytest.raises(ValueError, match="`input` must have the shape"):
        module(packed)


@pytest.mark.parametrize("cls", CLASSES)
def test_an_array_is_no_tensor(cls):
    with pytest.raises(TypeError, match="`input` must be a tensor or a PackedSequence.*ndarray"):
        cls(D, H)(np.ones((4, 6, D), np.float32))
