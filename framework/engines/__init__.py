"""The engines: the only places that import duckdb, deltalake and pyspark."""
