"""AddGRU and MinAddGRU beside cuDNN's GRU and LSTM, on a GPU with CUDA.

Long sequences, few and many rows, float32 and bfloat16. Our layers run as Keras operations on
PyTorch, as they are and compiled, and on JAX, compiled. cuDNN's layers are PyTorch's own. All take
turns. Where there is no GPU, the table says NOT RUN.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --save
"""

import functools
import itertools
import os
import statistics

import numpy as np

from benchmarks._harness import machine, markdown, page, workers

STEPS, BATCHES, DTYPES = (128, 1024, 4096), (1, 16, 64), ("float32", "bfloat16")
FEATURES = UNITS = 256
HEADER = ("dtype", "(B, T, D, H)", "layer", "forward, ms", "forward + backward, ms")


def layers(dtype, device):
    """Name, framework and maker of each layer, cuDNN's first."""
    for name in ("GRU", "LSTM"):
        yield f"{name}, cuDNN", "torch", functools.partial(torch_layer, name, dtype, device)
    for name, compiled in itertools.product(("AddGRU", "MinAddGRU"), (False, True)):
        make = functools.partial(keras_layer_on_torch, name, dtype, device, compiled)
        yield f"{name}, PyTorch{', compiled' if compiled else ''}", "torch", make
    for name in ("AddGRU", "MinAddGRU", "GRU"):
        make = functools.partial(keras_layer_on_jax, name, dtype, device)
        yield f"{name}, JAX", "jax", make


def torch_layer(name, dtype, device, shape):
    import torch

    layer = getattr(torch.nn, name)(*shape[2:], batch_first=True)
    layer = layer.to(device, getattr(torch, dtype))
    return _on_torch(layer, lambda x: layer(x)[0], dtype, device, shape)


def keras_layer_on_torch(name, dtype, device, compiled, shape):
    import torch

    model = _keras_model(name, dtype, shape)
    call = torch.compile(model) if compiled else model
    return _on_torch(model, call, dtype, device, shape)


def keras_layer_on_jax(name, dtype, device, shape):
    import jax

    model = _keras_model(name, dtype, shape)
    platform = {"cuda": "gpu"}.get(device, device)
    x, weights, others = jax.device_put(
        (
            jax.numpy.asarray(_input(shape), dtype),
            [each.value for each in model.trainable_variables],
            [each.value for each in model.non_trainable_variables],
        ),
        jax.devices(platform)[0],
    )

    def call(weights, others, x):
        return model.stateless_call(weights, others, x)[0]

    forward = jax.jit(call)
    gradients = jax.jit(jax.grad(lambda *arguments: call(*arguments).sum()))
    return tuple(
        lambda function=function: jax.block_until_ready(function(weights, others, x))
        for function in (forward, gradients)
    )


def _input(shape):
    return np.random.default_rng(0).normal(size=shape[:3]).astype("float32")


def _keras_model(name, dtype, shape):
    import keras

    import keras_addrnn as ka

    kind = getattr(ka, name, None) or getattr(keras.layers, name)
    # PyTorch makes no orthogonal weights in bfloat16: they stay float32.
    policy = dtype if dtype == "float32" else f"mixed_{dtype}"
    layer = kind(shape[3], return_sequences=True, dtype=policy)
    return keras.Sequential([keras.Input(shape[1:3]), layer])


def _on_torch(model, call, dtype, device, shape):
    import torch

    x = torch.from_numpy(_input(shape)).to(device, getattr(torch, dtype))
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    def forward():
        with torch.inference_mode():
            call(x)
        wait()

    def train():
        model.zero_grad()
        call(x).sum().backward()
        wait()

    return forward, train


def start(framework, threads):
    os.environ["KERAS_BACKEND"] = framework
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # the other process needs memory too


def gpu():
    """The GPU's name, or None."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def rows(dtype, shape, device, processes, seconds):
    """A row for each layer: `seconds` for all of a turn, three turns."""
    made = list(layers(dtype, device))
    times = {name: ([], []) for name, _, _ in made}
    problems = {}
    for _ in range(3):
        for (name, framework, make), column in itertools.product(made, range(2)):
            if name in problems:
                continue
            try:
                times[name][column].extend(
                    processes[framework].times(make, shape, column, seconds / 3 / len(made))
                )
            except (ImportError, RuntimeError) as error:  # out of its memory, for instance
                problems[name] = f"NOT RUN: {str(error).splitlines()[0]}"
    for name, columns in times.items():
        if name in problems:
            yield dtype, str(shape), name, problems[name], ""
        else:
            yield dtype, str(shape), name, *(f"{statistics.median(each):.2f}" for each in columns)


def table(device, processes, seconds):
    """All rows; where there is no device, they say NOT RUN."""
    for dtype, steps, batch in itertools.product(DTYPES, STEPS, BATCHES):
        shape = (batch, steps, FEATURES, UNITS)
        if device is None:
            for name, _, _ in layers(dtype, device):
                yield dtype, str(shape), name, "NOT RUN: no GPU here", ""
        else:
            yield from rows(dtype, shape, device, processes, seconds)


def main(arguments=None):
    options = page.parser(__doc__, seconds=3).parse_args(arguments)
    name = gpu()
    processes = {}
    if name:
        for framework in ("torch", "jax"):
            begin = functools.partial(start, framework)
            processes[framework] = workers.Worker(begin, 1)
    about = f"{name or 'No GPU'}. {machine.description()}. Medians."
    found = table("cuda" if name else None, processes, options.seconds)
    page.publish("gpu", options, about, markdown.lines(HEADER, found, text=3))


if __name__ == "__main__":
    main()
