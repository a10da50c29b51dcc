//! `ahoy agents …` as an operator runs it: the real program, against DynamoDB's emulator.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod terminal;

use serde_json::{Value, json};
use terminal::{Terminal, agent, file};

#[tokio::test]
async fn every_wrong_file_is_told_in_one_line_and_the_right_ones_all_the_same() {
    let right = file("right.toml", &agent("shop", ""));
    let wrong = file("wrong.toml", &agent("shop", "[caps]\ncalls_an_hour = 0"));
    let terminal = Terminal::without_aws();

    let said = terminal.ahoy(&["agents", "check", &wrong, &right, "/nowhere.toml"]).await;

    assert_eq!(said.code, Some(1));
    assert_eq!(said.out, format!("{right}: ok, agent shop\n"));
    let lines: Vec<_> = said.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", said.err);
    assert!(lines[0].starts_with(&format!("{wrong}: line 6, caps.calls_an_hour: ")), "{}", lines[0]);
    assert_eq!(lines[1], "/nowhere.toml: No such file or directory");
}

#[tokio::test]
async fn right_files_are_checked_without_aws() {
    let right = file("alone.toml", &agent("shop", ""));

    let said = Terminal::without_aws().ahoy(&["agents", "check", &right]).await;

    assert_eq!((said.code, &said.err[..]), (Some(0), ""));
}

#[tokio::test]
async fn a_cap_that_cannot_be_counted_is_doubted_and_taken() {
    let terminal = Terminal::new().await;
    let more = "[model]\nname = \"gpt-realtime-9\"\n[caps]\ndollars_a_day = 5.0";
    let unpriced = file("unpriced.toml", &agent("shop", more));

    let checked = terminal.ahoy(&["agents", "check", &unpriced]).await;
    let pushed = terminal.ahoy(&["agents", "push", &unpriced]).await;

    let doubt =
        format!("{unpriced}: warning: caps.dollars_a_day limits nothing: gpt-realtime-9 has no price");
    for said in [checked, pushed] {
        assert!(said.err.starts_with(&doubt) && said.err.lines().count() == 1, "{said:?}");
        assert_eq!(said.code, Some(0));
    }
}

#[tokio::test]
async fn what_openai_refuses_is_neither_checked_nor_pushed() {
    let terminal = Terminal::new().await;
    let text = include_str!("../../fixtures/field-cases/agents/anyof.toml");
    let refused = file("anyof.toml", text);

    for command in ["check", "push"] {
        let said = terminal.ahoy(&["agents", command, &refused]).await;

        let wrong = format!("{refused}: line 12, tools.http[0].parameters: has anyOf at its top level");
        assert!(said.code == Some(1) && said.err.starts_with(&wrong), "{said:?}");
    }
}

#[tokio::test]
async fn whatever_has_no_price_is_doubted() {
    let more = "[model]\nname = \"gpt-realtime-9\"\ntranscription = { model = \"another-vendors\" }";
    let unpriced = file("unpriced-all.toml", &agent("shop", more));
    let priced = file("priced.toml", &agent("shop", "[model]\nname = \"gpt-realtime-2.1\""));

    let said = Terminal::without_aws().ahoy(&["agents", "check", &unpriced, &priced]).await;

    let doubts: Vec<_> = said.err.lines().collect();
    assert_eq!((said.code, doubts.len()), (Some(0), 2), "{said:?}");
    assert!(
        doubts[0].contains("warning: what calls cost is not known: gpt-realtime-9 has no price"),
        "{said:?}"
    );
    assert!(doubts[1].contains("warning: the transcriber is not counted"), "{said:?}");
}

#[tokio::test]
async fn an_id_as_short_as_a_telephone_number_is_doubted_and_taken() {
    let terminal = Terminal::new().await;
    let shop = file("short.toml", &agent("shop", ""));

    let said = terminal.ahoy(&["agents", "push", &shop, "--number", "15550001111"]).await;

    assert!(said.err.contains("warning: a --number has 11 digits"), "{said:?}");
    assert!(!said.err.contains("15550001111"), "{said:?}");
    assert_eq!(said.code, Some(0));
}

