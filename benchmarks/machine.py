"""What measurements share: threads, what a table says of the machine, and how it is kept."""

import datetime
import platform

from addrnn._atomic_file import replacing


def use_threads(count):
    """For a whole process. With one, its processor seconds are the same on a busy machine."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def processor():
    """The processor's name, as the operating system gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def description():
    """Date, machine and versions, for the line above a table."""
    import keras
    import tensorflow as tf

    import keras_addrnn as ka

    info = ka.info()
    return (
        f"{datetime.date.today()}, {processor()}, TensorFlow {tf.__version__}, "
        f"Keras {keras.__version__}, keras_addrnn {info['version']} "
        f"({info['instruction_set'] or 'composed'})"
    )


def write(path, text):
    """Writes a table, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text)
