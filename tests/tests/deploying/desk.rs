//! A folder with the scripts in it and, first on the PATH, programs that write down what they are asked.

use local::root;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Pushes images.
pub(crate) const PASSWORD: &str = "registry-password-1b2c";
/// What the account's secret holds already.
pub(crate) const STORED_APP_SECRET: &str = "stored-app-secret";
/// As well.
pub(crate) const STORED_VERIFY_TOKEN: &str = "stored-verify-token";

/// Files of the project that scripts read.
const READ: [&str; 6] = [
    "template.yaml",
    "infra/repository.yaml",
    "infra/deploy-rights.txt",
    "infra/prices.toml",
    "crates/realtime/prices.toml",
    "docs/bench/load.csv",
];

const SAMCONFIG: &str = r#"
version = 0.1
[small.deploy.parameters]
stack_name = "ahoy"
parameter_overrides = ["WarmTasks=1", "MaxTasks=4"]
"#;

/// Writes each request down, fails where it is told to, and answers as an account would.
const RECORDER: &str = r#"#!/bin/bash
name=$(basename "$0")
arguments=("$@")
if [ "$name" = buildah ]; then
  while [[ "${arguments[0]}" == --* ]]; do arguments=("${arguments[@]:2}"); done
fi
echo "$name ${arguments[*]}" >> "$JOURNAL"
# As botocore does: a profile that is named has to be somewhere.
if [ "$AWS_CONFIG_FILE" = /dev/null ] && [ -n "$AWS_PROFILE$AWS_DEFAULT_PROFILE" ]; then
  echo "The config profile ($AWS_PROFILE$AWS_DEFAULT_PROFILE) could not be found" >&2
  exit 255
