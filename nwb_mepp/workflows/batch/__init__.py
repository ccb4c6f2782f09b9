"""Many recordings: which output belongs to which input, work in parallel, tables of all of them."""

from nwb_mepp.workflows.batch.dandi_names import dandi_name, with_dandi_names
from nwb_mepp.workflows.batch.explanation import explain
from nwb_mepp.workflows.batch.folder_tables import TABLES, session_columns
from nwb_mepp.workflows.batch.groups import Group, group_by_reason, group_by_suffix
from nwb_mepp.workflows.batch.outliers import outliers
from nwb_mepp.workflows.batch.plan import Failure, Job, Plan, find_nwb_files, plan_batch, plan_detection
from nwb_mepp.workflows.batch.runner import BatchOutcome, convert_batch, detect_batch, run_batch
from nwb_mepp.workflows.batch.session_table import SessionTable, read_sessions
from nwb_mepp.workflows.batch.session_template import session_template
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
    "group_by_reason",
    "group_by_suffix",
    "in_units",
    "outliers",
    "plan_batch",
    "plan_detection",
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
