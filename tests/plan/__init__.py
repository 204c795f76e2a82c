"""The planner, rule by rule."""
