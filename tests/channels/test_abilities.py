"""What every system declares of its writes holds in its code: the ladder of safety is no decoration."""

import pytest

from pipelines.channels import CHANNELS

WRITTEN = [
    (channel, writer, field) for channel in CHANNELS for writer in channel.writers for field in sorted(writer.fields)
]


def named(one: object) -> str:
    return str(getattr(one, "name", getattr(one, "entity", one)))


@pytest.mark.parametrize(("channel", "writer", "field"), WRITTEN, ids=named)
def test_a_writer_keeps_the_rung_that_is_declared(channel, writer, field):
    rungs = {rung for a in channel.abilities if (a.entity, a.field) == (writer.entity, field) for rung in a.rungs}
    assert rungs, "what can be written has its rungs"
    assert 0 not in rungs and 4 not in rungs, "nothing is written blindly, and what is written is not called unwritable"
    if not rungs & {1}:
        assert writer.needs_check, "without compare-and-set a value is read by id just before it is written"
    assert any(reader.entity == writer.entity for reader in channel.read_backs), "what is written can be read back"


@pytest.mark.parametrize("channel", CHANNELS, ids=named)
def test_no_writer_claims_to_raise_a_permission(channel):
    assert not any(writer.raises for writer in channel.writers), "each vendor's writer refuses raises, tested apart"


def test_what_is_said_to_be_unwritable_has_no_writer():
    written = {(channel.name, writer.entity, field) for channel, writer, field in WRITTEN}
    unwritable = {
        (channel.name, a.entity, a.field) for channel in CHANNELS for a in channel.abilities if a.rungs == (0,)
    }
    assert unwritable and not written & unwritable
