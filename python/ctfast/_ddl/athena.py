"""Athena: the archive by CloudTrail's own input format, with partitions by projection; the lake as a Delta table.

The forms are those of AWS's user guide. The types are those of its table of CloudTrail logs: a column of JSON that the
input format does not hand over as text is a struct or a map there, and one that is in no log file is left out.
"""

from __future__ import annotations

from ctfast._ddl.place import Place, one_folder
from ctfast._ddl.record import Column, record
from ctfast._ddl.words import backticked, commented, hive, refuse_characters
from ctfast._show.plain import counted
from ctfast._show.words import quoted
from ctfast._source.addresses import is_address
from ctfast.exceptions import ArgumentError

__all__ = ["of_archive", "of_lake"]

#: Columns of event data stores and of Insights, which no log file of this kind has.
_ELSEWHERE = ("eventContext", "insightDetails", "annotation")
_KIND = "CloudTrail"
#: JSON that is no text here.
_JSON = {
    "addendum": "struct<reason:string,updatedfields:string,originalrequestid:string,originaleventid:string>",
    "userIdentity.sessionContext.webIdFederationData.attributes": "map<string,string>",
}
#: The property `storage.location.template` has these instead of names of folders.
_PARTITIONS = ("account", "region", "timestamp")


def of_lake(root: str, table: str) -> str:
    """Return the statement for a lake: Athena reads columns and files from the log of the table."""
    return (
        f"CREATE EXTERNAL TABLE {backticked(table)}\n"
        f"LOCATION {hive(f'{root}/')}\n"
        "TBLPROPERTIES ('table_type' = 'DELTA');"
    )


def of_archive(found: Place, table: str) -> str:
    """Return the statement for an archive."""
    if not is_address(found.root):
        message = f'engine="athena" reads buckets, and {quoted(found.root)} is a folder: name s3://bucket/prefix'
        raise ArgumentError(message, "engine", "athena", None, "ddl")
    location, folder = one_folder(found)
    refuse_characters(location, ("${",), "Athena", "a partition")
    columns = ",\n".join(f"  {each.name.lower()} {_type(each)}" for each in record() if each.name not in _ELSEWHERE)
    properties = {
        "projection.enabled": "true",
        "projection.account.type": "enum",
        "projection.account.values": ",".join(sorted(folder.accounts)),
        "projection.region.type": "enum",
        "projection.region.values": ",".join(sorted(folder.regions)),
        "projection.timestamp.type": "date",
        "projection.timestamp.format": "yyyy/MM/dd",
        "projection.timestamp.interval": "1",
        "projection.timestamp.interval.unit": "DAYS",
        "projection.timestamp.range": f"{folder.first},NOW",
        "storage.location.template": f"{location}${{account}}/{_KIND}/${{region}}/${{timestamp}}",
    }
    written = ",\n".join(f"  {hive(name)} = {hive(value)}" for name, value in properties.items())
    left = sum(found.kinds.values()) - folder.files
    return (
        commented(
            "an account or a region that comes later has to be added to its values",
            f"{counted(left, 'file')} of another kind or in other folders: not in the table" if left else None,
            found.left_out(),
        )
        + f"CREATE EXTERNAL TABLE {backticked(table)} (\n{columns}\n)\n"
        f"PARTITIONED BY ({', '.join(f'`{name}` string' for name in _PARTITIONS)})\n"
        "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\n"
        "STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'\n"
        "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n"
        f"LOCATION {hive(location)}\n"
        f"TBLPROPERTIES (\n{written}\n);"
    )


def _type(column: Column) -> str:
    if not column.members:
        return _JSON.get(column.path, "string")
    struct = f"struct<{','.join(f'{each.name.lower()}:{_type(each)}' for each in column.members)}>"
    return f"array<{struct}>" if column.kind == "list" else struct
