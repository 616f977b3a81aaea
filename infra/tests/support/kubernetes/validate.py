"""Holds objects of Kubernetes, a JSON list on stdin, against the published schemas of the versions that are named: a line for each fault."""

import json
import sys

import kubernetes_validate

for document in json.load(sys.stdin):
    for version in sys.argv[1:]:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
            name = f"{document.get('kind')} {document.get('metadata', {}).get('name')}"
            reason = getattr(error, "message", None) or str(error)
            print(f"{name} in {version}: {reason}")
