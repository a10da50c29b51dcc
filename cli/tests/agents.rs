//! `ahoy agents`, run as the real program against an emulated DynamoDB.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod terminal;
mod try_tool;

use serde_json::{Value, json};
use terminal::{Terminal, agent, file};

#[tokio::test]
async fn every_file_is_checked_and_each_error_is_one_line() {
    let right = file("right.toml", &agent("shop", ""));
    let wrong = file("wrong.toml", &agent("shop", "[caps]\ncalls_an_hour = 0"));
    let terminal = Terminal::without_aws();

    let output = terminal.ahoy(&["agents", "check", &wrong, &right, "/nowhere.toml"]).await;

    assert_eq!(output.code, Some(1));
    assert_eq!(output.out, format!("{right}: ok, agent shop\n"));
    let lines: Vec<_> = output.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", output.err);
    assert!(lines[0].starts_with(&format!("{wrong}: line 6, caps.calls_an_hour: ")), "{}", lines[0]);
    assert_eq!(lines[1], "/nowhere.toml: No such file or directory");
}

#[tokio::test]
async fn files_are_checked_without_aws() {
    let right = file("alone.toml", &agent("shop", ""));

    let output = Terminal::without_aws().ahoy(&["agents", "check", &right]).await;

    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
}

#[tokio::test]
async fn a_transfer_is_noted_to_be_for_telephone_calls_alone() {
    let transfers = file("transfers.toml", &agent("shop", "[transfer]\ntarget = \"tel:+35621000000\""));

    let output = Terminal::without_aws().ahoy(&["agents", "check", &transfers]).await;

    let note = "note: shop transfers calls by telephone; on WhatsApp it is not offered the tool";
    assert_eq!(output.out, format!("{transfers}: ok, agent shop\n{transfers}: {note}\n"));
    assert_eq!((output.code, &output.err[..]), (Some(0), ""));
}

#[tokio::test]
async fn what_other_systems_learn_is_noted() {
    let more = "lookup = { url = 'https://a.example/l', sign_with = 's' }\n[tools]\nallowed_hosts = ['a.example']\n\
                [after]\nurl = 'https://a.example/a'\nsign_with = 's'\ntranscript = true\n\
                [[tools.http]]\nname = 't'\ndescription = 'd'\nurl = 'https://a.example/t'\nsign_with = 's'\n\
                tells_caller = true\n[model]\ntranscription = false\n";
    let noted = file("noted.toml", &agent("shop", more));

    let output = Terminal::without_aws().ahoy(&["agents", "check", &noted]).await;

    let note = |text: &str| format!("{noted}: note: shop {text}\n");
    let notes = [
        note("asks a.example who calls; no call waits for it"),
        note("tells a.example who calls, by the tool t"),
        note("delivers call.ended to a.example, with the transcript"),
    ];
    assert_eq!(output.out, format!("{noted}: ok, agent shop\n{}", notes.concat()), "{output:?}");
    let warning = "warning: after.transcript has only the agent's words: model.transcription is off\n";
    assert_eq!(output.err, format!("{noted}: {warning}"));
}

#[tokio::test]
async fn a_lookup_that_may_choose_an_unknown_agent_is_a_warning() {
    let terminal = Terminal::new().await;
    let more = "tools.allowed_hosts = ['a.example']\nlookup = { url = 'https://a.example/l', sign_with = 's', may_override = ['other'] }";
    let shop = file("overrides.toml", &agent("shop", more));

    let before = terminal.ahoy(&["agents", "push", &shop]).await;
    terminal.ahoy(&["agents", "push", &file("other.toml", &agent("other", ""))]).await;
    let after = terminal.ahoy(&["agents", "push", &shop]).await;

    let warning = format!("{shop}: warning: lookup.may_override names other, which is not pushed yet\n");
    assert_eq!((before.err, before.code), (warning, Some(0)));
    assert_eq!((after.err.as_str(), after.code), ("", Some(0)));
}

#[tokio::test]
async fn a_cap_on_an_unpriced_model_is_a_warning() {
    let terminal = Terminal::new().await;
    let more = "[model]\nname = \"gpt-realtime-9\"\n[caps]\ndollars_a_day = 5.0";
    let unpriced = file("unpriced.toml", &agent("shop", more));

    let checked = terminal.ahoy(&["agents", "check", &unpriced]).await;
    let pushed = terminal.ahoy(&["agents", "push", &unpriced]).await;

    let warning =
        format!("{unpriced}: warning: caps.dollars_a_day limits nothing: gpt-realtime-9 has no price");
    for output in [checked, pushed] {
        assert!(output.err.starts_with(&warning) && output.err.lines().count() == 1, "{output:?}");
        assert_eq!(output.code, Some(0));
    }
}

