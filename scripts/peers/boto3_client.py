"""boto3 asks the simulated AWS what our programs ask of it: DynamoDB, Lambda, ECS and Secrets Manager."""

import json
import time
from decimal import Decimal

import boto3
from botocore.exceptions import ClientError
from speech import check, finish

TABLE, CLUSTER, SERVICE, FUNCTION = "ahoy", "ahoy", "media-task", "echo"


def refused(call, **arguments):
    """Returns the code of the error that a call ends with."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def dynamodb():
    client, table = boto3.client("dynamodb"), boto3.resource("dynamodb").Table(TABLE)
    now = int(time.time())
    item = {"pk": "CALL#1", "sk": "STATE", "version": 1, "gsi1pk": "DUE", "gsi1sk": str(now), "held_by": "t1", "ttl": now + 60}
    table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")
    read = table.get_item(Key={"pk": "CALL#1", "sk": "STATE"}, ConsistentRead=True)["Item"]
    check("an item is read as it was written", read == item, read)
    again = refused(table.put_item, Item=item, ConditionExpression="attribute_not_exists(pk)")
    check("a second write under a condition is refused", again == "ConditionalCheckFailedException", again)
    for _ in range(2):
        counted = table.update_item(
            Key={"pk": "SPENT#1", "sk": "DAY#2026-11-29"},
            UpdateExpression="ADD micro_dollars :more SET #ttl = :ttl",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues={":more": 20, ":ttl": now + 60},
            ReturnValues="UPDATED_NEW",
        )
    check("a counter adds up", counted["Attributes"]["micro_dollars"] == Decimal(40), counted)
    due = table.query(
        IndexName="gsi1",
        KeyConditionExpression="#due = :due AND gsi1sk <= :now",
        ExpressionAttributeNames={"#due": "gsi1pk"},
        ExpressionAttributeValues={":due": "DUE", ":now": str(now)},
    )
    check("the sparse index finds what is due", [(it["pk"], it["held_by"]) for it in due["Items"]] == [("CALL#1", "t1")], due["Items"])
    transactions(client)
    for n in range(5):
        table.put_item(Item={"pk": "CALL#1", "sk": f"JOURNAL#{n}"})
    pages = client.get_paginator("query").paginate(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :journal)",
        ExpressionAttributeValues={":pk": {"S": "CALL#1"}, ":journal": {"S": "JOURNAL#"}},
        PaginationConfig={"PageSize": 2},
    )
    found = [it["sk"]["S"] for page in pages for it in page["Items"]]
    check("pages follow each other in order", found == [f"JOURNAL#{n}" for n in range(5)], found)
    old = table.delete_item(Key={"pk": "CALL#1", "sk": "JOURNAL#0"}, ReturnValues="ALL_OLD")["Attributes"]
    check("a deleted item is returned", old["sk"] == "JOURNAL#0", old)


def transactions(client):
    put = lambda sk, **more: {"Put": {"TableName": TABLE, "Item": {"pk": {"S": "CALL#1"}, "sk": {"S": sk}, "version": {"N": "2"}}, **more}}
    unless_changed = {
        "ConditionExpression": "#version = :read",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":read": {"N": "1"}},
    }
    client.transact_write_items(TransactItems=[put("STATE", **unless_changed), put("ENTRY#1")])
    try:
        client.transact_write_items(TransactItems=[put("STATE", **unless_changed), put("ENTRY#2")])
        reasons = None
    except client.exceptions.TransactionCanceledException as error:
        reasons = [it["Code"] for it in error.response["CancellationReasons"]]
    check("a transaction is refused whole, with its reasons", reasons == ["ConditionalCheckFailed", "None"], reasons)


def functions():
    client = boto3.client("lambda")
    reply = client.invoke(FunctionName=FUNCTION, Payload=json.dumps({"call": 1}))
    heard = json.load(reply["Payload"])
    check("a function replies", reply["StatusCode"] == 200 and heard == {"heard": {"call": 1}}, heard)
    failed = client.invoke(FunctionName=FUNCTION, Payload=json.dumps({"raise": "on purpose"}))
    error = json.load(failed["Payload"])
    check("a function's error is a 200 that says so", "FunctionError" in failed and error["errorMessage"] == "on purpose", error)
    event = client.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b"{}")
    check("an event is taken at once", event["StatusCode"] == 202, event["StatusCode"])
    unknown = refused(client.invoke, FunctionName="unknown", Payload=b"{}")
    check("an unknown function is not found", unknown == "ResourceNotFoundException", unknown)


def tasks():
    client = boto3.client("ecs")
    run = {
        "cluster": CLUSTER,
        "taskDefinition": SERVICE,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "ENABLED"}},
        "clientToken": "c" * 32,
        "startedBy": "c" * 32,
        "overrides": {"containerOverrides": [{"name": SERVICE, "environment": [{"name": "LEAVE_AFTER_IDLE", "value": "60"}]}]},
    }
    first, second = client.run_task(**run), client.run_task(**run)
    arn = first["tasks"][0]["taskArn"]
    check("equal requests with one token start one task", second["tasks"][0]["taskArn"] == arn, second["tasks"])
    other = refused(client.run_task, **{**run, "startedBy": "d"})
    check("an unequal one is a conflict", other == "ConflictException", other)
    client.get_waiter("tasks_running").wait(cluster=CLUSTER, tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    check("boto3's waiter sees it run", True)
    listed = client.list_tasks(cluster=CLUSTER, startedBy="c" * 32)["taskArns"]
    check("it is listed by who started it", listed == [arn], listed)
    service = client.describe_services(cluster=CLUSTER, services=[SERVICE])["services"][0]
    check("the service is described", (service["desiredCount"], service["status"]) == (1, "ACTIVE"), service)
    protections(client, arn)
    client.stop_task(cluster=CLUSTER, task=arn, reason="no longer wanted")
    client.get_waiter("tasks_stopped").wait(cluster=CLUSTER, tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    task = client.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]
    check("a stopped task says why", (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "no longer wanted"), task)


def protections(client, lone):
    served = client.list_tasks(cluster=CLUSTER, serviceName=SERVICE)["taskArns"]
    protect = client.update_task_protection(cluster=CLUSTER, tasks=served, protectionEnabled=True, expiresInMinutes=60)
    check("a service's task is protected", protect["protectedTasks"][0]["protectionEnabled"], protect)
    seen = client.get_task_protection(cluster=CLUSTER, tasks=served)["protectedTasks"][0]
    check("and found protected", seen["protectionEnabled"] and seen["expirationDate"], seen)
    failed = client.update_task_protection(cluster=CLUSTER, tasks=[lone], protectionEnabled=True)["failures"]
    check("a task of RunTask cannot be", [it["reason"] for it in failed] == ["TASK_NOT_VALID"], failed)


def secrets():
    client = boto3.client("secretsmanager")
    secret = client.get_secret_value(SecretId="ahoy/meta")
    check("a secret is read", json.loads(secret["SecretString"]) == {"app_secret": "s"} and secret["VersionStages"] == ["AWSCURRENT"], secret)
    missing = refused(client.get_secret_value, SecretId="ahoy/unknown")
    check("an unknown secret is not found", missing == "ResourceNotFoundException", missing)


dynamodb()
functions()
tasks()
secrets()
finish()