fi
if [ -n "$FAIL_AT" ]; then case "$name ${arguments[*]}" in *"$FAIL_AT"*) exit 1 ;; esac; fi
case "$name ${arguments[*]}" in
  "sleep "*) read -rt 0.01 <> <(:) || true ;;
  "make infra-tools") [ -n "$WITHOUT_SAM" ] || [ -e "$(dirname "$0")/sam" ] || ln -s ../recorder "$(dirname "$0")/sam" ;;
  "aws configure get region") echo eu-central-1 ;;
  "aws sts get-caller-identity"*) echo "${CALLER:-arn:aws:iam::123456789012:user/deployer}" ;;
  "aws iam get-role --role-name AWSServiceRoleFor"*) [ -z "$NEW_ACCOUNT" ] ;;
  "aws iam get-role --role-name "*Role.Arn*) echo "arn:aws:iam::123456789012:role/aws-reserved/${arguments[3]}" ;;
  "aws iam create-service-linked-role"*)
    if [ "$NEW_ACCOUNT" = taken ]; then
      echo "An error occurred (InvalidInput): Service role name AWSServiceRoleForECS has been taken in this account" >&2
      exit 254
    fi ;;
  "aws iam simulate-principal-policy"*) [ "$LACKING" = unknown ] && exit 254; echo "${LACKING:-None}" ;;
  "aws service-quotas get-service-quota"*) echo "${VCPUS:-6.0}" ;;
  "aws lambda get-account-settings"*) printf '%s\t%s\n' ${CONCURRENCY:-1000 1000} ;;
  "aws lambda get-function-concurrency --function-name "*call-control*) echo "${RESERVED:-None}" ;;
  "aws lambda get-function-concurrency"*) echo None ;;
  "aws ecs describe-services"*events*) if [ -n "$EVENTS" ] && grep -q '^sam deploy' "$JOURNAL"; then printf '1\t%s\n' "$EVENTS"; fi ;;
  "aws ecs describe-services"*) printf '%s\t%s\t%s\n' ${RUNS:-1 1 COMPLETED} ;;
  "aws ecs list-tasks"*"--desired-status STOPPED"*) echo arn:aws:ecs:eu-central-1:123456789012:task/ahoy/dead ;;
  "aws ecs describe-tasks"*stoppedReason*) echo "CannotPullContainerError: no such image" ;;
  "aws cloudformation list-stack-resources"*) [ -z "$LIVE" ] || echo MediaService ;;
  "sam deploy"*) if [ -n "$EVENTS" ]; then
      for _ in {1..100}; do
        [ "$(grep -c 'describe-services.*events' "$JOURNAL")" -lt 3 ] || break
        read -rt 0.05 <> <(:) || true
      done
    fi ;;
  "aws cloudformation list-change-sets"*) if [ -n "$REFUSED" ] && grep -q '^sam deploy' "$JOURNAL"; then echo samcli-deploy1; fi ;;
  "ahoy doctor "*) cat "$ACCOUNT/doctor"; ! grep -q '"finding": "wrong"' "$ACCOUNT/doctor" ;;
  "aws ecr describe-images"*) [ -n "$IMAGE_IS_THERE" ] ;;
  "aws ecr get-login-password") echo registry-password-1b2c ;;
  "buildah login"*) grep -qx registry-password-1b2c ;;
  "docker"*) exit 1 ;;
  "aws cloudformation describe-stacks --stack-name ahoy-images"*StackStatus*) echo "${STATUS_OF_IMAGES:-CREATE_COMPLETE}" ;;
  "aws cloudformation describe-stacks --stack-name "*"Stacks[0].StackStatus"*) [ "${STATUS:-none}" != none ] && echo "$STATUS" ;;
  "aws cloudformation describe-stacks --stack-name "*REVIEW_IN_PROGRESS*) [ "${STATUS:-none}" = none ] || echo ahoy ;;
  "aws dynamodb describe-table --table-name "*ProjectionType*) echo "${INDEX:-None}" ;;
  "aws dynamodb describe-table --table-name "*) [ -n "$LEFT" ] && echo "${arguments[3]}" ;;
  "aws secretsmanager describe-secret --secret-id "*"/marks --query DeletedDate"*)
    if [ -n "$LEFT" ] || [ -e "$ACCOUNT/marks" ]; then echo "${MARKS_DELETED:-None}"; else
      echo "An error occurred (ResourceNotFoundException) when calling the DescribeSecret operation" >&2
      exit 254
    fi ;;
  "aws secretsmanager describe-secret --secret-id ahoy/media"*)
    { [ -n "$LEFT" ] || [ "${STATUS:-none}" != none ]; } && echo arn:aws:secretsmanager:eu-central-1:123456789012:secret:ahoy/media-AbCdEf ;;
  "aws secretsmanager describe-secret --secret-id "*) [ -n "$LEFT" ] && echo "arn:aws:secretsmanager:eu-central-1:123456789012:secret:${arguments[3]}-AbCdEf" ;;
  "aws logs describe-log-groups --log-group-name-prefix "*) [ -z "$LEFT" ] || echo "${arguments[3]}" ;;
  "aws ecs list-tasks"*) echo arn:aws:ecs:eu-central-1:123456789012:task/ahoy/warm arn:aws:ecs:eu-central-1:123456789012:task/ahoy/alone ;;
  "aws ecs describe-tasks"*"'family:'"*) echo arn:aws:ecs:eu-central-1:123456789012:task/ahoy/alone ;;
  "aws cloudformation describe-stacks"*RepositoryUri*) echo 123456789012.dkr.ecr.eu-central-1.amazonaws.com/ahoy/media-task ;;
  "aws cloudformation describe-stacks"*WebhookUrl*) echo https://hook.example/webhook ;;
  "aws secretsmanager create-secret --name "*"/marks --secret-string file:///dev/stdin"*) cat > "$ACCOUNT/marks" ;;
  "aws secretsmanager get-secret-value --secret-id ahoy/meta"*) cat "$ACCOUNT/meta" ;;
  "aws secretsmanager get-secret-value --secret-id ahoy/media"*) cat "$ACCOUNT/media" ;;
  "aws secretsmanager get-secret-value --secret-id Shop/"*) cat "$ACCOUNT/$(basename "${arguments[3]}")" ;;
  "aws secretsmanager "*"-secret"*" Shop/"*" --secret-string file:///dev/stdin"*) cat >/dev/null ;;
  "aws secretsmanager put-secret-value --secret-id ahoy/meta --secret-string file:///dev/stdin") cat > "$ACCOUNT/meta" ;;
  "aws secretsmanager put-secret-value --secret-id ahoy/media --secret-string file:///dev/stdin") cat > "$ACCOUNT/media" ;;
esac
"#;

