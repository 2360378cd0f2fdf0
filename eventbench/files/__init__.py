"""Reading files that may be damaged: bytes, HDF5, and calls in an isolated process of libraries that crash over them."""
