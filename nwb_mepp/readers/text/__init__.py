"""Text formats: LabChart, labeled text, ATF, and the event tables of Mini Analysis."""
