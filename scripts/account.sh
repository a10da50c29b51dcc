# shellcheck shell=bash
# Shared by deploying and undeploying: named steps, commands that are shown before they run (and only shown in a dry run),
# and one line for each missing tool. Sourced, from the project's folder.

dry=${DRY_RUN:+1}
environment=${ENVIRONMENT:-small}
doing="look around"
export PATH="$PWD/target/infra/sam/bin:$PATH" SAM_CLI_TELEMETRY=0 AWS_PAGER=''
# Version 1 of the AWS command line reads only AWS_DEFAULT_REGION.
[ -z "${AWS_REGION:-}" ] || export AWS_DEFAULT_REGION=$AWS_REGION

loudly() { printf '\n*** %s\n\n' "$*" >&2; }
give_up() { echo "ahoy: $*" >&2; trap - ERR; exit 1; }
stopped() {
  # Only the main shell reports a failure, not its subshells.
  [ "$BASHPID" = "$$" ] || return 0
  echo "ahoy: stopped, could not $doing. What was done before stays as it is; once that is mended, the same command goes on from here." >&2
}
trap stopped ERR

step() {
  doing=$1
  printf '\n== %s\n' "$1"
}

# Prints a command as you would type it. Callers read a subshell's output, so this goes to the screen on a descriptor of its own.
exec 3>&1
typed() {
  local word line=''
  for word in "$@"; do
    if [ "$word" = '|' ] || [[ $word =~ ^[A-Za-z0-9_./:=@,%+-]+$ ]]; then line+=" $word"; else line+=" \"$word\""; fi
  done
  printf '  $%s\n' "$line" >&3
}

account() {
  typed "$@"
  [ -n "$dry" ] || "$@"
}

# Succeeds if the account has a resource; in a dry run it has none.
account_has() {
  typed "$@"
  [ -z "$dry" ] && "$@" >/dev/null 2>&1
}

# Prints the account's answer; nothing where it has no such resource, or in a dry run.
account_says() {
  typed "$@"
  [ -z "$dry" ] || return 0
  local said
  said=$("$@" 2>/dev/null) || return 0
  [ "$said" = None ] || printf '%s\n' "$said"
}

# Pipes the output of one command, a password, into another without showing it: a -- b.
account_pipes() {
  local words=()
  while [ "$1" != -- ]; do words+=("$1"); shift; done
  shift
  typed "${words[@]}" '|' "$@"
  [ -n "$dry" ] && return
  "${words[@]}" | "$@"
}

output_of() {
  local ask=(aws cloudformation describe-stacks --stack-name "$1" --output text
    --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue")
  typed "${ask[@]}"
  if [ -n "$dry" ]; then echo "<$2>"; return; fi
  local value
  value=$("${ask[@]}")
  if [ -z "$value" ] || [ "$value" = None ]; then
    echo "ahoy: the stack $1 has no output $2" >&2
    return 1
  fi
  echo "$value"
}

# Prints a setting of samconfig.toml for the environment; a list has one line for each entry.
configured() {
  python3 - "$environment" "$1" <<'END' || exit 1
import sys
try:
    import tomllib
except ImportError:
    sys.exit("ahoy: please install Python 3.11 or later")
environment, key = sys.argv[1:]
settings = tomllib.load(open("samconfig.toml", "rb"))
if environment not in settings:
    named = ", ".join(name for name, parts in settings.items() if isinstance(parts, dict) and "deploy" in parts)
    sys.exit(f"ahoy: samconfig.toml has no environment {environment}; there are: {named}")
value = settings[environment]["deploy"]["parameters"][key]
print("\n".join(value) if isinstance(value, list) else value)
END
}

# Prints a stack parameter from samconfig.toml, or its default: name, default.
parameter() {
  local given value=$2
  while read -r given; do
    if [[ $given == "$1="* ]]; then value=${given#*=}; fi
  done <<<"${parameters:-$(configured parameter_overrides)}"
  echo "$value"
}

# Names every missing tool, one a line, before anything is done.
tools_are_here() {
  local tool missing=''
  for tool in "$@"; do
    command -v "$tool" >/dev/null && continue
    case "$tool" in
      aws) echo "ahoy: the AWS command line is not installed: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html" >&2 ;;
      sam) echo "ahoy: the SAM command line is not in target/infra/sam: make infra-tools sees to it" >&2 ;;
      cargo) echo "ahoy: Rust is not installed: https://rustup.rs" >&2 ;;
      *) echo "ahoy: $tool is not installed" >&2 ;;
    esac
    missing=yes
  done
  [ -z "$missing" ] || [ -n "$dry" ] || give_up "nothing was done"
}

on_linux() {
  [ "$(uname -s)" = Linux ] ||
    give_up "this runs on Linux only, and here is $(uname -s): on macOS, take a Linux container or virtual machine. Nothing was done"
}

# The caller's ARN.
caller=''
is_logged_in() {
  [ -z "$dry" ] || return 0
  [ -n "${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region 2>/dev/null || true)}}" ] ||
    give_up "AWS does not know in which region: export AWS_REGION=eu-central-1, say. Nothing was done"
  local profile=${AWS_PROFILE:+ --profile $AWS_PROFILE}
  # shellcheck disable=SC2034
  caller=$(aws sts get-caller-identity --query Arn --output text 2>/dev/null) ||
    give_up "AWS does not know who you are: aws sso login$profile, aws login$profile or aws configure$profile. Nothing was done"
}
