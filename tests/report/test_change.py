"""One change in words: money, per cent, units; and of personal values the kind of difference, never the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.report.change import base, difference, effect, place, proof, subject, value
from tests.law import law
from tests.report.night import row, unsent

NAMES = st.text(st.characters(categories=("L", "N", "Z", "P")), max_size=40)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"observed": "5000", "desired": "4490"}, "−10.2 %"),
        ({"observed": "1000", "desired": "1100"}, "+10.0 %"),
        ({"observed": "0", "desired": "1100"}, ""),
        ({"observed": None, "desired": "1100"}, ""),
        ({"entity": "stock", "observed": "4", "desired": "1200"}, "+1,196"),
        ({"entity": "stock", "observed": "4", "desired": "-1"}, "−5"),
        ({"entity": "items", "observed": "4006381333931", "desired": "4006381333948"}, ""),
        ({"entity": "consents", "observed": "yes", "desired": "no"}, ""),
        ({"entity": "customers", "observed": "Samel", "desired": "Samuel"}, "differs in 1 character"),
    ],
)
def test_how_much_it_changes(changes, words):
    assert effect(row(**changes)) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("Dupont", "DUPONT", "only upper and lower case differ"),
        ("Benoit", "Benoît", "only accents differ"),
        ("Saint-Denis", "Saint Denis", "only spaces or punctuation differ"),
        ("Dupont", "Dupond", "differs in 1 character"),
        ("Benoti", "Benoit", "differs in 2 characters"),
        ("59000", "67123", "another number"),
        ("+33612345678", "+33612345679", "differs in 1 character"),
        ("Petit", "Simon", "another value"),
        ("", "Simon", "was empty"),
        ("Petit", None, "is emptied"),
        ("a" * 5000, "b" * 5000, "another value"),
    ],
)
def test_what_kind_of_difference_it_is(before, after, words):
    assert difference(before, after) == words


@law(100)
@given(NAMES, NAMES)
def test_a_kind_of_difference_depends_on_no_letter_of_the_value(before, after):
    kinds = {
        "only upper and lower case differ", "only accents differ", "only spaces or punctuation differ", "was empty",
        "differs in 1 character", "differs in 2 characters", "another number", "another value", "is emptied",
    }
    assert difference(before, after) in kinds


def test_values_are_money_or_masked_and_absence_is_a_word():
    assert value(row(), "observed") == "12.99 EUR"
    assert value(row(observed=None), "observed") == "none"
    assert value(row(entity="customers", field="city", observed=""), "observed") == "empty"
    assert value(row(entity="customers", field="city", observed="Lyon"), "observed") == "L•••"


def test_base_is_the_third_tree_or_never():
    assert base(row()) == "12.99 EUR"
    assert base(row(has_base=False, base=None)) == "never"
    assert base(row(has_base=True, base=None)) == "none"


def test_an_item_is_told_by_title_sku_and_place_and_a_person_by_the_vendors_id():
    assert (subject(row()), place(row())) == ("Robe 38", "ROB-0417-38 · eur")
    assert (subject(row(title=None)), place(row(title=None))) == ("ROB-0417-38", "eur")
    assert subject(row(title=None, sku=None)) == "v1"
    person = row(entity="customers", vendor_id="gid://shopify/Customer/60", title=None, sku=None, subject_sub_id="")
    assert (subject(person), place(person)) == ("60", "")


def test_proof_says_what_became_of_it():
    assert proof(row(), is_dry=False) == "confirmed 02:00"
    assert proof(row(verification=None), is_dry=False) == "written, not read back"
    assert proof(row(verification="settling"), is_dry=False) == "written, settling"
    assert proof(row(verification=None, outcome="skipped", outcome_code="expired"), is_dry=False) == "skipped (expired)"
    assert proof(unsent("approve"), is_dry=False) == "not pushed"
    assert proof(unsent("approve"), is_dry=True) == "would be written"
