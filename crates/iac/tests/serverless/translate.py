"""SAM's own translation: reads templates named on the command line (`-`: a JSON list of texts on stdin), prints a JSON list of
what each becomes, or of `{"error": words}`."""

import json
import sys

import boto3
from samtranslator.model.exceptions import ExceptionWithMessage
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PARAMETERS = {"AWS::Region": "us-east-1", "Owner": "me", "Pool": "pool"}


def translate(text):
    session = boto3.Session(region_name="us-east-1")
    try:
        template = yaml_parse(text)
        return Translator({}, Parser(), boto_session=session).translate(template, dict(PARAMETERS))
    except ExceptionWithMessage as error:
        causes = getattr(error, "causes", None) or [error]
        return {"error": "; ".join(cause.message for cause in causes)}
    except Exception as error:  # what SAM does not expect is an error of SAM's own
        return {"error": repr(error)}


if sys.argv[1:] == ["-"]:
    texts = json.load(sys.stdin)
else:
    texts = [open(path, encoding="utf-8").read() for path in sys.argv[1:]]
json.dump([translate(text) for text in texts], sys.stdout, default=str)
