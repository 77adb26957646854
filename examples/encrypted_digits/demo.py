"""Runs server and client as two processes, and classifies some digits."""

import contextlib
import hashlib
import importlib.metadata
import io
import json
import pathlib
import platform
import subprocess
import sys
import threading
import time

import httpx
import numpy as np

import addrnn
from addrnn import fhe
from encrypted_digits import pixels
from encrypted_digits.serving import FIRST_LINE

MODEL = pathlib.Path(__file__).with_name("digits.safetensors")
FORMULATION = "truncated_sums"  # the cheapest for it, as "auto" would find in thrice the time
_POLL_SECONDS, _STOP_SECONDS = 0.2, 10
_ROW = "{:>5}  {:>5}  {:>6}  {:>12}  {:>12}  {:>8}  {:>7}"


def compile(model, directory):
    """Compiles for the digits, and writes client.zip and server.zip.

    Returns:
        The statistics of the circuit, and the SHA-256 of server.zip.
    """
    low, high = (int(model.inputs.quantize(value)) for value in (0.0, 1.0))
    # For a terminal, concrete-python would compile another progress bar than `evaluator` reads.
    with contextlib.redirect_stdout(io.StringIO()):
        encrypted = fhe.compile(
            model,
            timesteps=_steps(model),
            input_range=(low, high),
            formulation=FORMULATION,
            show_progress=True,
        )
    return encrypted.statistics(), encrypted.save(directory)


def compiled(directory):
    """As `compile` for `MODEL`, unless the directory has the archives of an earlier run.

    Returns:
        The statistics, the SHA-256 of server.zip, and whether it was there.
    """
    versions = [addrnn.__version__, importlib.metadata.version("concrete-python"), sys.version]
    made_from = [_sha256(MODEL), FORMULATION, *versions, platform.platform()]
    about = directory / "circuit.json"
    archives = [directory / f"{name}.zip" for name in ("client", "server")]
    try:
        known = json.loads(about.read_text())
        if known["made_from"] == made_from and known["archives"] == list(map(_sha256, archives)):
            return known["statistics"], known["archives"][1], True
    except (OSError, ValueError, KeyError, TypeError):
        pass  # compiled anew
    statistics, sha256 = compile(addrnn.load(MODEL), directory)
    known = {"made_from": made_from, "archives": list(map(_sha256, archives))}
    about.write_text(json.dumps(known | {"statistics": statistics}))
    return statistics, sha256, False


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _steps(model):
    return pixels.SIZE**2 // model.features


def run(digits, output, stay):
    """Runs the demonstration.

    Args:
        digits: How many digits to classify.
        output: Directory for the archives and the processes' messages.
        stay: Whether to leave the page up until Ctrl-C.

    Returns:
        Whether all answers are those of the integer model.
    """
    model = addrnn.load(MODEL)
    print("Encrypted digits: a server recognizes what it cannot see\n")
    started = time.monotonic()
    statistics, sha256, known = compiled(output)
    took = "of an earlier run" if known else f"compiled in {time.monotonic() - started:.0f} s"
    _print_circuit(model, statistics, took)
    arguments = ["server", f"{output}/server.zip", f"--sha256={sha256}", "--port=0"]
    with serving("server", arguments, output / "server.log") as server:
        print(f"server       {server}; it has server.zip, of this SHA-256:")
        print(f"             {sha256}")
        arguments = ["client", f"{output}/client.zip", f"--server={server}", "--port=0"]
        with serving("client", arguments, output / "client.log") as client:
            print(f"client       {client}; it has the secret key", end="", flush=True)
            with httpx.Client(base_url=client, timeout=60) as http:
                print(f", made in {_passed('making keys', http):.0f} s")
                print(f"             keys uploaded in {_passed('connecting', http):.0f} s\n")
                same = _classify(http, model, digits, statistics["pbs"])
            if stay:
                print(f"\nDraw a digit: {client} (Ctrl-C ends)", flush=True)
                with contextlib.suppress(KeyboardInterrupt):
                    while True:
                        time.sleep(3600)
    print("\nServer and client have ended.")
    return same