#[tokio::test]
async fn a_check_in_json_says_line_field_and_reason() {
    let wrong = file("json.toml", &agent("shop", "[caps]\ncalls_an_hour = 0"));

    let said = Terminal::without_aws().ahoy(&["agents", "check", "--json", &wrong]).await;

    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["files"][0]["line"], 6);
    assert_eq!(told["files"][0]["field"], "caps.calls_an_hour");
    assert_eq!((&told["files"][0]["ok"], said.code), (&json!(false), Some(1)));
}

#[tokio::test]
async fn a_push_says_whether_it_changed_anything_and_whose_calls_the_agent_takes() {
    let terminal = Terminal::new().await;
    let first = file("first.toml", &agent("shop", ""));
    let second = file("second.toml", &agent("shop", "[caps]\ncalls_an_hour = 3"));
    let unused = "No number has it yet: push it with --number and Meta's id of your number.\n";

    let new = terminal.ahoy(&["agents", "push", &first]).await;
    assert_eq!((new.out, new.code), (format!("shop: new\n{unused}"), Some(0)));
    let unchanged = terminal.ahoy(&["agents", "push", &first, "--number", "220000000000002"]).await;
    let takes = "It takes the calls of 220000000000002, from the next one on.\n";
    assert_eq!(unchanged.out, format!("shop: unchanged\n{takes}"));
    let updated = terminal.ahoy(&["agents", "push", &second]).await;

    assert_eq!(updated.out, format!("shop: updated\n{takes}"));
    let text = terminal.ledger().agent_of("220000000000002").await.unwrap().unwrap();
    assert!(text.contains("calls_an_hour = 3"));
}

#[tokio::test]
async fn a_number_that_another_agent_had_is_said_to_be_taken_over() {
    let terminal = Terminal::new().await;
    let [day, night] = ["day", "night"].map(|name| file(&format!("{name}.toml"), &agent(name, "")));
    terminal.ahoy(&["agents", "push", &day, "--number", "220000000000002"]).await;

    let said = terminal.ahoy(&["agents", "push", "--json", &night, "--number", "220000000000002"]).await;

    let wanted = json!({"agent": "night", "change": "new", "numbers": ["220000000000002"],
        "taken_over": [{"number": "220000000000002", "from": "day"}]});
    assert_eq!(serde_json::from_str::<Value>(&said.out).unwrap(), wanted);
}

#[tokio::test]
async fn a_wrong_file_is_not_pushed() {
    let terminal = Terminal::new().await;
    let wrong = file("unpushed.toml", "name = \"shop\"");

    let said = terminal.ahoy(&["agents", "push", &wrong, "--number", "220000000000002"]).await;

    assert_eq!((said.code, &said.out[..], said.err.lines().count()), (Some(1), "", 1));
    assert_eq!(terminal.ledger().agents().await.unwrap(), []);
    assert_eq!(terminal.ledger().numbers().await.unwrap(), []);
}

#[tokio::test]
async fn the_list_shows_agents_with_their_numbers() {
    let terminal = Terminal::new().await;
    let shop = file("listed.toml", &agent("shop", "[model]\nname = \"gpt-realtime-2.1-mini\""));
    let other = file("other.toml", &agent("atelier", "").replace("\"en\"", "\"fr\""));
    let numbers = ["--number", "220000000000002", "--number", "330000000000003"];
    terminal.ahoy(&[&["agents", "push", &shop], &numbers[..]].concat()).await;
    terminal.ahoy(&["agents", "push", &other]).await;

    let said = terminal.ahoy(&["agents", "list"]).await;

    let rows: Vec<Vec<_>> = said.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "LANGUAGE", "MODEL", "NUMBERS", "PUSHED"]);
    assert_eq!(rows[1][..4], ["atelier", "fr", "default", "none"]);
    let both = ["shop", "en", "gpt-realtime-2.1-mini", "220000000000002,", "330000000000003"];
    assert_eq!(rows[2][..5], both);
    assert_eq!((rows[2].last(), said.code), (Some(&"UTC"), Some(0)));
    assert!(!said.out.contains('\u{1b}'), "colours are for terminals");
}

