"""The client's side and the server's, with files and bytes between them."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from addrnn import fhe
from tests.addrnn.fhe import models

pytestmark = pytest.mark.fhe

ROOT = pathlib.Path(__file__).parents[3]
# A gate of both signs over two steps, then a dense layer: 6 PBS.
MODEL = models.model(
    models.recurrent(
        2,
        1,
        kernel=np.array([[1, 0], [0, 1]], np.int8),
        recurrent_kernel=np.zeros((1, 2), np.int8),
        bias=np.array([0, 1], np.int32),
    ),
    models.dense(1, 3),
)
# All states of two layers, in one output for each step; without look-ups.
SEQUENCES = models.model(
    models.recurrent(
        2,
        1,
        kernel=np.array([[0, 1], [0, 0]], np.int8),
        recurrent_kernel=np.zeros((1, 2), np.int8),
        bias=np.array([0, 2], np.int32),
        state_max=15,
        candidate_max=15,
        state_bits=5,
        return_sequences=True,
    )
)


def python(code, *arguments, content=b""):
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    ran = subprocess.run(command, input=content, capture_output=True, timeout=1200, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout


SERVER = """
import pathlib, sys
from addrnn import fhe
directory = pathlib.Path(sys.argv[1])
server = fhe.Server.load(directory / "server.zip")
keys = server.load_keys((directory / "keys").read_bytes())
sys.stdout.buffer.write(server.run(sys.stdin.buffer.read(), keys))
"""

CLIENT = """
import json, pathlib, subprocess, sys
from addrnn import fhe
directory, server = pathlib.Path(sys.argv[1]), sys.argv[2]
client = fhe.Client.load(directory / "client.zip")
(directory / "keys").write_bytes(client.evaluation_keys())
message = client.encrypt(json.load(sys.stdin))
command = [sys.executable, "-W", "ignore", "-c", server, str(directory)]
ran = subprocess.run(command, input=message, capture_output=True)
assert ran.returncode == 0, ran.stderr.decode()
print(json.dumps(client.decrypt(ran.stdout).tolist()))
"""


def test_saved_loaded_and_run_in_fresh_processes(tmp_path):
    inputs = np.array([[1, -2], [-1, 1]])
    fhe.compile(MODEL, 2, formulation="shared_relu", global_p_error=1e-6).save(tmp_path)
    decrypted = json.loads(
        python(CLIENT, tmp_path, SERVER, content=json.dumps(inputs.tolist()).encode())
    )
    assert decrypted == MODEL.run(inputs[None])[0].tolist()


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sequences")
    fhe.compile(SEQUENCES, 3, formulation="shared_relu").save(directory)
    return directory, fhe.Client.load(directory / "client.zip")


@pytest.fixture(scope="module")
def server(sides):
    return fhe.Server.load(sides[0] / "server.zip")


def test_one_output_for_each_step(sides, server):
    _, client = sides
    keys = server.load_keys(client.evaluation_keys())
    inputs = np.array([[1, 0], [-2, 1], [0, 0]])
    outputs = client.decrypt(server.run(client.encrypt(inputs), keys))
    # By hand: the state adds x + 2, of the first feature, and nothing of it is taken away.
    assert outputs.tolist() == [[3], [3], [5]]
    np.testing.assert_array_equal(outputs, SEQUENCES.run(inputs[None])[0])


BROKEN_PIPE = """
import os, signal, sys
import numpy as np
from addrnn import fhe
from tests.addrnn.fhe import models

model = models.model(models.recurrent(1, 1))
encrypted = fhe.compile(model, 1, formulation="shared_relu")
encrypted.predict_integers(np.zeros((1, 1, 1), int), fhe="execute")
reader, writer = os.pipe()
os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError:
    print("as Python has it")
"""


def test_a_broken_pipe_does_not_end_the_process_after_a_run():
    command = [sys.executable, "-W", "ignore", "-c", BROKEN_PIPE]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.stdout == "as Python has it\n", ended.stderr


def test_no_encryption_is_like_another(sides):
    # Equal ciphertexts of equal inputs would tell the server which inputs are equal.
    _, client = sides
    inputs = np.zeros((3, 2), int)
    assert client.encrypt(inputs) != client.encrypt(inputs)


def test_sizes(sides):
    _, client = sides
    for message, size in (
        (client.evaluation_keys(), client.spec.sizes.keys),
        (client.encrypt(np.zeros((3, 2), int)), client.spec.sizes.input),
    ):
        assert 0 < len(message) - sum(size) < 2000


def test_sizes_of_compressed_keys(tmp_path):
    compiled = fhe.compile(MODEL, 2, formulation="shared_relu")
    compiled.save(tmp_path)
    client = fhe.Client.load(tmp_path / "client.zip")
    statistics = compiled.statistics()
    assert client.spec.sizes.keys == (statistics["compressed_evaluation_key_bytes"],)
    assert 0 < len(client.evaluation_keys()) - statistics["compressed_evaluation_key_bytes"] < 2000
    assert statistics["compressed_evaluation_key_bytes"] < statistics["evaluation_key_bytes"] / 5


def test_clients_have_keys_of_their_own(sides, server):
    directory, client = sides
    other = fhe.Client.load(directory / "client.zip")
    keys = server.load_keys(client.evaluation_keys())
    inputs = np.zeros((3, 2), int)
    with pytest.raises(ValueError, match="under other keys than the evaluation.*Give"):
        server.run(other.encrypt(inputs), keys)
    with pytest.raises(ValueError, match="under other keys than those of this client"):
        other.decrypt(server.run(client.encrypt(inputs), keys))


def test_what_is_no_message_is_refused(sides, server):
    _, client = sides
    keys = server.load_keys(client.evaluation_keys())
    message = client.encrypt(np.zeros((3, 2), int))
    output = server.run(message, keys)
    for call in (
        lambda: server.load_keys(b""),
        lambda: server.load_keys(message),
        lambda: server.run(output, keys),
        lambda: server.run(message[:88] + bytes(len(message) - 88), keys),
        lambda: client.decrypt(message),
        lambda: client.decrypt(output[:88] + bytes(len(output) - 88)),
    ):
        with pytest.raises(ValueError, match="Expected .*Received|cannot be evaluated.*Encrypt"):
            call()


def test_inputs_are_checked(sides):
    _, client = sides
    with pytest.raises(TypeError, match="`inputs` must hold integers"):
        client.encrypt(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="from -2 to 1"):
        client.encrypt(np.full((3, 2), 2))
