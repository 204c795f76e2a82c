"""Writes the mapping's JSON Schema anew: `python -m pipelines.channels.files`."""

import json

from pipelines.channels.files.mapping_check import SCHEMA, json_schema

SCHEMA.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
