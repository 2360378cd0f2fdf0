"""Files that may be damaged: their bytes, HDF5 opened from them, and libraries that crash called in an isolated process."""
