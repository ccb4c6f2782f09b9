"""Helpers without physiology: complete files, locks, limits, a process pool, silencing native code."""