/// What the doctor finds where nothing is wrong yet but Meta's side.
const DOCTOR: &str = r#"{"healthy": false, "checks": [
  {"name": "calling-enabled", "finding": "wrong", "says": "calling is not enabled", "fixable": true},
  {"name": "table", "finding": "fine", "says": "the table is there", "fixable": false},
  {"name": "warm-tasks", "finding": "fine", "says": "one media task takes calls", "fixable": false},
  {"name": "meta-secret", "finding": "fine", "says": "the secret is there", "fixable": false},
  {"name": "media-secret", "finding": "fine", "says": "the secret is there", "fixable": false},
  {"name": "webhook-challenge", "finding": "fine", "says": "the webhook answers", "fixable": false},
  {"name": "webhook-signed", "finding": "fine", "says": "a signed notice is accepted", "fixable": false},
  {"name": "webhook-forged", "finding": "fine", "says": "a forged notice is rejected", "fixable": false}]}"#;

/// A place to deploy from, and the account behind it.
pub(crate) struct Desk(PathBuf);

pub(crate) struct Done {
    pub(crate) code: i32,
    /// Both outputs, as on a screen.
    pub(crate) said: String,
}

/// A new desk, from which the deployment went well.
pub(crate) fn deployed(settings: &[(&str, &str)]) -> (Desk, Done) {
    let desk = Desk::new();
    let done = desk.run("deploy.sh", settings).went_well();
    (desk, done)
}

/// A new desk, from which it failed.
pub(crate) fn refused(settings: &[(&str, &str)]) -> (Desk, Done) {
    let desk = Desk::new();
    let done = desk.run("deploy.sh", settings).failed();
    (desk, done)
}

