"""A published topic model is asked before the dictionaries, and where there is none they stand alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from models.files import write_bundle
from models.snapshot import SnapshotWriter
from recommend.context import Context
from recommend.topics import TopicModel
from serving.engines import open_publication
from serving.service import hear

DAY = date(2026, 1, 31)
TEXTS = ("fibre modem blinks", "the modem blinks red", "change my tariff", "another tariff please")
TOPICS = ("modem", "modem", "tariff", "tariff")


@pytest.mark.parametrize(("learnt", "topic"), [(True, "modem"), (False, "technical")])
def test_the_topic_of_a_message_is_one_that_people_gave(tmp_path: Path, learnt: bool, topic: str) -> None:
    root, folder = tmp_path / "published", tmp_path / "topics"
    TopicModel.fit(TEXTS * 20, TOPICS * 20).save(folder)
    write_bundle(folder, kind="topics", as_of=DAY, fingerprint="")
    with SnapshotWriter(root, DAY) as writer:
        if learnt:
            writer.folder("topics", folder)
        writer.commit()
    publication = open_publication(root)
    assert ("clv-topics" in publication.models) == learnt
    assert hear(publication, Context(), "my modem blinks").topic == topic
    assert hear(publication, Context(topic="billing"), "my modem blinks").topic == "billing"
