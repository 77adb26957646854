"""Prints the folders of the named packages for CMake, without importing them; or NOTFOUND."""

import importlib.util
import sys


def package_dir(name):
    spec = importlib.util.find_spec(name)
    return spec.submodule_search_locations[0] if spec else "NOTFOUND"


print(";".join(package_dir(name) for name in sys.argv[1:]))
