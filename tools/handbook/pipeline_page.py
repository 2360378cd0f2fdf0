"""`pipelines/README.md`: pipelines, representations with a picture of each, steps, compatibility with other packages."""

from __future__ import annotations

import inspect
import re

from eventbench import registry
from eventbench.representations.base import Representation
from eventbench.specs import catalog
from eventbench.steps.base import Step
from tools.handbook import drawings
from tools.handbook.cards import short_paper
from tools.handbook.markdown import GENERATED, code, joined, linked, table
from tools.handbook.members import documented, headline, in_toml, paragraph, parameters, shipped_names
from tools.handbook.tables import modes


def pipeline_page() -> str:
    """The page in Markdown."""
    events = drawings.recording()
    return joined(
        [
            GENERATED.format(
                "the pipelines here, the members of `eventbench/representations/` (docstring and `about`) and "
                "`eventbench/steps/`, and `tools/handbook/words/compatibility.toml`"
            ),
            "# Pipelines, representations, steps",
            "A pipeline, `<name>-vN.toml`, says how a recording becomes an array: steps, events to events, and one "
            "representation, events to an array (T, C, H, W). A changed pipeline is a new file with the next number: records "
            "and stores pin the digest of the one they were made with.",
            "```sh\neventbench preprocess nmnist --data-dir DATA --pipeline time_surface-v1   # a pipeline from here\n"
            "eventbench preprocess nmnist --data-dir DATA --pipeline my_own-v1.toml    # or one of your own\n```",
            _pipelines(),
            "Recordings are decoded once, into a store of events; a second pipeline reads that store and no raw file. "
            "Every event is accounted for: what a step drops and a representation leaves out is counted, by reason, in the store.",
            "## Representations",
            _representations(),
            "P is 2, channel 0 OFF and channel 1 ON. `eventbench show NAME` has the whole definition with its equations.",
            "### Pictures",
            f"All of one recording: {len(events):,} events in {events.duration_us / 1e6:.1f} s of a simulated person's arm, "
            f"circling counter-clockwise (`{drawings.RECORDING}` of `{drawings.CARD}`, from 0.1 s on). Warm is ON, "
            "where it grew brighter; cold is OFF; pale is both. A value grows with its logarithm from dark to bright, except "
            "where it lies between 0 and 1 by definition.",
            *_pictures(),
            "## Steps",
            "Random steps draw from a generator that is passed in. A pipeline refuses them, since its store must come out the "
            "same every time: they augment views of training data.",
            _steps(),
            "Augmentations of batches of frames are in `eventbench/augmentations/`: "
            + "; ".join(
                f"{code(name)}, {headline(registry.augmentations.summary(name)).rstrip('.')}"
                for name in shipped_names(registry.augmentations)
            )
            + ".",
            "## Compatibility",
            "What promises the numbers of another package, mode by mode, against tonic 1.7.0, SpikingJelly 2.0.0, eventcv 1.0.8 and evutils 0.3.18; and where "
            "ours deviates, why. The test behind a link holds what it says. [What other readers answer](../datasets/OTHER_READERS.md): "
            "files of which evutils, eventcv, expelliarmus, evio or evt3 give other events than the file holds, and how to see it.",
            _compatibility(),
        ]
    )


def _pipelines() -> str:
    rows = []
    for id in catalog.files("pipelines"):
        pipeline = catalog.pipeline(id)
        representation: Representation = registry.representations.build(
            pipeline.spec.representation, where=id
        )
        rows.append(
            [
                linked(code(id), f"{id}.toml"),
                pipeline.spec.about.title,
                ", ".join(_as_call(step) for step in pipeline.spec.steps),
                _as_call(pipeline.spec.representation),
                str(representation.array_dtype),
                code(pipeline.spec.digest[:12]),
            ]
        )
    return table(["pipeline", "what", "steps", "representation", "dtype", "digest"], rows)


def _as_call(spec: dict[str, object]) -> str:
    """ "`frames(bins = 16)`" for a table of a step or representation."""
    parameters = ", ".join(f"{key} = {in_toml(value)}" for key, value in spec.items() if key != "name")
    return code(f"{spec['name']}({parameters})")


def _representations() -> str:
    rows = []
    for name, about in documented(registry.representations).items():
        representation: Representation = registry.representations.build({"name": name}, where=name)
        rows.append(
            [
                linked(code(name), f"#{name}"),
                f"{about.shape}; default {shape_of(representation)}",
                str(representation.array_dtype),
                about.definition,
                short_paper(about.paper),
                about.modes or "neither has it",
                about.deviations,
            ]
        )
    head = ["name", "shape", "dtype", "definition", "paper", "tonic and SpikingJelly modes", "deviations"]
    return table(head, rows)


def shape_of(representation: Representation) -> str:
    """The shape with the default parameters: letters for lengths that follow the sensor, found by trying two sensors."""
    small, large = (representation.shape(sensor) for sensor in ((128, 96), (256, 192)))
    height = "H" if (small[2], large[2]) == (96, 192) else f"{small[2]}"
    width = "W" if (small[3], large[3]) == (128, 256) else f"{small[3]}"
    note = "" if (height, width) == ("H", "W") else " on 128x96"
    return f"({small[0]}, {small[1]}, {height}, {width}){note}"


def _pictures() -> list[str]:
    paragraphs = []
    for name, about in documented(registry.representations).items():
        member = registry.representations.get(name)
        paragraphs += [
            f"#### {name}",
            f"{paragraph(member)}",
            f"Parameters: {parameters(member)}.",
            f"Paper: {about.paper}." if about.paper else "",
            about.shows,
            f"![{name}](pictures/{name}.png)",
        ]
    return paragraphs


def _steps() -> str:
    rows = []
    for name in shipped_names(registry.steps):
        member: type[Step] = registry.steps.get(name)
        rows.append(
            [
                code(name),
                paragraph(member),
                parameters(member),
                when_random(member),
                member.paper,
            ]
        )
    return table(["step", "what it does", "parameters", "random", "source"], rows)


def when_random(member: type[Step]) -> str:
    """ "no", "yes" or the condition on its parameters, as the class's `random` returns it."""
    if member.random is Step.random:
        return "no"
    (returned,) = re.findall(r"return (.+)", inspect.getsource(member.random.fget))  # type: ignore[attr-defined]
    return "yes" if returned == "True" else f"if {code(returned.replace('self.', ''))}"


def _compatibility() -> str:
    rows = [
        [
            mode.peer,
            mode.theirs,
            mode.ours,
            linked(mode.agrees, f"../tests/{mode.tested_by}" if mode.tested_by else ""),
            mode.differs,
        ]
        for mode in modes()
    ]
    return table(["peer", "theirs", "ours", "agreement", "deviation, and why"], rows)
