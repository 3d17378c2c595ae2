"""Faults at the statement boundaries of pause and resume, on pairs with several links under load."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.adversarial.faults import Campaign, Fault, shell_of, whole
from tests.adversarial.grounds import Grounds
from tests.adversarial.held import Tool
from tests.adversarial.ledger import balance

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adversarial.faults import Boundary
    from tests.servers.choices import Choice
    from tests.servers.workspace import Workspace

ENGINES = ("mariadb", "mysql", "postgresql-18")
SAMPLE = {
    "mariadb": (
        ("pause", "stop the applier of", Fault.kill),
        ("pause", "stop the receiver of", Fault.restart),
        ("resume", "start ", Fault.cut),
    ),
    "mysql": (
        ("pause", "stop the applier of", Fault.cut),
        ("resume", "start ", Fault.kill),
        ("filter apply", "blue->green: ", Fault.fail),
    ),
    "postgresql-18": (
        ("pause", "stop the receiver of", Fault.fail),
        ("resume", "start ", Fault.restart),
        ("filter apply", "give it back its slot", Fault.kill),
    ),
}
"""What is tried where the campaign does not run whole: the command, what stands in the step, and what befalls it."""


@pytest.mark.engines(*ENGINES)
def test_whatever_befalls_a_command_one_more_mends_it(
    two_way_db: Workspace, tmp_path: Path, engine_choice: Choice, thorough: bool
) -> None:
    grounds = Grounds(two_way_db, tmp_path)
    grounds.create()
    some = SAMPLE[engine_choice.id]
    with Tool(shell_of(grounds, tmp_path)) as tool, grounds.load() as writers:
        campaign = Campaign(grounds, tool)
        acts = campaign.acts(filters=thorough or any(command.startswith("filter") for command, _, _ in some))
        if thorough:
            for act in acts.values():
                for boundary, fault in whole(campaign.boundaries(act), [*Fault]):
                    campaign.run(act, boundary.is_like, fault)
        else:
            for command, words, fault in some:
                campaign.run(acts[command], partial(_is_in, words), fault)
        campaign.finish()
    grounds.close()
    assert not [trial for trial in campaign.trials if trial.wrong]
    two_way_db.wait_caught_up()
    assert not balance(two_way_db, writers)


def _is_in(words: str, boundary: Boundary) -> bool:
    return words in boundary.step
