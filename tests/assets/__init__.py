"""What Dagster shows and runs: the graph, its jobs on played estates, partitions, and who hears of a failure."""
