"""The real estate: starts PostgreSQL and the systems that install from the package registries, and fills them.

Standard library and httpx only; knows nothing of `pipelines`. Each system has a module that installs and starts it and
one that fills it. What cannot be had raises `missing.Missing`, and the caller says so and goes on.
"""
