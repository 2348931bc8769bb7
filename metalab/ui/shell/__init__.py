"""The window as a whole: application, main window, docks, toolbar, banners, what joins them.

Imports no torch: it is on the screen before the engine is there.
"""
