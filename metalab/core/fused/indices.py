"""Indices of the numbers that kernels are given about a run, and of a task's data.

Numba compiles one version for every combination of argument types, so a run is described
by three arrays: whole numbers `plan`, real numbers `scalars`, and the network (`layout`).
"""

# Entries of `plan`: how the run computes.
METHOD, STORES, RATES, LEARNED, EXPONENTIAL = 0, 1, 2, 3, 4
BATCH_SIZE, ANCHORED, TOLERANT, MOMENTUM = 5, 6, 7, 8
NUM_TASKS, SHOTS, QUERIES = 9, 10, 11
META, NUM_RATES, RATE_STEPS, GROUPS, STRENGTH_INDEX = 12, 13, 14, 15, 16
OPTIMISER, WEIGHTED, CHUNKS, WORKERS = 17, 18, 19, 20
ADAPTED_START, ADAPTED_END, GRID_POINTS, MEASURES_ALL = 21, 22, 23, 24
SUPPORT_MASKED, QUERY_MASKED = 25, 26

# Entries of `plan`: places in a chunk's workspace.
THETA, V, U, SUM, PATH, GRADS, ALPHA = 32, 33, 34, 35, 36, 37, 38
VELOCITY, VELOCITY_BAR = 39, 40
XS, YS, XQ, YQ, ACTS, ACT, OUTER_ACT, TANGENTS = 41, 42, 43, 44, 45, 46, 47, 48
GRID, GRID_TARGETS, MS, MQ = 49, 50, 51, 52
PLAN_SIZE = 56

# Values of METHOD.
SWEEP, REPTILE, JOINT = 0, 1, 2

# Values of RATES: one fixed number; an array; an array with one number a parameter of phi.
ONE_RATE, RATE_GROUPS, RATE_EACH = 0, 1, 2

# Values of OPTIMISER.
NO_UPDATE, SGD, SGD_MOMENTUM, ADAM = 0, 1, 2, 3

# Entries of `scalars`.
STRENGTH, TOLERANCE, INNER_MOMENTUM, CLIP = 0, 1, 2, 3
BETA1, BETA2, EPSILON, DECAY, OUTER_MOMENTUM = 4, 5, 6, 7, 8
INNER_COST, OUTER_COST = 9, 13
SCALARS_SIZE = 20

# What a loss is made of, from its place in an array of real numbers on:
# factor * r^2 + constant, with the residual r; beyond delta straight, where that is not 0.
# Or the cross-entropy of all outputs of a point together.
FACTOR, DELTA_PLACE, CONSTANT, KIND = 0, 1, 2, 3
COST_SIZE = 4

# Values of KIND.
SQUARE, CROSS_ENTROPY = 0.0, 1.0

# Sums over tasks, and the metrics made of them: `learner.METRIC_NAMES`.
(
    OUTER_LOSS,
    OUTER_BEFORE,
    SUPPORT_BEFORE,
    SUPPORT_AFTER,
    HYPERGRADIENT,
    DISTANCE,
    META_NORM,
) = range(7)
NUM_METRICS = 7
INNER_GRADIENTS = 7
"""Beside the metrics: inner gradients that were computed, of the slowest task."""

ROW_SIZE = 8
STRENGTH_SUM = 8
SUMS_SIZE = 16

# How an outer step can end.
GOOD, BAD_ROW, BAD_UPDATE = 0, 1, 2
