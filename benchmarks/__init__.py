"""Speed and memory, measured by hand and never in a test: each module is run by `python -m benchmarks.<name>`.

What is measured, against what, and the figures found are in README.md beside this file. A benchmark drives the real
product; it holds no faster copy of it. Nothing here is imported by the product or its tests.
"""
