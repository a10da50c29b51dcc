"""Creates the transformed template in a simulated account (moto, in this process): every reference resolves, none in a circle. Checks that
it grants the public both rights that a function URL needs since October 2025, and no other.

It says nothing of what fails at run time: rights, quotas, an image. Two things are taken out first, which moto does not play: AWS::NoValue
inside a list, and outputs.
"""

import contextlib
import io
import json
import logging
import os
import re
import sys
import warnings

import boto3
from moto import mock_aws
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ahoy/media-task:moto"
# Where nested templates are uploaded to: moto reads them from its own S3.
BUCKET = "templates"


class NoManagedPolicies:
    """Stands in for IAM, which would be asked for policies that we do not use."""

    def load(self):
        return {}


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml_parse(file.read())


def without_no_value(value):
    """Removes AWS::NoValue from lists."""
    if isinstance(value, dict):
        return {key: without_no_value(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_no_value(each) for each in value if not is_optional(each)]
    return value


def is_optional(value):
    """Fn::If with AWS::NoValue, as an element of a list."""
    return isinstance(value, dict) and "Fn::If" in value and {"Ref": "AWS::NoValue"} in value["Fn::If"]


def transformed(template):
    """Returns the template after SAM's transform."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{BUCKET}/code.zip"
    result = transform(template, {}, NoManagedPolicies())
    result.pop("Outputs", None)
    for resource in result["Resources"].values():
        if resource["Type"] == "AWS::EC2::VPCEndpoint":
            resource["Properties"] = without_no_value(resource["Properties"])
    return result


def is_public(template):
    """Returns whether anyone may ask the webhook by its URL, and may do nothing else."""
    public = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission" and resource["Properties"]["Principal"] == "*"
    ]
    return sorted(public, key=lambda right: right["Action"]) == [
        {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Webhook"}, "InvokedViaFunctionUrl": True, "Principal": "*"},
        {"Action": "lambda:InvokeFunctionUrl", "FunctionName": {"Ref": "Webhook"}, "FunctionUrlAuthType": "NONE", "Principal": "*"},
    ]


def create(template, parameters):
    s3, cloudformation = boto3.client("s3"), boto3.client("cloudformation")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="code.zip", Body=b"PK\x05\x06" + bytes(18))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::CloudFormation::Stack":
            nested = resource["Properties"]["TemplateURL"]
            s3.put_object(Bucket=BUCKET, Key=nested, Body=open(nested, "rb").read())
            resource["Properties"]["TemplateURL"] = f"https://{BUCKET}.s3.amazonaws.com/{nested}"
    cloudformation.create_stack(
        StackName="ahoy",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    status = cloudformation.describe_stacks(StackName="ahoy")["Stacks"][0]["StackStatus"]
    made = cloudformation.list_stack_resources(StackName="ahoy")["StackResourceSummaries"]
    if status != "CREATE_COMPLETE":
        sys.exit(f"check-infra: in a simulated account the stack is {status}")
    return {resource["LogicalResourceId"] for resource in made}


def expected(template, said):
    """Returns the resources that must exist: all but those a condition leaves out, and types that moto does not support."""
    unplayed = {kind for warning in said for kind in re.findall(r"Tried to parse (\S+) but", str(warning.message))}
    wanted = {
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] not in unplayed and resource.get("Condition", "OwnVpc") == "OwnVpc"
    }
    return wanted, unplayed


def main():
    logging.disable(logging.WARNING)
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "MOTO_ALLOW_NONEXISTENT_REGION": "true"}
    template = transformed(read(sys.argv[1]))
    if not is_public(template):
        sys.exit("check-infra: the public must have both rights to ask the webhook by its URL, and no other right")
    with warnings.catch_warnings(record=True) as said, mock_aws(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("always")
        try:
            made = create(template, {"ImageUri": IMAGE})
        # Any exception is about the template: an unknown name is a KeyError, a circle a RecursionError.
        except Exception as error:
            sys.exit(f"check-infra: in a simulated account the stack cannot be made: {error!r}")
    wanted, unplayed = expected(template, said)
    if wanted - made:
        sys.exit(f"check-infra: in a simulated account these were not made: {', '.join(sorted(wanted - made))}")
    print(f"check-infra: {len(made)} resources were made in a simulated account, which does not play {', '.join(sorted(unplayed))}")


main()
