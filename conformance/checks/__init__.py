"""The table of all checks, in the order in which they run. Their functions are in the modules beside, one a subject."""

from conformance.checks import batches, cursor, fields, filters, gone, hostile, pace, paging, retry, whole
from conformance.verdicts import Check, Need

CHECKS: tuple[Check, ...] = (
    Check("identity", Need.READS, "The system says which shop it is and grants what is needed", whole.identity),
    Check("declared", Need.READS, "Writers, rungs, read-backs and endpoints agree with each other", fields.declared),
    Check("census", Need.READS, "Every endpoint is read to its end; no record comes twice", whole.census),
    Check("count", Need.READS, "The vendor's own count is what a census reads", whole.counted),
    Check("staging", Need.READS, "What was read stages; bad rows are kept out with a reason", whole.staging),
    Check("filter", Need.READS, "A delta from now on brings no old record: the filter is not ignored",
          filters.from_now_on),
    Check("cursor", Need.READS, "A delta from a record's own moment brings it, and all of that moment", cursor.edges),
    Check("closed_window", Need.READS, "A past slice brings what changed in it, and not what changed at its end",
          cursor.closed_window),
    Check("by_id", Need.READS, "Read by id, a record has its value; an unknown id has none", filters.by_id),
    Check("page_caps", Need.PAGES, "Pages smaller than asked for lose nothing", paging.caps),
    Check("rate_limits", Need.READS, "A 429 is waited for, as long as it asks", pace.rate_limits),
    Check("equal_stamps", Need.HANDS, "Records of one moment, over pages, are all in a delta within the overlap",
          cursor.equal_stamps),
    Check("under_change", Need.HANDS, "Records made, edited and removed between pages cost no other",
          paging.under_change),
    Check("deletes", Need.HANDS, "A removed record is noticed, by delta, count or census", gone.deletes),
    Check("silent_changes", Need.WRITES, "Stock and permission changes are seen, by delta or census", gone.silent),
    Check("abilities", Need.WRITES, "Every declared field is really written", fields.abilities),
    Check("read_back", Need.WRITES, "What is read back by id is what was written", fields.read_backs),
    Check("echo", Need.WRITES, "Our own write does not come back as drift", fields.echo),
    Check("batch_max", Need.HANDS, "The declared batch is taken in one call, more is cut", batches.maximum),
    Check("partial_failure", Need.HANDS, "One bad row in a batch is bad alone", batches.partial_failure),
    Check("lost_answer", Need.WRITES, "A write whose answer is lost has one effect, and is known", retry.lost_answer),
    Check("compare_and_set", Need.WRITES, "A change just before the write is not written over", retry.compare_and_set),
    Check("hostile_text", Need.HANDS, "What people type is kept to the character, or refused", hostile.hostile),
)
