"""Reconcile: who is who, what each value ought to be and why, and every system's drift against it, with its class.

    items      reconcile.item_matches, ledger.identity.items: records to items, by binding, then GTIN, then SKU
    persons    reconcile.person_matches: records to persons
    consents   observed.consents, golden.consents, reconcile.consent_drift: built first, needs no persons
    movements  ledger.identity.movements: every sale, count and order line, counted once
    trees      observed.* and golden.* of items, prices and stock, from the `.sql` beside this file
    drift      reconcile.drift: generated from policy.targets, one join a system against golden and the base

Set-based SQL only; inputs are tables (`staged.*`, `estate.*`, `policy.*`, `reads.*`, the ledger), and nothing here
reads a clock. Two things are written to the ledger, both append-only facts: new bindings and movements first seen.
"""