#[tokio::test]
async fn a_schema_that_openai_refuses_is_not_pushed() {
    let terminal = Terminal::new().await;
    let text = include_str!("../../fixtures/field-cases/agents/anyof.toml");
    let refused = file("anyof.toml", text);

    for command in ["check", "push"] {
        let output = terminal.ahoy(&["agents", command, &refused]).await;

        let wrong = format!("{refused}: line 12, tools.http[0].parameters: has anyOf at its top level");
        assert!(output.code == Some(1) && output.err.starts_with(&wrong), "{output:?}");
    }
}

#[tokio::test]
async fn models_without_a_price_are_warnings() {
    let more = "tools.allowed_hosts = [\"a.example\"]\n[model]\nname = \"gpt-realtime-9\"\n\
                transcription = { model = \"another-vendors\" }\n[after]\nurl = \"https://a.example\"\n\
                sign_with = \"s\"\nextract = { model = \"another\", summary = true }";
    let unpriced = file("unpriced-all.toml", &agent("shop", more));
    let priced = file("priced.toml", &agent("shop", "[model]\nname = \"gpt-realtime-2.1\""));

    let output = Terminal::without_aws().ahoy(&["agents", "check", &unpriced, &priced]).await;

    let warnings: Vec<_> = output.err.lines().collect();
    assert_eq!((output.code, warnings.len()), (Some(0), 3), "{output:?}");
    assert!(
        warnings[0].contains("warning: the cost of calls is unknown: gpt-realtime-9 has no price"),
        "{output:?}"
    );
    assert!(warnings[1].contains("warning: transcription is not counted"), "{output:?}");
    assert!(
        warnings[2].contains("warning: after.extract is not counted in the cost of calls: another"),
        "{output:?}"
    );
}

#[tokio::test]
async fn an_id_as_short_as_a_phone_number_is_a_warning() {
    let terminal = Terminal::new().await;
    let shop = file("short.toml", &agent("shop", ""));

    let output = terminal.ahoy(&["agents", "push", &shop, "--number", "15550001111"]).await;

    assert!(output.err.contains("warning: a --number has 11 digits"), "{output:?}");
    assert!(!output.err.contains("15550001111"), "{output:?}");
    assert_eq!(output.code, Some(0));
}

#[tokio::test]
async fn check_prints_line_field_and_reason_as_json() {
    let wrong = file("json.toml", &agent("shop", "[caps]\ncalls_an_hour = 0"));

    let output = Terminal::without_aws().ahoy(&["agents", "check", "--json", &wrong]).await;

    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(report["files"][0]["line"], 6);
    assert_eq!(report["files"][0]["field"], "caps.calls_an_hour");
    assert_eq!((&report["files"][0]["ok"], output.code), (&json!(false), Some(1)));
}

#[tokio::test]
async fn push_prints_the_change_and_the_agents_numbers() {
    let terminal = Terminal::new().await;
    let first = file("first.toml", &agent("shop", ""));
    let second = file("second.toml", &agent("shop", "[caps]\ncalls_an_hour = 3"));
    let unused = "No number is assigned to it yet: push it with --number and Meta's id of your number.\n";

    let new = terminal.ahoy(&["agents", "push", &first]).await;
    assert_eq!((new.out, new.code), (format!("shop: new\n{unused}"), Some(0)));
    let unchanged = terminal.ahoy(&["agents", "push", &first, "--number", "220000000000002"]).await;
    let takes = "It takes calls to 220000000000002 from the next call on.\n";
    assert_eq!(unchanged.out, format!("shop: unchanged\n{takes}"));
    let updated = terminal.ahoy(&["agents", "push", &second]).await;

    assert_eq!(updated.out, format!("shop: updated\n{takes}"));
    let text = terminal.store().agent_of(&"220000000000002".into()).await.unwrap().unwrap();
    assert!(text.contains("calls_an_hour = 3"));
}

#[tokio::test]
async fn push_prints_the_agent_that_had_the_number_before() {
    let terminal = Terminal::new().await;
    let [day, night] = ["day", "night"].map(|name| file(&format!("{name}.toml"), &agent(name, "")));
    terminal.ahoy(&["agents", "push", &day, "--number", "220000000000002"]).await;

    let output = terminal.ahoy(&["agents", "push", "--json", &night, "--number", "220000000000002"]).await;

    let wanted = json!({"agent": "night", "change": "new", "numbers": ["220000000000002"],
        "taken_over": [{"number": "220000000000002", "from": "day"}]});
    assert_eq!(serde_json::from_str::<Value>(&output.out).unwrap(), wanted);
}

#[tokio::test]
async fn an_invalid_file_is_not_pushed() {
    let terminal = Terminal::new().await;
    let wrong = file("unpushed.toml", "name = \"shop\"");

    let output = terminal.ahoy(&["agents", "push", &wrong, "--number", "220000000000002"]).await;

    assert_eq!((output.code, &output.out[..], output.err.lines().count()), (Some(1), "", 1));
    assert_eq!(terminal.store().agents().await.unwrap(), []);
    assert_eq!(terminal.store().numbers().await.unwrap(), []);
}

