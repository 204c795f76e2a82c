"""Jobs: what is run as a whole, from the schedule, the launchpad or the command line. No asset is defined here.

    nightly          everything, once a night
    adopt            the first night: equal values become the base, the rest is resolved by source of truth
    sync_now         the same on demand, narrowed to systems, entities or keys, or as a dry run
    approve_plan     push what people have approved of a stored plan since it was made
    verify_plan      read back again what was not confirmed of a stored plan
    backfill_orders  past days of orders; never pushes

One writing run at a time: the tag below is limited to one in `dagster.yaml`, and the lease holds outside of it.
"""

import dagster as dg

from assets.catalogue import asset_key, steps

OPENS_WITH: dict[str, object] = {"dry_run": False, "systems": [], "entities": [], "subjects": []}
"""What the launchpad of sync_now shows from the start: the words by which a run is narrowed."""
WRITES = {"trueup/writes": "true", "dagster/max_runtime": "14400"}


def _tables(*names: str) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(asset_key(t.name) for name in names for t in steps()[name].tables))


def asked(**config: object) -> dict[str, object]:
    """Run config: what is asked of the night."""
    return {"resources": {"night": {"config": config}}}


_ALIKE = {"tags": WRITES, "executor_def": dg.in_process_executor}
_NIGHT = {"selection": _tables(*steps()), **_ALIKE}

NIGHTLY = dg.define_asset_job(
    "nightly",
    description="Everything: read, reconcile, plan, approve by policy, push, prove.",
    config=asked(kind="nightly"),
    **_NIGHT,
)
JOBS = [
    NIGHTLY,
    dg.define_asset_job(
        "adopt",
        description="The first night: what is equal becomes the base.",
        config=asked(kind="adopt"),
        **_NIGHT,
    ),
    dg.define_asset_job(
        "sync_now",
        description="On demand: narrowed to systems, entities or keys; or a dry run.",
        config=asked(kind="sync_now", **OPENS_WITH),
        **_NIGHT,
    ),
    dg.define_asset_job(
        "approve_plan",
        selection=_tables("approve", "push", "verify"),
        description=(
            "Approve, push and read back of a stored plan what policy allows and people have approved by now, and "
            "renew its night's report. The plan is the newest that is not of a dry run, or the one that plan_id names."
        ),
        config=asked(kind="sync_now", plan_id=""),
        **_ALIKE,
    ),
    dg.define_asset_job(
        "verify_plan",
        selection=_tables("verify"),
        description=(
            "Read back what was written of a stored plan and is not confirmed yet, and renew its night's report. "
            "The plan is chosen as by approve_plan."
        ),
        config=asked(kind="sync_now", plan_id=""),
        **_ALIKE,
    ),
    dg.define_asset_job(
        "backfill_orders",
        selection=dg.AssetSelection.assets(asset_key("reads.backfills")),
        description="Read past days of orders again: days of the shops, a range in one run. Never pushes.",
        **_ALIKE,
    ),
]
