//! The two generated secrets of the template never change: any change makes CloudFormation generate them anew, and keys are gone.

use crate::template;

const META: &str = r#"
      GenerateSecretString:
        SecretStringTemplate: '{"app_secret": "", "access_token": ""}'
        GenerateStringKey: verify_token
        PasswordLength: 32
        ExcludePunctuation: true
"#;

const MEDIA: &str = r#"
      GenerateSecretString:
        SecretStringTemplate: '{"openai_api_key": "", "tool_secrets": {}}'
        GenerateStringKey: door_key
        PasswordLength: 64
        ExcludePunctuation: true
"#;

#[test]
fn the_generated_secrets_stay_byte_for_byte() {
    let template = template::text();

    assert_eq!(faults(&template), [""; 0]);

    for (was, becomes) in [
        ("PasswordLength: 64", "PasswordLength: 65"),
        ("{\"app_secret\": \"\", ", "{\"app_secret\": \"\","),
        ("ExcludePunctuation: true", "ExcludePunctuation: true\n        ExcludeNumbers: true"),
        ("  MediaSecret:\n", "  MediaKeys:\n"),
        ("'${AWS::StackName}/meta'", "'${AWS::StackName}/of-meta'"),
    ] {
        assert_ne!(faults(&template.replacen(was, becomes, 1)), [""; 0], "{becomes}");
    }
    let third = template.replacen("  LogGroup:\n", &format!("  Third:\n    Properties:{MARKS}  LogGroup:\n"), 1);
    assert_ne!(faults(&third), [""; 0], "a third one is no copy of today's door key");
}

const MARKS: &str = "\n      GenerateSecretString: {}\n";

fn faults(template: &str) -> Vec<String> {
    let mut faults = vec![];
    for (id, name, block) in [("MetaSecret", "meta", META), ("MediaSecret", "media", MEDIA)] {
        let resource = resource(template, id);
        let is_named = resource.contains(&format!("      Name: !Sub '${{AWS::StackName}}/{name}'\n"));
        // Followed by nothing that is of the same block.
        let is_same = resource.split_once(block).is_some_and(|(_, rest)| rest.trim().is_empty());
        if !is_named || !is_same || !resource.contains("UpdateReplacePolicy: Retain") {
            faults.push(format!("{id} is generated anew"));
        }
    }
    if template.matches("GenerateSecretString").count() != 2 {
        faults.push("only two secrets are generated".to_owned());
    }
    faults
}

/// The lines of a resource, up to the next one's.
fn resource<'a>(template: &'a str, id: &str) -> &'a str {
    let (_, rest) = template.split_once(&format!("\n  {id}:\n")).unwrap_or_default();
    let is_own = |line: &&str| line.starts_with("    ") || line.trim().is_empty();
    let length = rest.split_inclusive('\n').take_while(is_own).map(str::len).sum();
    &rest[..length]
}
