"""Stage 3 in Dagster: permissions first, then who is who, the trees, and the drift against them."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.figures import drift_counts
from resources import steps
from resources.night import NightResource


@dg.multi_asset(specs=specs("consents"), name="consents")
def consents(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Permissions, from contact points alone: needs no persons and survives their failure."""
    steps.consents(night.tonight, context.log)
    con = night.place.con
    drift = {"reconcile.consent_drift": drift_counts(con, "reconcile.consent_drift")}
    yield from materialised(con, "consents", drift)


@dg.multi_asset(specs=specs("items"), name="items")
def items(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Records to items."""
    steps.items(night.tonight, context.log)
    yield from materialised(night.place.con, "items")


@dg.multi_asset(specs=specs("persons"), name="persons")
def persons(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Records to persons. Where that fails, no customer is corrected tonight; items, prices and stock go on."""
    steps.persons(night.tonight, context.log)
    yield from materialised(night.place.con, "persons")


@dg.multi_asset(specs=specs("trees"), name="trees")
def trees(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """What each system holds, and what it ought to hold."""
    steps.trees(night.tonight, context.log)
    yield from materialised(night.place.con, "trees")


@dg.multi_asset(specs=specs("drift"), name="drift")
def drift(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Every system's drift, with its class; narrowed to what this run was asked to correct."""
    steps.drift(night.tonight, context.log)
    con = night.place.con
    yield from materialised(con, "drift", {"reconcile.drift": drift_counts(con, "reconcile.drift")})
