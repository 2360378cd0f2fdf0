"""Bytes of every raw format, written from its definition and by none of the package's code: a file a source, of its name.

Each has `seeds()`, sound files for the fuzz corpus, and where real recordings are at hand `heads(folder)`, cuts of them.
"""
