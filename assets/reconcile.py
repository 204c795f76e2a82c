"""Stage 3 in Dagster: permissions first, then who is who, the trees, and the drift against them."""

from collections.abc import Iterator

import dagster as dg

from assets.catalogue import specs
from assets.metadata import materialised
from pipelines.extract_log import distrust
from pipelines.figures import drift_counts
from pipelines.scope import narrow_drift
from resources.night import NightResource


@dg.multi_asset(specs=specs("consents"), name="consents")
def consents(night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Permissions, from contact points alone: needs no persons and survives their failure."""
    from pipelines.reconcile.consents import build_consents

    con = night.place.con
    build_consents(con)
    drift = {"reconcile.consent_drift": drift_counts(con, "reconcile.consent_drift")}
    yield from materialised(con, "consents", drift)


@dg.multi_asset(specs=specs("items"), name="items")
def items(night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Records to items."""
    from pipelines.reconcile.items import reconcile_items

    reconcile_items(night.place.con)
    yield from materialised(night.place.con, "items")


@dg.multi_asset(specs=specs("persons"), name="persons")
def persons(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Records to persons. Where that fails, no customer is corrected tonight; items, prices and stock go on."""
    from pipelines.reconcile.persons import reconcile_persons

    con = night.place.con
    try:
        reconcile_persons(con)
    except Exception as error:
        context.log.error(f"persons could not be told apart: {type(error).__name__}", exc_info=error)
        distrust(con, "customers", f"persons could not be told apart ({type(error).__name__})")
    yield from materialised(con, "persons")


@dg.multi_asset(specs=specs("trees"), name="trees")
def trees(night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """What each system holds, and what it ought to hold."""
    from pipelines.reconcile.trees import build_trees

    build_trees(night.place.con)
    yield from materialised(night.place.con, "trees")


@dg.multi_asset(specs=specs("drift"), name="drift")
def drift(context: dg.AssetExecutionContext, night: NightResource) -> Iterator[dg.MaterializeResult[None]]:
    """Every system's drift, with its class; narrowed to what this run was asked to correct."""
    from pipelines.reconcile.drift import build_drift

    con = night.place.con
    build_drift(con)
    dropped = narrow_drift(con, systems=night.systems, entities=night.entities, keys=night.subjects)
    if dropped:
        context.log.info(f"{dropped} drifted values are outside this run's scope")
    yield from materialised(con, "drift", {"reconcile.drift": drift_counts(con, "reconcile.drift")})
