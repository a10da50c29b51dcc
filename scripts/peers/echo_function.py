#!/usr/bin/env python3
"""A Lambda function on the bare Runtime API: replies what it was asked, and raises when it is asked to."""

import json
import os
import urllib.request

RUNTIME = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def post(path, body):
    urllib.request.urlopen(urllib.request.Request(f"{RUNTIME}/{path}", json.dumps(body).encode())).close()


while True:
    with urllib.request.urlopen(f"{RUNTIME}/next") as response:
        request, event = response.headers["Lambda-Runtime-Aws-Request-Id"], json.load(response)
    if event.get("raise"):
        post(f"{request}/error", {"errorType": "Raised", "errorMessage": event["raise"]})
    else:
        post(f"{request}/response", {"heard": event})
