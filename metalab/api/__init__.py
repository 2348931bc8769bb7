"""The Python interface: what `import metalab as ml` offers scripts and notebooks."""
