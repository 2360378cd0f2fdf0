"""eventbench convert-weights: a checkpoint of PyTorch as safetensors."""

from __future__ import annotations

import click

from eventbench.cli import _options


@click.command(name="convert-weights", short_help="A checkpoint of PyTorch as safetensors, for a submission.")
@click.argument("file", metavar="FILE")
@click.option("--out", required=True, metavar="OUT", help="The file to write, as seed0.safetensors.")
@click.option(
    "--key", default="", metavar="NAME", help="The table of FILE with the weights, where it has several."
)
@click.option(
    "--strip",
    metavar="PREFIX",
    help="Take this off before every key, '' for nothing (default: what wrappers put there).",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT where it exists; without it that is refused.")
@_options.as_json
def command(file: str, out: str, key: str, strip: str | None, overwrite: bool, as_json: bool) -> None:
    """Write the weights in FILE, made by torch.save (.pth, .pt, .ckpt, ...) or safetensors, to OUT.

    Nothing in FILE is run: a checkpoint that needs code to be read is refused. The weights may be under "state_dict",
    "model_state_dict", "model" or "net"; where every key begins with "module.", "_orig_mod." or "model.", as wrappers write
    it, that is taken off. Types are kept, and tied weights are written once.
    """
    from pathlib import Path

    from eventbench.submission.checkpoint import convert_weights

    source, target = Path(file).expanduser(), Path(out).expanduser()
    converted = convert_weights(source, target, key=key, strip=strip, overwrite=overwrite)
    if as_json:
        _options.print_json({**converted._asdict(), "path": str(target)})
        return
    taken = f" from {converted.container!r}" if converted.container else ""
    _options.say(f"{target}: {converted.tensors:,} tensors, {converted.values:,} values{taken}")
    if converted.prefix:
        _options.say(f"  taken off before every key: {converted.prefix}")
    for left_out, kept in converted.tied.items():
        _options.say(f"  {left_out} is tied to {kept}, and written once")
