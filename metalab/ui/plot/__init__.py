"""Plots: axes, marks, handles. The only package that imports pyqtgraph."""