impl Done {
    pub(crate) fn went_well(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.said);
        self
    }

    pub(crate) fn failed(self) -> Self {
        assert_ne!(self.code, 0, "{}", self.said);
        self
    }

    pub(crate) fn says(&self, words: &str) {
        assert!(self.said.contains(words), "{words}: {}", self.said);
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        let name = std::thread::current().name().unwrap_or("deploying").replace("::", "-");
        let folder = root().join("target/deploying").join(format!("{name}-{:x}", unique()));
        let desk = Self(folder);
        let places =
            ["bin", "account", "media-task", "infra", "target/ship/arm64", "target/debug", "scripts"];
        for place in places.into_iter().chain(["crates/realtime", "docs/bench"]) {
            fs::create_dir_all(desk.0.join(place)).expect("the folder is ours");
        }
        for script in fs::read_dir(root().join("scripts")).expect("there are scripts") {
            let script = script.expect("it can be read");
            if script.path().is_dir() {
                continue;
            }
            fs::copy(script.path(), desk.0.join("scripts").join(script.file_name()))
                .expect("it can be copied");
        }
        desk.write("samconfig.toml", SAMCONFIG);
        for file in READ {
            fs::copy(root().join(file), desk.0.join(file)).expect("it can be copied");
        }
        desk.write("account/doctor", DOCTOR);
        desk.write("media-task/Containerfile", "FROM scratch");
        desk.write("target/ship/architecture", "arm64");
        desk.write("target/ship/arm64/media-task", "a program");
        desk.write(
            "account/meta",
            &format!(r#"{{"app_secret": "{STORED_APP_SECRET}", "verify_token": "{STORED_VERIFY_TOKEN}", "access_token": "stored-token"}}"#),
        );
        desk.write(
            "account/media",
            r#"{"openai_api_key": "", "door_key": "stored-door-key", "tool_secrets": {"crm": "stored-crm-key"}}"#,
        );
        desk.program("recorder", RECORDER);
        for program in ["aws", "sam", "make", "cargo", "docker", "buildah", "sleep"] {
            symlink("../recorder", desk.0.join("bin").join(program)).expect("it is not there yet");
        }
        symlink("../../recorder", desk.0.join("target/debug/ahoy")).expect("it is not there yet");
        desk.program("bin/uname", "#!/bin/bash\necho \"${SYSTEM:-Linux}\"\n");
        desk.borrow_tools();
        desk
    }

    /// This machine's own tools, and none that could reach the network.
    fn borrow_tools(&self) {
        let path = std::env::var_os("PATH").expect("there is a PATH");
        symlink(python(), self.0.join("bin/python3")).expect("it is not there yet");
        for tool in "bash env cat sed cut sha256sum mkdir rm grep basename dirname ln".split(' ') {
            let found =
                std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|path| path.exists());
            symlink(found.expect("every machine has it"), self.0.join("bin").join(tool))
                .expect("it is not there yet");
        }
    }

    /// Has the doctor find these of the named checks, and nothing wrong of the deployment's others.
    pub(crate) fn doctor_finds(&self, findings: &[(&str, &str)]) {
        let mut report: Value = serde_json::from_str(DOCTOR).expect("it is JSON");
        for check in report["checks"].as_array_mut().expect("there are some") {
            if let Some((_, finding)) = findings.iter().find(|(name, _)| check["name"] == *name) {
                check["finding"] = (*finding).into();
                check["says"] = "it does not answer".into();
                check["cure"] = "look at it".into();
            } else if check["name"] == "calling-enabled" {
                check["finding"] = "fine".into();
            }
        }
        self.write("account/doctor", &serde_json::to_string_pretty(&report).expect("it is JSON"));
    }

    /// Gives `check-infra.sh` its tools, and files to look through.
    pub(crate) fn with_infra_tools(&self) {
        for folder in ["sam/bin", "checkov/bin", "moto/bin"] {
            let folder = self.0.join("target/infra").join(folder);
            fs::create_dir_all(&folder).expect("the folder is ours");
            for tool in ["cfn-lint", "sam", "python", "checkov"] {
                symlink("../../../../recorder", folder.join(tool)).expect("it is not there yet");
            }
        }
        fs::create_dir_all(self.0.join("scripts/infra")).expect("the folder is ours");
        self.write("scripts/infra/create.py", "");
    }

    fn program(&self, path: &str, text: &str) {
        self.write(path, text);
        fs::set_permissions(self.0.join(path), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    pub(crate) fn without(&self, program: &str) {
        fs::remove_file(self.0.join("bin").join(program)).expect("it was there");
    }

    /// Runs a script with some settings, beside the secrets of a first deployment.
    pub(crate) fn run(&self, script: &str, settings: &[(&str, &str)]) -> Done {
        let output = Command::new(self.0.join("scripts").join(script))
            .env_clear()
            .env("PATH", self.0.join("bin"))
            .env("HOME", &self.0)
            .env("JOURNAL", self.0.join("journal"))
            .env("ACCOUNT", self.0.join("account"))
            .env("META_APP_SECRET", super::APP_SECRET)
            .env("META_ACCESS_TOKEN", super::ACCESS_TOKEN)
            .env("OPENAI_API_KEY", super::OPENAI_KEY)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .output()
            .expect("the script can be started");
        let said = [output.stdout, output.stderr].concat();
        Done {
            code: output.status.code().unwrap_or(-1),
            said: String::from_utf8(said).expect("it writes text"),
        }
    }

    /// All that was asked of any program, a line each.
    pub(crate) fn journal(&self) -> String {
        fs::read_to_string(self.0.join("journal")).unwrap_or_default()
    }

    pub(crate) fn asked(&self, beginning: &str) -> Option<String> {
        self.journal().lines().find(|line| line.starts_with(beginning)).map(str::to_owned)
    }

    pub(crate) fn position(&self, beginning: &str) -> Option<usize> {
        self.journal().lines().position(|line| line.starts_with(beginning))
    }

    /// Where each of these is in the journal, in which they all are.
    pub(crate) fn positions<const N: usize>(&self, steps: [&str; N]) -> [usize; N] {
        steps.map(|step| {
            self.position(step).unwrap_or_else(|| panic!("{step} is missing: {}", self.journal()))
        })
    }

    /// What the account's secret holds now.
    pub(crate) fn stored(&self, secret: &str) -> Value {
        serde_json::from_str(&self.file(&format!("account/{secret}"))).expect("it is JSON")
    }

    pub(crate) fn file(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).expect("it was written")
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: &str) {
        fs::write(self.0.join(path), text).expect("the folder is ours");
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // What a failed test left is worth a look.
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// Python itself, and not a script that chooses one.
fn python() -> String {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let output = output.expect("scripts/conformance.sh needs Python as well");
    String::from_utf8(output.stdout).expect("it is a path").trim().to_owned()
}

/// Desks are beside each other.
fn unique() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    RandomState::new().build_hasher().finish()
}