@contextlib.contextmanager
def serving(name, arguments, log):
    """Runs a process of this example that serves, gives its URL, and ends it.

    Args:
        name: Its name in messages.
        arguments: Of `python examples/encrypted_digits`.
        log: `pathlib.Path` of a file for its output.

    Raises:
        RuntimeError: It has ended before it served; the message has the last lines of its output.
    """
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(MODEL.parent), *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C in a terminal is for the process that started it
        )
    try:
        for line in process.stdout:
            if line.startswith(FIRST_LINE):
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield line.removeprefix(FIRST_LINE).strip()
                return
        last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise RuntimeError(f"The {name} has not started:\n{last}")
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _print_circuit(model, statistics, took):
    layers = ", ".join(f"{layer.name} of {layer.units}" for layer in model.layers)
    bits = statistics["lookup_bits"]
    size = {name: _size(count) for name, count in statistics.items() if name.endswith("_bytes")}
    print(
        f"model        {MODEL.name}: {_steps(model)} steps of {model.features}; {layers}\n"
        f"circuit      formulation '{statistics['formulation']}', {statistics['pbs']:,} PBS, "
        f"tables of {bits[0]} to {bits[-1]} bits, sums of up to {statistics['max_bits']}; "
        f"{took}\n"
        f"security     {statistics['security_bits']} bits; an answer is wrong with a probability "
        f"of at most {statistics['global_p_error']:g}\n"
        f"keys         {size['compressed_evaluation_key_bytes']} to evaluate are sent once "
        f"({size['evaluation_key_bytes']} expanded);\n"
        f"             the secret key, {size['secret_key_bytes']}, stays with the client\n"
        f"ciphertexts  {size['input_bytes']} to the server, {size['output_bytes']} back, for each "
        "digit"
    )


def _passed(state, http):
    """Waits while the client is in a state; returns the seconds that took.

    Raises:
        RuntimeError: The client has failed.
    """
    started = time.monotonic()
    told = None
    while (status := http.get("/status").json())["state"] == state:
        if status["error"] != told:
            told = status["error"]
            print(f"\n             {told}", flush=True)
        time.sleep(_POLL_SECONDS)
    if status["state"] == "failed":
        raise RuntimeError(status["error"])
    return time.monotonic() - started


def _classify(http, model, count, pbs):
    images, labels = pixels.load()
    chosen = np.random.default_rng(0).choice(len(images), count, replace=False)
    print(_ROW.format("digit", "label", "answer", "in the clear", "scores equal", "seconds", "PBS"))
    right = same = 0
    for image, label, index in zip(images[chosen], labels[chosen], chosen, strict=True):
        inputs = model.inputs.quantize(pixels.normalized(image, model.features))
        expected = model.run(inputs[None])[0].tolist()
        told = _answer(http, image)
        scores = told["scores"]
        answer, equal = int(np.argmax(scores)), scores == expected
        right, same = right + (answer == label), same + equal
        row = (index, label, answer, int(np.argmax(expected)), "yes" if equal else "NO")
        print(_ROW.format(*row, f"{told['seconds']:.1f}", f"{pbs:,}"), flush=True)
    print(
        f"\n{right} of {count} are the right digit; {same} of {count} have the integer model's "
        f"scores, bit for bit."
    )
    return same == count


def _answer(http, image):
    answer = http.post("/digits", json={"pixels": image.tolist()})
    answer.raise_for_status()
    digit = answer.json()["digit"]
    while (told := http.get(f"/digits/{digit}").json())["state"] not in ("done", "failed"):
        if sys.stdout.isatty():
            print(f"{told['state']} {told['progress']:.0%}   ", end="\r", flush=True)
        time.sleep(_POLL_SECONDS)
    if told["state"] == "failed":
        raise RuntimeError(told["error"])
    return told


def _size(count):
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"
