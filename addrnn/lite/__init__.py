"""Quantized models as LiteRT files, and LiteRT's interpreter with the operators of this project.

Importing it needs NumPy alone. A function that needs LiteRT says so where it is missing.
"""

from addrnn.lite._integer_converter import convert_integer as convert_integer
from addrnn.lite._interpreter import Interpreter as Interpreter
from addrnn.lite._interpreter import delegate_path as delegate_path
