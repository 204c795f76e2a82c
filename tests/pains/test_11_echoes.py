"""Loops and echoes: a sync takes its own writing for somebody's word.

saleor/saleor#12538, #14260; openlinker ADR-017 (its own push read back, where it came from lost);
Eshopbox-Enginnering/Central-Backlog#333 (a correction without end); wcpos/woocommerce-pos PR#1632;
mailchimp/mc-woocommerce#550.
"""

from datetime import timedelta

from pipelines.plan import build_plan
from pipelines.reconcile.consents import build_consents
from tests.plan.world import VirtualClock, drift, insert, plan_rows, start_night
from tests.reconcile.people import NIGHT, put_consent
from tests.reconcile.people import start_night as start_another
from tests.reconcile.shop import told

ANNE = "anne@example.fr"


def test_units_taken_off_the_till_are_not_taken_off_again_for_being_seen_there(shop):
    shop.level(1, on_hand=10, available=9)
    shop.night()
    shop.agree()
    shop.move("shopify", 1, -1, kind="order", state="fulfilled", key="web")
    shop.level(1, available=8)
    assert told(shop.night()) == [("square", "on_hand", "V1", "10", "9", "explained")]
    shop.send()
    shop.move("square", 1, 9, kind="count", key="ours")
    shop.level(1, on_hand=9)
    assert told(shop.night()) == []


def test_the_no_that_we_wrote_is_not_a_younger_no(people):
    put_consent(people, "shopify/1", ANNE, "no", said=NIGHT - timedelta(days=90))
    put_consent(people, "mailchimp/1", ANNE, "yes")
    build_consents(people)
    people.execute(
        "INSERT INTO ledger.sync.corrections BY NAME SELECT d.*, 'p' AS plan_id, 'k' AS correction_key, 'e' AS estate, "
        "'low' AS risk, 'approve' AS disposition, '' AS disposition_reason, true AS is_new, false AS is_releasable "
        "FROM reconcile.consent_drift AS d WHERE d.drift_class = 'lower'")
    people.execute(
        'INSERT INTO ledger.sync.outcomes (plan_id, correction_key, status, code, message, request_id, "at") '
        "VALUES ('p', 'k', 'applied', '', '', '', ?)", [NIGHT + timedelta(hours=1)])
    start_another(people, 1)
    put_consent(people, "mailchimp/1", ANNE, "no")
    put_consent(people, "hubspot/1", ANNE, "yes", said=NIGHT - timedelta(days=10), is_proven=True)
    build_consents(people)
    assert people.execute("SELECT state, rule FROM golden.consents").fetchall() == [
        ("yes", "proven opt-in after withdrawal")
    ]


def test_a_correction_planned_again_is_carried_and_not_new(world):
    insert(world, "reconcile.drift", [drift(drift_class="both")])
    build_plan(world, lane="main", clock=VirtualClock())
    start_night(world, 2)
    (row,) = plan_rows(world, build_plan(world, lane="main", clock=VirtualClock()))
    assert row["is_new"] is False