#[tokio::test]
async fn a_telephone_number_is_known_by_its_name() {
    let terminal = Terminal::new().await;
    let shop = file("telephone.toml", &agent("shop", ""));

    let output =
        terminal.ahoy(&["agents", "push", &shop, "--number", "+356 2100-0000", "--as", "malta"]).await;

    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(output.out.contains("It takes calls to malta") && !output.out.contains("2100"), "{output:?}");
    let store = terminal.store();
    assert_eq!(store.name_of_dialled("35621000000").await.unwrap(), Some("malta".into()));
    assert_eq!(store.number(&"malta".into()).await.unwrap().agent.as_deref(), Some("shop"));
}

#[tokio::test]
async fn a_telephone_number_and_its_name_come_together() {
    let terminal = Terminal::without_aws();
    for arguments in [
        &["--number", "+35621000000"][..],
        &["--as", "malta"],
        &["--number", "220000000000002", "--as", "malta"],
    ] {
        let output = terminal.ahoy(&[&["agents", "push", "a.toml"], arguments].concat()).await;
        assert_eq!(output.code, Some(64), "{output:?}");
    }
}

#[tokio::test]
async fn list_prints_agents_with_their_numbers() {
    let terminal = Terminal::new().await;
    let shop = file("listed.toml", &agent("shop", "[model]\nname = \"gpt-realtime-2.1-mini\""));
    let other = file("other.toml", &agent("atelier", "").replace("\"en\"", "\"fr\""));
    let numbers = ["--number", "220000000000002", "--number", "330000000000003"];
    terminal.ahoy(&[&["agents", "push", &shop], &numbers[..]].concat()).await;
    terminal.ahoy(&["agents", "push", &other]).await;

    let output = terminal.ahoy(&["agents", "list"]).await;

    let rows: Vec<Vec<_>> = output.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "LANGUAGE", "MODEL", "NUMBERS", "PUSHED"]);
    assert_eq!(rows[1][..4], ["atelier", "fr", "default", "none"]);
    let both = ["shop", "en", "gpt-realtime-2.1-mini", "220000000000002,", "330000000000003"];
    assert_eq!(rows[2][..5], both);
    assert_eq!((rows[2].last(), output.code), (Some(&"UTC"), Some(0)));
    assert!(!output.out.contains('\u{1b}'), "colours go to terminals only");
}

#[tokio::test]
async fn list_prints_agents_and_missing_ones_as_json() {
    let terminal = Terminal::new().await;
    let empty = terminal.ahoy(&["agents", "list", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&empty.out).unwrap(), json!({"agents": [], "astray": []}));
    terminal.store().assign(&"220000000000002".into(), "ghost").await.unwrap();
    terminal.ahoy(&["agents", "push", &file("scripted.toml", &agent("shop", ""))]).await;

    let output = terminal.ahoy(&["agents", "list", "--json"]).await;

    let report: Value = serde_json::from_str(&output.out).unwrap();
    assert_eq!(report["agents"][0]["name"], "shop");
    assert_eq!(report["agents"][0]["numbers"], json!([]));
    assert_eq!(report["astray"], json!([{"number": "220000000000002", "agent": "ghost"}]));
}

#[tokio::test]
async fn an_empty_list_says_how_to_push() {
    let output = Terminal::new().await.ahoy(&["agents", "list"]).await;

    assert_eq!(output.out, "No agents yet. Push one: ahoy agents push FILE --number ID\n");
}

#[tokio::test]
async fn aws_errors_are_one_line() {
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

    for (output, why) in cases {
        assert_eq!(
            (output.code, &output.out[..], output.err.lines().count()),
            (Some(1), "", 1),
            "{output:?}"
        );
        assert!(output.err.starts_with(&format!("ahoy: {why}")), "{output:?}");
    }
}

/// One profile for each kind of login, none of them logged in.
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
async fn an_expired_login_is_reported_with_the_command_to_run() {
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
        ("sso", "the SSO login of the profile sso has expired: run aws sso login --profile sso"),
        ("login", "the login of the profile login has expired: run aws login --profile login"),
        ("process", "the credential_process of the profile process failed: "),
        ("missing", "there is no AWS profile missing: aws configure list-profiles"),
    ] {
        let output = at_home(profile).ahoy(&["agents", "list"]).await;

        assert_eq!(
            (output.code, &output.out[..], output.err.lines().count()),
            (Some(1), "", 1),
            "{output:?}"
        );
        assert!(output.err.starts_with(&format!("ahoy: {why}")), "{output:?}");
    }
}

#[tokio::test]
async fn wrong_usage_exits_with_64_and_help_with_0() {
    let terminal = Terminal::without_aws();

    assert_eq!(terminal.ahoy(&["agents", "sing"]).await.code, Some(64));
    assert_eq!(terminal.ahoy(&["agents", "push", "a.toml", "--number", "+15550001111"]).await.code, Some(64));
    assert_eq!(terminal.ahoy(&["--help"]).await.code, Some(0));
}
