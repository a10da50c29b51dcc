use super::*;
use crate::identity::role_arn;
use crate::secrets::Secrets;
use serde_json::json;

const TEMPLATE: &str = "
Parameters: {TableName: {Type: String, Default: ahoy}}
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Ref TableName
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      GlobalSecondaryIndexes: [{IndexName: due, KeySchema: [{AttributeName: gsi1pk, KeyType: HASH}]}]
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: !Ref AWS::StackName}}
  Secret: {Type: AWS::SecretsManager::Secret, Properties: {Name: !Sub '${AWS::StackName}/meta'}}
  Control:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: !Sub '${AWS::StackName}-control', Role: !GetAtt ControlRole.Arn}
  Tasks:
    Type: AWS::ECS::TaskDefinition
    Properties: {Family: !Sub '${AWS::StackName}-media', TaskRoleArn: !GetAtt TaskRole.Arn, ExecutionRoleArn: !GetAtt TaskRole.Arn}
  TaskRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem']
                Resource: !GetAtt Table.Arn
                Condition: {'ForAllValues:StringLike': {'dynamodb:LeadingKeys': ['CALL#*', 'TASK#1']}}
              - Effect: Allow
                Action: 'dynamodb:Query'
                Resource: !Sub '${Table.Arn}/index/due'
                Condition: {'ForAllValues:StringLike': {'dynamodb:LeadingKeys': ['DUE']}}
  ControlRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - {Effect: Allow, Action: ['dynamodb:PutItem', 'dynamodb:Query'], Resource: [!GetAtt Table.Arn, !Sub '${Table.Arn}/index/*']}
              - {Effect: Allow, Action: 'secretsmanager:GetSecretValue', Resource: !Ref Secret}
              - Effect: Allow
                Action: 'ecs:RunTask'
                Resource: !Sub 'arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:task-definition/${AWS::StackName}-media:*'
                Condition: {ArnEquals: {'ecs:cluster': !GetAtt Cluster.Arn}}
              - Effect: Allow
                Action: 'iam:PassRole'
                Resource: !GetAtt TaskRole.Arn
                Condition: {StringEquals: {'iam:PassedToService': ecs-tasks.amazonaws.com}}
";

#[test]
fn what_a_policy_allows_is_allowed_and_nothing_else() {
    let rights = Rights::of(TEMPLATE).unwrap();
    let table = arn("dynamodb", "table/ahoy");

    assert_eq!(rights.exercise("control-1", vec![AccessRequest::new("dynamodb:PutItem", &table)]), Ok(()));
    let index = format!("{table}/index/gsi1");
    assert_eq!(rights.exercise("control-1", vec![AccessRequest::new("dynamodb:Query", &index)]), Ok(()));

    let refusal =
        rights.exercise("control-1", vec![AccessRequest::new("dynamodb:Scan", &table)]).unwrap_err();
    assert_eq!(refusal.code, "AccessDeniedException");
    assert!(refusal.message.contains("ControlRole/control-1"));
    assert!(refusal.message.contains("dynamodb:Scan on resource: arn:aws:dynamodb"));
    let other = AccessRequest::new("dynamodb:PutItem", &arn("dynamodb", "table/other"));
    assert!(rights.exercise("control", vec![other]).is_err());
}

#[test]
fn a_condition_must_be_met() {
    let rights = Rights::of(TEMPLATE).unwrap();
    let run = |cluster: &str| {
        let definition = arn("ecs", "task-definition/media:1");
        AccessRequest::new("ecs:RunTask", &definition).under("ecs:cluster", &arn("ecs", cluster))
    };
    let pass = |service: &str| {
        AccessRequest::new("iam:PassRole", &role_arn("TaskRole")).under("iam:PassedToService", service)
    };

    let allowed = rights.exercise("control", vec![run("cluster/ahoy"), pass("ecs-tasks.amazonaws.com")]);
    assert_eq!(allowed, Ok(()));
    assert!(rights.exercise("control", vec![run("cluster/other")]).is_err());
    assert!(rights.exercise("control", vec![pass("ec2.amazonaws.com")]).is_err());
    assert_eq!(rights.passed_to("media"), [role_arn("TaskRole"), role_arn("TaskRole")]);
}

