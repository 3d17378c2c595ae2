"""Receipts of earlier versions are read as they are; what shows that a link ran since."""

from __future__ import annotations

from typing import Any

import pytest

from replguard.control.receipt import drained_links, moved
from replguard.model.links import Link, LinkState
from replguard.model.positions import Position, PositionKind

OLD: dict[str, Any] = {
    "schema": "replguard.receipt/1",
    "paused_at": "2026-01-01T00:00:00+00:00",
    "drained": True,
    "links": [
        {
            "link": "blue->green",
            "name": "",
            "source": "blue",
            "target": "green",
            "received": "1-1-5",
            "applied": "1-1-5",
        }
    ],
}


def test_a_receipt_from_before_says_of_all_links_at_once_whether_they_were_drained() -> None:
    assert drained_links(None) == set()
    assert drained_links(OLD) == {"blue->green"}
    assert drained_links({**OLD, "drained": False}) == set()
    assert drained_links({**OLD, "links": [{**OLD["links"][0], "drained": False}]}) == set()


@pytest.mark.parametrize(
    ("receipt", "now", "ran"),
    [
        (("1-1-5", "1-1-5"), ("1-1-5", "1-1-5"), False),
        (("1-1-5", "1-1-5"), ("1-1-6", "1-1-6"), True),
        # What is applied holds the target's own writes too, where it is not of one link alone.
        (("1-1-5", "1-1-5"), ("1-1-5", "1-1-5,2-2-9"), False),
        # After a restart MySQL and MariaDB do not know any more what they had received.
        (("1-1-5", "1-1-5"), (None, "1-1-9"), False),
        ((None, "0/10"), (None, "0/10"), False),
        ((None, "0/10"), (None, "0/20"), True),
        ((None, None), (None, "0/20"), False),
    ],
)
def test_a_link_moved(receipt: tuple[str | None, str], now: tuple[str | None, str], *, ran: bool) -> None:
    positions = [Position(PositionKind.gtid, text) if text else None for text in now]
    link = Link("", "green", "blue", LinkState.paused, received=positions[0], applied=positions[1])
    held = {**OLD, "links": [{**OLD["links"][0], "received": receipt[0], "applied": receipt[1]}]}
    assert (moved(link, held) is not None) is ran