#[tokio::test]
async fn the_list_in_json_has_what_a_script_needs() {
    let terminal = Terminal::new().await;
    let empty = terminal.ahoy(&["agents", "list", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&empty.out).unwrap(), json!({"agents": [], "astray": []}));
    terminal.ledger().assign("220000000000002", "ghost").await.unwrap();
    terminal.ahoy(&["agents", "push", &file("scripted.toml", &agent("shop", ""))]).await;

    let said = terminal.ahoy(&["agents", "list", "--json"]).await;

    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["agents"][0]["name"], "shop");
    assert_eq!(told["agents"][0]["numbers"], json!([]));
    assert_eq!(told["astray"], json!([{"number": "220000000000002", "agent": "ghost"}]));
}

#[tokio::test]
async fn an_empty_list_says_what_to_do() {
    let said = Terminal::new().await.ahoy(&["agents", "list"]).await;

    assert_eq!(said.out, "No agents yet. Push one: ahoy agents push FILE --number ID\n");
}

#[tokio::test]
async fn what_keeps_aws_from_us_is_said_in_one_line() {
    let there = Terminal::new().await;
    let list = ["agents", "list"];

    let cases = [
        (there.ahoy(&["agents", "list", "--table", "gone"]).await, "there is no table gone"),
        (Terminal::without_aws().ahoy(&list).await, "AWS cannot be reached"),
        (
            Terminal::without_aws().without("AWS_ACCESS_KEY_ID").ahoy(&list).await,
            "no AWS credentials were found",
        ),
        (Terminal::without_aws().without("AWS_REGION").ahoy(&list).await, "no AWS region is set"),
    ];

    for (said, why) in cases {
        assert_eq!((said.code, &said.out[..], said.err.lines().count()), (Some(1), "", 1), "{said:?}");
        assert!(said.err.starts_with(&format!("ahoy: {why}")), "{said:?}");
    }
}

/// A profile of each kind of login, none of them logged in.
const PROFILES: &str = "[profile sso]
sso_session = ours
sso_account_id = 123456789012
sso_role_name = deploys
[sso-session ours]
sso_region = us-east-1
sso_start_url = https://ours.example/start
[profile login]
login_session = arn:aws:iam::123456789012:user/ours
[profile process]
credential_process = /bin/false
";

#[tokio::test]
async fn a_login_that_is_over_is_said_with_what_to_run() {
    let home = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("logins");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::write(home.join("config"), PROFILES).unwrap();
    let at_home = |profile: &str| {
        let terminal = Terminal::without_aws().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
        terminal
            .with("HOME", home.to_str().unwrap())
            .with("AWS_CONFIG_FILE", home.join("config").to_str().unwrap())
            .with("AWS_PROFILE", profile)
    };

    for (profile, why) in [
        ("sso", "the SSO login of the profile sso is over: aws sso login --profile sso"),
        ("login", "the login of the profile login is over: aws login --profile login"),
        ("process", "the credential_process of the profile process failed: "),
        ("missing", "the AWS profile missing is not there: aws configure list-profiles"),
    ] {
        let said = at_home(profile).ahoy(&["agents", "list"]).await;

        assert_eq!((said.code, &said.out[..], said.err.lines().count()), (Some(1), "", 1), "{said:?}");
        assert!(said.err.starts_with(&format!("ahoy: {why}")), "{said:?}");
    }
}

#[tokio::test]
async fn a_command_line_that_is_not_understood_exits_with_64_and_help_with_0() {
    let terminal = Terminal::without_aws();

    assert_eq!(terminal.ahoy(&["agents", "sing"]).await.code, Some(64));
    assert_eq!(terminal.ahoy(&["agents", "push", "a.toml", "--number", "+15550001111"]).await.code, Some(64));
    assert_eq!(terminal.ahoy(&["--help"]).await.code, Some(0));
}
