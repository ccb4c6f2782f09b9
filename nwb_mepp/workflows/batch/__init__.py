"""Many recordings: which output belongs to which input, work in parallel, tables of all of them."""

from typing import TYPE_CHECKING

from nwb_mepp.core.lazy_names import lazy_names

if TYPE_CHECKING:
    from nwb_mepp.workflows.batch.dandi_names import dandi_name, with_dandi_names
    from nwb_mepp.workflows.batch.explanation import explain
    from nwb_mepp.workflows.batch.folder_tables import TABLES, session_columns
    from nwb_mepp.workflows.batch.groups import Group, group_by_reason, group_by_suffix
    from nwb_mepp.workflows.batch.outliers import find_outliers
    from nwb_mepp.workflows.batch.plan import Failure, Job, Plan, find_nwb_files, plan_batch, plan_detection
    from nwb_mepp.workflows.batch.runner import (
        BatchOutcome,
        convert_batch,
        detect_batch,
        prepare_processes,
        run_batch,
    )
    from nwb_mepp.workflows.batch.session_table import SessionTable, read_sessions
    from nwb_mepp.workflows.batch.session_templates import session_template
    from nwb_mepp.workflows.batch.tables import (
        Row,
        event_columns,
        event_rows,
        in_units,
        read_event_rows,
        read_summary_rows,
        summary_columns,
        unit_of,
        write_csv,
        write_json,
    )

__all__ = [
    "TABLES",
    "BatchOutcome",
    "Failure",
    "Group",
    "Job",
    "Plan",
    "Row",
    "SessionTable",
    "convert_batch",
    "dandi_name",
    "detect_batch",
    "event_columns",
    "event_rows",
    "explain",
    "find_nwb_files",
    "find_outliers",
    "group_by_reason",
    "group_by_suffix",
    "in_units",
    "plan_batch",
    "plan_detection",
    "prepare_processes",
    "read_event_rows",
    "read_sessions",
    "read_summary_rows",
    "run_batch",
    "session_columns",
    "session_template",
    "summary_columns",
    "unit_of",
    "with_dandi_names",
    "write_csv",
    "write_json",
]

__getattr__ = lazy_names(
    __name__,
    {
        "dandi_names": ("dandi_name", "with_dandi_names"),
        "explanation": ("explain",),
        "folder_tables": ("TABLES", "session_columns"),
        "groups": ("Group", "group_by_reason", "group_by_suffix"),
        "outliers": ("find_outliers",),
        "plan": ("Failure", "Job", "Plan", "find_nwb_files", "plan_batch", "plan_detection"),
        "runner": ("BatchOutcome", "convert_batch", "detect_batch", "prepare_processes", "run_batch"),
        "session_table": ("SessionTable", "read_sessions"),
        "session_templates": ("session_template",),
        "tables": (
            "Row",
            "event_columns",
            "event_rows",
            "in_units",
            "read_event_rows",
            "read_summary_rows",
            "summary_columns",
            "unit_of",
            "write_csv",
            "write_json",
        ),
    },
)
