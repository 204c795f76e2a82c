"""The conformance kit, run on every system; and each of its checks seen to fail."""
