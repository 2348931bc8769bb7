"""The Adapt page: drag the points of a task and see every inner step follow."""
