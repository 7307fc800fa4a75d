"""What cfn-lint makes of intrinsic functions: reads a template on stdin whose resource `R` has expressions as properties, prints
for each property the list of values that it resolves to; with `loops`, the template with its loops unrolled."""

import json
import sys

from cfnlint.context import create_context_for_template
from cfnlint.jsonschema import CfnTemplateValidator
from cfnlint.template import Template
from cfnlint.template.transforms._language_extensions import language_extension

template = Template("t.json", json.load(sys.stdin), ["us-east-1"])
if sys.argv[1:] == ["loops"]:
    problems, unrolled = language_extension(template)
    json.dump({"problems": [str(p) for p in problems], "template": unrolled}, sys.stdout)
else:
    context = create_context_for_template(template)
    validator = CfnTemplateValidator({}, context=context, cfn=template)

    def resolve(expression):
        found = list(validator.resolve_value(expression))
        return [value for value, _, error in found] if all(error is None for _, _, error in found) else []

    properties = template.template["Resources"]["R"]["Properties"]
    json.dump({key: resolve(value) for key, value in properties.items()}, sys.stdout)
