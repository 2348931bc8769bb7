"""The Estimators page: every hypergradient estimator against the exact one."""
