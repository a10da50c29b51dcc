"""Checks that the transformed template grants both rights a public function URL needs since October 2025."""

import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """Stands in for IAM, which would be asked for policies that we do not use."""

    def load(self):
        return {}


with open(sys.argv[1], encoding="utf-8") as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # Building and uploading come later.
        resource["Properties"]["CodeUri"] = "s3://bucket/key"

resources = transform(template, {}, NoManagedPolicies())["Resources"].values()
public = [
    resource["Properties"]
    for resource in resources
    if resource["Type"] == "AWS::Lambda::Permission" and resource["Properties"]["Principal"] == "*"
]
wanted = [
    {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Webhook"}, "InvokedViaFunctionUrl": True, "Principal": "*"},
    {"Action": "lambda:InvokeFunctionUrl", "FunctionName": {"Ref": "Webhook"}, "FunctionUrlAuthType": "NONE", "Principal": "*"},
]
if sorted(public, key=lambda right: right["Action"]) != wanted:
    sys.exit(f"Everybody may do this, and nothing else was meant than to ask the webhook by its URL: {public}")