#[test]
fn a_missing_secret_is_denied_to_a_role_with_a_suffix_pattern() {
    let secrets = Secrets::new([("there".to_owned(), "{}".to_owned())].into());
    let ask = |allowed: &str, id: &str| {
        let template = TEMPLATE.replacen("!Ref Secret", &format!("'{}'", arn("secretsmanager", allowed)), 1);
        let rights = Rights::of(&template).unwrap();
        let body = json!({"SecretId": id}).to_string();
        let needs = access_requests::of_request(
            &rights,
            &secrets,
            "secretsmanager",
            "GetSecretValue",
            body.as_bytes(),
        );
        rights.exercise("control", needs).is_ok()
    };

    assert!(ask("secret:there-??????", "there"));
    assert!(!ask("secret:gone-??????", "gone"));
    assert!(ask("secret:gone", "gone"));
}

#[test]
fn every_item_of_a_request_needs_an_allowed_leading_key() {
    let rights = Rights::of(TEMPLATE).unwrap();
    let ask = |action: &str, request: Value| {
        let needs = access_requests::of_request(
            &rights,
            &no_secrets(),
            "dynamodb",
            action,
            request.to_string().as_bytes(),
        );
        rights.exercise("media-1", needs).map_err(|refusal| refusal.code)
    };
    let of = |pk: &str| json!({"pk": {"S": pk}, "sk": {"S": "STATE"}});
    let put = |pk: &str| json!({"TableName": "ahoy", "Item": of(pk)});
    let update = |pk: &str| json!({"TableName": "ahoy", "Key": of(pk)});
    let both =
        |one: &str, other: &str| json!({"TransactItems": [{"Put": put(one)}, {"Update": update(other)}]});
    let batch = |one: &str, other: &str| {
        let parts = [json!({"PutRequest": {"Item": of(one)}}), json!({"DeleteRequest": {"Key": of(other)}})];
        json!({"RequestItems": {"ahoy": parts}})
    };
    let query = |partition: &str| {
        json!({"TableName": "ahoy", "IndexName": "due", "KeyConditionExpression": "#pk = :pk AND #sk <= :now",
                "ExpressionAttributeNames": {"#pk": "gsi1pk", "#sk": "gsi1sk"},
                "ExpressionAttributeValues": {":pk": {"S": partition}, ":now": {"S": "9"}}})
    };
    let refused = || Err("AccessDeniedException".into());

    for (action, allowed, denied) in [
        ("PutItem", put("CALL#a"), put("NUMBER#1")),
        ("UpdateItem", update("TASK#1"), update("TASK#2")),
        ("DeleteItem", update("CALL#a"), update("AGENT#CALL#a")),
        ("TransactWriteItems", both("CALL#a", "TASK#1"), both("CALL#a", "NUMBER#1")),
        ("BatchWriteItem", batch("CALL#a", "CALL#b"), batch("CALL#a", "USER#1")),
        ("Query", query("DUE"), query("DAY#2026-11-22")),
    ] {
        assert_eq!(ask(action, allowed), Ok(()), "{action}");
        assert_eq!(ask(action, denied), refused(), "{action}");
    }
}

#[test]
fn who_is_not_in_the_template_may_do_everything() {
    let rights = Rights::of(TEMPLATE).unwrap();

    let scan = AccessRequest::new("dynamodb:Scan", "arn:aws:dynamodb:::x");
    assert_eq!(rights.exercise("rehearsal", vec![scan]), Ok(()));
}

#[test]
fn an_unused_right_is_found() {
    let rights = Rights::of(TEMPLATE).unwrap();
    let table = arn("dynamodb", "table/ahoy");
    rights.exercise("control", vec![AccessRequest::new("dynamodb:PutItem", &table)]).unwrap();

    let unused = rights.unused(&rights.exercised());

    assert_eq!(unused.len(), rights.granted().len() - 1);
    let used = Right { program: "control".into(), action: "dynamodb:PutItem".into(), resource: table };
    assert!(!unused.contains(&used), "{unused:?}");
}

fn no_secrets() -> Secrets {
    Secrets::new(BTreeMap::new())
}
