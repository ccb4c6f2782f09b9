"""Text formats: LabChart, labeled text, ATF, and event tables of Mini Analysis."""
