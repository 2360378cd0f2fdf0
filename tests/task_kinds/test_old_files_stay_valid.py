"""What was written before there were kinds of task keeps its digests and its bytes: tasks, records, evidence, stores."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from eventbench import home
from eventbench.leaderboard.check import check_record
from eventbench.leaderboard.entry import Entry, content_digest, load_entry, relative_path
from eventbench.specs import catalog
from eventbench.specs.base import load
from eventbench.specs.task import Task
from eventbench.store.key import StoreKey
from eventbench.task_kinds.base import task_kind_named
from eventbench.task_kinds.classification import Predictions

BOARD = home.shipped("leaderboard")

# Taken from the files as they were committed before there were kinds of task.
TASKS = {
    "nmnist_small-v1": "99d385dbc2e46b4415a19488b7d9d957c6f5b32bd326641a6600dd920a88f4f6",
    "sim_gesture-v1": "ef1022e80e537b43467130f37ced0be46a292a59b6c69daf42b228f7887fc592",
    "sim_gesture_demo-v1": "07d999fe38cb8c21deec6669e83536312b387bbc097642e6725068b4cdf75f63",
}
STORES = {
    "nmnist_small-v1": "822270712fd9e4c40b12bdac43d41960c61162e7df6990e9145f98e019a14e1e",
    "sim_gesture-v1": "838760549c2b05f96e7179fdf2c70966a4ed9ec79bb85e7c46db83d4f1dcd9ac",
}
RECORDS = {  # of the record's content, of the file of its predictions
    "nmnist_small-v1/conv_snn/20261121T031050Z-be4f26e4": (
        "be4f26e43520f5e509989283282bd492f9d403dbacdc214efa6e0e05994d3227",
        "848a3d402170773da85b35ebb50fe5223e4694b210c9869c3c1f2490ecc9d333",
    ),
    "nmnist_small-v1/conv_snn/20261121T121738Z-c70f38d2": (
        "c70f38d29a2d46ba06e25300fa24cdb4ccd0caa54cb3a486619a57398a8619c2",
        "9bb7b5d4ea0d04fa6141255889e2ae8196113cc17e6f7071ca74caa57a22291f",
    ),
    "nmnist_small-v1/event_count/20261121T031042Z-ea615ec8": (
        "ea615ec858acc74f12a8e6ebacd0324d468a53b446e662cf936b4a6274c82547",
        "94f2aebeb70fe838b8fe106cf1a27850a8d8237ae42126701c720712538d1470",
    ),
    "nmnist_small-v1/pfa_net/20261121T031108Z-f2b18e7b": (
        "f2b18e7bcfc61b95351ddd1763642ab7dc68a4d5ef70233c9a1467fb71a42769",
        "ab9d9e174ebddb266aa0818256062291d0b2876e755405ba04f06ad968e8f119",
    ),
    "nmnist_small-v1/pfa_net/20261121T121803Z-1c13429a": (
        "1c13429a781b5402566612f5f61c3c28e7fa456e2c09982dc69bcc4e716ae319",
        "2ab3227190751b9044db2707fd1456f48dd3916ad6c9d70f7fbbca0b721848d3",
    ),
    "nmnist_small-v1/pfa_net/20261121T121816Z-1a503205": (
        "1a503205e7727338643694195c4bfeeb4cc34ed6a1a4e6f09a2bbb7c2eb4d4ea",
        "f1ff54222e24a5cecb1b8f6933daac902875470363abda83cd794310b9f64d3c",
    ),
    "nmnist_small-v1/pfa_net/20261121T121836Z-632f6ac2": (
        "632f6ac207099b7f1532a452df5119ad99616c48009d7d568db13cf96ac39059",
        "9f0ba1e3ba240a0b27c24b07670afc56ba81fc975982e68a312c13a487ecbd3a",
    ),
    "nmnist_small-v1/pfa_net/20261121T121849Z-8e7b3e27": (
        "8e7b3e276d0b7154295b82b18bdbcf4f838d7b9f7ae4c6a5eeab7445783c4c37",
        "2a5d2b14e3f9555d16ba4219f4d7a43e37ba1798b8c46812f14580144b6664d8",
    ),
    "nmnist_small-v1/tcja_net/20261121T031059Z-390e5249": (
        "390e524963820b974c61db8de8048327f99c3c5f11c03cb282ef3d5bf1573666",
        "72115ce1ee72e29b4faa25c90ca7650314db71915fa2567b1f41e95ef151b65d",
    ),
    "nmnist_small-v1/tcja_net/20261121T121750Z-5fe749e0": (
        "5fe749e0d24ee47d2c17c23d40b4f1d38d6d1b54ca790132143b46095c831344",
        "f8ba3bfd814e073f9d891d60e0ac6cb9efe4742087acdfad39b27491b1336bd0",
    ),
    "nmnist_small-v1/tcja_net/20261121T121825Z-c231a000": (
        "c231a00008b0c718cecb762c0e08d74ba1baf8232d70b9f8a8225352a95bef8d",
        "a7ad796b93244cd98d40fef8e22a3596d290175106990c77aea27f1ca591e440",
    ),
    "sim_gesture-v1/conv_snn/20261121T031125Z-ed34be2f": (
        "ed34be2f1aadeb437746f1adc81de3675ffdf7009d62b5e7ffedac8a5c604166",
        "772a81cb55875f586b646f0e09fd7eb49b53ff1ccf0474b8b1167fbf94ed520b",
    ),
    "sim_gesture-v1/event_count/20261121T031115Z-a5cafd1b": (
        "a5cafd1bc19d3b8094d2e27778d60e99f88d00793f8f4d21832fa09a9461aa04",
        "24b025f91d0030ff805a2fa34f711de9d26796b0217f33fffa01891da32cd2e1",
    ),
    "sim_gesture-v1/pfa_net/20261121T031150Z-74cb70d2": (
        "74cb70d2bcbd6d0d2c312601afd75c579733a7379c78172ec1dafa4b9dffd996",
        "72acb5822813c06341f0d4ddf13ec26465ae0a53617d53667c28f6a722709ccc",
    ),
    "sim_gesture-v1/tcja_net/20261121T031136Z-5b15c2e8": (
        "5b15c2e8946fc4ac049d7e78a8a10aa1b59c6efdddc92bbf1dd2b770181186c6",
        "3cd76ab1b8b2811c811bd44ae591c5984a30d791c0cc7d7d37940ebdf2590efd",
    ),
}


@pytest.fixture(scope="module", params=RECORDS)
def entry(request: pytest.FixtureRequest) -> Entry:
    return load_entry(BOARD / "records" / f"{request.param}.json")


def test_no_committed_record_nor_its_task_is_left_out() -> None:
    assert {name.partition("/")[0] for name in RECORDS} <= set(TASKS)
    assert set(TASKS) <= {path.stem for path in (BOARD / "tasks").glob("*.toml")}
    assert {f"{name}.json" for name in RECORDS} == {
        path.relative_to(BOARD / "records").as_posix() for path in (BOARD / "records").rglob("*.json")
    }


@pytest.mark.parametrize("name", TASKS)
def test_a_task_without_a_kind_is_a_classification_of_the_same_digest(name: str, tmp_path: Path) -> None:
    task = load(BOARD / "tasks" / f"{name}.toml", Task)
    assert (task.kind, task.ranked_by, task.digest) == ("classification", "accuracy", TASKS[name])
    assert set(msgspec.to_builtins(task)).isdisjoint({"kind", "rank_by"})


def test_a_task_that_names_what_it_ranks_by_keeps_its_digest_too(tmp_path: Path) -> None:
    text = (BOARD / "tasks" / "sim_gesture-v1.toml").read_text(encoding="utf-8")
    (tmp_path / "t.toml").write_text(f'rank_by = "accuracy"\n{text}', encoding="utf-8")
    task = load(tmp_path / "t.toml", Task)
    assert task.ranked_by == "accuracy"
    assert task.digest == "a41a2dabfdb7a114379f649fb44b613e7de35b9a07ac0a42bc56ac96d069a4f7"


def test_another_figure_to_rank_by_or_another_kind_is_another_task(tmp_path: Path) -> None:
    task = load(BOARD / "tasks" / "sim_gesture-v1.toml", Task)
    changed = [
        msgspec.structs.replace(task, **change) for change in ({"rank_by": "latency"}, {"kind": "other"})
    ]
    assert len({task.digest, *(other.digest for other in changed)}) == 3


def test_a_record_keeps_its_digest_its_name_and_its_bytes(entry: Entry) -> None:
    assert content_digest(entry.record) == RECORDS[entry.id][0]
    assert entry.path == BOARD / "records" / relative_path(entry.record)
    assert entry.record.kind == "classification"
    assert msgspec.json.format(msgspec.json.encode(entry.record), indent=2) + b"\n" == entry.path.read_bytes()


def test_predictions_are_read_and_written_again_to_the_same_bytes(entry: Entry) -> None:
    content = entry.predictions_path.read_bytes()
    assert entry.predictions_path.name.endswith(".predictions.csv")
    assert hashlib.sha256(content).hexdigest() == RECORDS[entry.id][1] == entry.record.predictions
    kind = task_kind_named("classification")
    table = kind.decode(content, entry.id)
    assert isinstance(table, Predictions)
    rows = list(zip(table.ids, table.labels, *table.predicted, strict=True))
    assert kind.encode(rows[::-1], table.seeds, entry.id) == content


def test_a_record_still_holds_against_its_task_its_dataset_and_its_pipeline(entry: Entry) -> None:
    assert check_record(entry, BOARD) == []


@pytest.mark.parametrize("name", STORES)
def test_the_store_that_records_name_is_the_one_that_is_made_today(name: str, tmp_path: Path) -> None:
    task = catalog.task(name, BOARD).spec
    key = StoreKey.of(tmp_path, catalog.card(task.dataset), catalog.pipeline(task.pipeline))
    assert key.content_digest == STORES[name]
