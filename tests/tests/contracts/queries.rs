//! The saved queries are those of `infra/queries`. `make queries` writes them anew.

use local::root;
use std::fmt::Write;
use std::path::PathBuf;

const HEAD: &str = "\
# Made from infra/queries/*.cwl by `make queries`: change those.
AWSTemplateFormatVersion: '2010-09-09'
Description: 'ahoy: saved queries for CloudWatch Logs Insights'

Parameters:
  StackName: {Type: String, Description: The stack whose log is asked.}
  LogGroupName: {Type: String, Description: Its log.}

Resources:
";

/// A query: its file's name without `.cwl`, and its text.
type Query = (String, String);

#[test]
fn the_saved_queries_are_the_files() {
    let (file, queries) = (root().join("infra/queries.yaml"), queries());
    assert!(!queries.is_empty(), "there are queries");
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&file, template(&queries)).expect("the template can be written");
    }
    let saved = std::fs::read_to_string(file).expect("the template is there");

    assert!(saved == template(&queries), "infra/queries.yaml is not what infra/queries makes: make queries");

    let mut broken = queries;
    broken[0].1 += "| limit 1\n";
    assert_ne!(saved, template(&broken));
}

#[test]
fn every_saved_query_is_the_text_of_its_file() {
    let made: serde_yaml_ng::Value = serde_yaml_ng::from_str(&template(&queries())).expect("it is YAML");

    for (name, text) in queries() {
        let query = &made["Resources"][key(&name).as_str()]["Properties"]["QueryString"];
        assert_eq!(query.as_str(), Some(text.as_str()), "{name}");
    }
}

fn queries() -> Vec<Query> {
    let folder = std::fs::read_dir(root().join("infra/queries")).expect("there are queries");
    let mut files: Vec<PathBuf> = folder.map(|entry| entry.expect("they can be read").path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a query has a name").to_owned();
        (name, std::fs::read_to_string(path).expect("a query is a text"))
    };
    files.iter().filter(|path| path.extension().is_some_and(|kind| kind == "cwl")).map(read).collect()
}

fn template(queries: &[Query]) -> String {
    let mut template = HEAD.to_owned();
    for (name, text) in queries {
        let text: String =
            text.lines().map(|line| format!("        {line}").trim_end().to_owned() + "\n").collect();
        write!(
            template,
            "  {}:\n    Type: AWS::Logs::QueryDefinition\n    Properties:\n      Name: !Sub '${{StackName}}/{name}'\n      \
             LogGroupNames: [!Ref LogGroupName]\n      QueryString: |\n{text}",
            key(name)
        )
        .expect("a text can be written to");
    }
    template
}

/// `one-call` is `OneCallQuery`: keys of a template are letters and digits.
fn key(name: &str) -> String {
    let words = name.split(['-', '_']).map(|word| word[..1].to_uppercase() + &word[1..]);
    words.collect::<String>() + "Query"
}
