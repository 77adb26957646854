"""What a table says of the machine it was measured on."""

import platform


def processor():
    """The processor's name, as the operating system gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
