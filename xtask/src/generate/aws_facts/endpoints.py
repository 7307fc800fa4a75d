"""Prints, for each service named on the command line, the endpoint that botocore's own rules give in every Region.

One JSON object a line: {"service", "region", "partition", "url", "signing_region", "signing_name"}. The account stands as
000000000000 in the URL where the rules put it there. A Region for which the rules give no endpoint has no line.
"""

import json
import sys

import botocore.exceptions
import botocore.loaders
from botocore.endpoint_provider import EndpointProvider

loader = botocore.loaders.Loader()
partitions = loader.load_data("partitions")
for service in sys.argv[1:]:
    rules = loader.load_service_model(service, "endpoint-rule-set-1")
    provider = EndpointProvider(rules, partitions)
    for partition in partitions["partitions"]:
        for region in sorted(partition["regions"]):
            if region.endswith("-global"):
                continue
            wanted = {
                "Region": region,
                "UseDualStack": False,
                "UseFIPS": False,
                "RequiresAccountId": True,
                "AccountId": "000000000000",
                "AccountIdEndpointMode": "disabled",
                "ServiceType": service.upper(),
            }
            known = {name: value for name, value in wanted.items() if name in rules["parameters"]}
            try:
                endpoint = provider.resolve_endpoint(**known)
            except botocore.exceptions.EndpointProviderError:
                continue
            schemes = [s for s in endpoint.properties.get("authSchemes", []) if s["name"] == "sigv4"] or [{}]
            print(
                json.dumps(
                    {
                        "service": service,
                        "region": region,
                        "partition": partition["id"],
                        "url": endpoint.url,
                        "signing_region": schemes[0].get("signingRegion"),
                        "signing_name": schemes[0].get("signingName"),
                    }
                )
            )
