"""The real estate's file is one that trueup reads, with a mode for every entity and both systems at each place."""

from deploy.real.estate import ENTITIES, place_id, write_estate
from pipelines.channels import CHANNELS
from pipelines.configuration import read_file
from pipelines.estate import estate_of
from pipelines.policy import read_policy
from resources.channels import channels_of


def test_the_file_is_read_without_a_fault(tmp_path):
    path = tmp_path / "estate.toml"
    write_estate(
        path, odoo=("http://127.0.0.1:1", "1@2026-01-01T00:00:00"), vendure=("http://127.0.0.1:2", "token"),
        warehouses={"Paris": 1, "Entrepôt": 2}, locations={"Paris": "3", "Entrepôt": "4"}, mailing_list=7,
        options={"gtin_field": "ean"},
    )
    file = read_file(path)
    estate = estate_of(file)
    policy = read_policy(None, estate, estate_file=file)
    assert [channel.name for channel in channels_of(estate, CHANNELS)] == ["odoo", "vendure"]
    assert {estate.mode_of(system, entity) for system in estate.systems for entity in ENTITIES} == {"live"}
    assert estate.locations[place_id("Entrepôt")].vendor_ids == {"odoo": "2", "vendure": "4"}
    assert estate.audiences["newsletter"].vendor_ids == {"odoo": ["7", "blacklist"], "vendure": "email"}
    assert policy.fields["customers.street"].sources == ["vendure", "odoo"]
