"""Helpers without physiology: complete files, a process pool, silencing native code."""
