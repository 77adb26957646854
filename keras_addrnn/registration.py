"""Makes the layers known to Keras, without importing Keras for it.

`keras.saving.load_model` finds a class only if it has been registered. Users expect that
`import keras_addrnn` is enough for that, before or after `import keras`; but importing Keras here
would bring TensorFlow into processes that need neither, and into encrypted ones that must not have
it. So the layers are imported along with Keras, whenever that happens.
"""

import importlib
import importlib.abc
import importlib.util
import sys


def register_with_keras():
    """Imports (and so registers) the layers: now if Keras is imported already, else after it."""
    if "keras" in sys.modules:
        _import_layers()
    else:
        sys.meta_path.insert(0, _KerasFinder())


def _import_layers():
    importlib.import_module("keras_addrnn.layers")
    importlib.import_module("keras_addrnn.integer.aware_layers")


class _KerasFinder(importlib.abc.MetaPathFinder):
    """Has the layers imported right after Keras, however often somebody only asks where it is."""

    def __init__(self):
        self.asking = False  # the other finders, for the spec

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "keras" or self.asking:
            return None
        self.asking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.asking = False
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module):
                execute(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                _import_layers()

            spec.loader.exec_module = execute_and_register
        return spec
