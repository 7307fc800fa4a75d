"""Holds a report against the published description of its form: `validate.py FORM REPORT [SCHEMA]`. Prints what is wrong."""

import csv
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def json_schema(report, schema):
    """Against a JSON schema; a `$ref` to a neighbour is read from the schema's folder."""
    import jsonschema
    import referencing

    def neighbour(uri):
        return referencing.Resource.from_contents(json.loads((pathlib.Path(schema).parent / uri).read_text()))

    contents = json.loads(pathlib.Path(schema).read_text())
    kind = jsonschema.validators.validator_for(contents)
    checker = kind(contents, registry=referencing.Registry(retrieve=neighbour), format_checker=kind.FORMAT_CHECKER)
    for error in checker.iter_errors(json.loads(report)):
        yield f"{error.json_path}: {error.message[:300]}"


def json_lines(report, schema):
    """Each line by itself; there is at least one."""
    lines = report.splitlines()
    if not lines:
        yield "no line"
    for number, line in enumerate(lines):
        yield from (f"line {number}: {problem}" for problem in json_schema(line, schema))


def ocsf(report, _):
    """Against the models that other tools read OCSF findings with."""
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

    for number, finding in enumerate(map(json.loads, report.splitlines())):
        read = ComplianceFinding.model_validate(finding)
        if read.class_uid != 2003:
            yield f"[{number}]: class {read.class_uid}"
        if read.type_uid != read.class_uid * 100 + read.activity_id:
            yield f"[{number}]: type {read.type_uid}"


def asff(report, _):
    """Against the shape that BatchImportFindings takes, as AWS's own client checks it."""
    import botocore.session
    from botocore.validate import ParamValidator

    service = botocore.session.get_session().get_service_model("securityhub")
    shape = service.operation_model("BatchImportFindings").input_shape
    findings = json.loads(report)
    findings = findings.get("Findings", findings) if isinstance(findings, dict) else findings
    problems = ParamValidator().validate({"Findings": findings}, shape)
    if problems.has_errors():
        yield problems.generate_report()
    for number, finding in enumerate(findings):
        if finding["SchemaVersion"] != "2018-10-08" or len(finding["Title"]) > 256 or len(finding["Description"]) > 1024:
            yield f"[{number}]: version or lengths"


def junit(report, _):
    """Counts agree with what is listed, and every test case says where it belongs."""
    root = ElementTree.fromstring(report)
    suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
    if not suites:
        yield "no test suite"
    for suite in suites:
        cases = suite.findall("testcase")
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            said, found = int(suite.get(attribute, 0)), sum(case.find(tag) is not None for case in cases)
            if said != found:
                yield f"{suite.get('name')}: {attribute} {said}, listed {found}"
        if int(suite.get("tests")) != len(cases):
            yield f"{suite.get('name')}: tests {suite.get('tests')}, listed {len(cases)}"
        for case in cases:
            if not case.get("name") or not case.get("classname"):
                yield f"{suite.get('name')}: a case without a name"


def table(report, _):
    """Rows are as long as the header, and no cell begins as a formula does (OWASP, CSV injection)."""
    rows = list(csv.reader(report.splitlines(keepends=True)))
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            yield f"row {number}: {len(row)} cells"
        for cell in row:
            if cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
                yield f"row {number}: `{cell[:40]}` would run"


def lake(folder, schema):
    """The Parquet files below a folder, read by DuckDB; `schema` is a JSON file of what the rows of each class must hold."""
    import duckdb

    wanted = json.loads(pathlib.Path(schema).read_text())
    for name, rows in wanted.items():
        files = f"{folder}/{name}/**/*.parquet"
        table = duckdb.sql(f"select * from read_parquet('{files}', hive_partitioning = true)")
        got = [dict(zip(table.columns, row)) for row in table.fetchall()]
        if len(got) != len(rows):
            yield f"{name}: {len(got)} rows instead of {len(rows)}"
        for want in rows:
            if not any(all(part(row, path) == value for path, value in want.items()) for row in got):
                yield f"{name}: no row with {want} in {got}"
        packed = duckdb.sql(f"select distinct compression from parquet_metadata('{files}')").fetchall()
        if packed != [("ZSTD",)]:
            yield f"{name}: {packed}"


def part(value, path):
    for step in path.split("."):
        value = value[int(step)] if step.isdigit() and isinstance(value, list) else (value or {}).get(step)
    return value


FORMS = {"lake": lake, "json": json_schema, "jsonl": json_lines, "sarif": json_schema, "ocsf": ocsf, "asff": asff, "junit": junit, "csv": table}

if __name__ == "__main__":
    form, report, *schema = sys.argv[1:]
    report = report if form == "lake" else pathlib.Path(report).read_text()
    problems = list(FORMS[form](report, schema[0] if schema else None))
    print("\n".join(problems[:20]))
    sys.exit(1 if problems else 0)
