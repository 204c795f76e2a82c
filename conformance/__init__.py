"""The conformance kit: does a connector do, against the server it is pointed at, what its `Channel` declares?

    trueup conformance <system> [--url ...] [--option NAME=VALUE ...] [--write]

`checks` has one small function a question, listed in one table; `bench` is all they work with; `hands` makes, edits and
removes records behind the connector's back, through the vendor's own API. Knows `pipelines` and `resources`; the
sandbox is only one more server to it.
"""
