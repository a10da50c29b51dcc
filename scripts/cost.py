"""Writes docs/cost.md: what a call-minute costs, and what a month costs without a call, from dated prices and measurements.

cost.py                     the page
cost.py month ENVIRONMENT   a few lines for a terminal: what that part of samconfig.toml costs a month
"""

import csv
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).parent.parent
BOOK = tomllib.loads((ROOT / "infra/prices.toml").read_text())
MODELS = tomllib.loads((ROOT / "crates/realtime/prices.toml").read_text())
SIZES = tomllib.loads((ROOT / "samconfig.toml").read_text())
TEMPLATE = (ROOT / "template.yaml").read_text()
HOURS_A_MONTH = 730
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
# Lateness at p99 up to which a packet counts as on time, ms (docs/bench/load.md).
ON_TIME_MS = 10
# OpenAI counts audio by time: tokens a minute.
CALLER_TOKENS, AGENT_TOKENS = 600, 1200


def price(name: str) -> float:
    """Dollars."""
    return BOOK["price"][name]["dollars"]


def value(table: str, name: str) -> float:
    """What a call, or a task, takes."""
    return BOOK[table][name]["value"]


def measured() -> int:
    """How many calls one core carried on time, without a gap, in the last bench."""
    rows = list(csv.DictReader((ROOT / "docs/bench/load.csv").open()))
    good = [row for row in rows if float(row["lateness_p99_ms"]) < ON_TIME_MS and float(row["gaps_over_60_ms"]) == 0]
    if not good:
        sys.exit("ahoy: no row of docs/bench/load.csv is on time without a gap")
    return round(max(float(row["calls"]) for row in good))


def vcpu_minute(gb: float, vcpu: float = 1) -> float:
    """A task's processor and memory, dollars a minute."""
    return (vcpu * price("fargate_vcpu_hour") + gb * price("fargate_gb_hour")) / 60


def task_minute() -> float:
    """A whole vCPU with its memory and its address, dollars a minute."""
    return vcpu_minute(value("tasks", "gb_a_vcpu")) + price("public_ipv4_hour") / 60


def per_call(invocations: float) -> dict[str, float]:
    """What a call costs once, whatever its length."""
    writes, reads = value("call", "writes"), value("call", "reads")
    seconds = invocations * value("call", "invocation_seconds")
    return {
        "DynamoDB": (writes * price("dynamodb_million_writes") + reads * price("dynamodb_million_reads")) / 1e6,
        "Lambda": seconds * value("tasks", "lambda_gb") * price("lambda_gb_second")
        + invocations * price("lambda_million_requests") / 1e6,
        "CloudWatch Logs": value("call", "log_kb") / 1e6 * (price("logs_gb") + price("logs_gb_month")),
        "what is kept of it for a month, and its backups": value("call", "stored_kb")
        / 1e6 * (price("dynamodb_gb_month") + price("backup_gb_month")),
    }


def model_minute(name: str) -> float:
    """A minute with a model, dollars: what is said for the first time, and what each reply reads again from the cache."""
    audio, text = MODELS["models"][name]["audio"], MODELS["models"][name]["text"]
    heard = value("call", "caller_speaks") * CALLER_TOKENS
    said = value("call", "agent_speaks") * AGENT_TOKENS
    fresh = (heard * audio["in"] + said * audio["out"]) / 1e6
    # On average half of the call is there to be read again.
    again = (heard + said) * value("call", "minutes") / 2
    replies = value("call", "replies_a_minute")
    return fresh + replies * (again * audio["cached"] + value("call", "prompt_tokens") * text["cached"]) / 1e6


def egress(codec: str) -> float:
    """A minute of traffic, dollars."""
    return (value("traffic", codec) + value("traffic", "to_caller")) / 1000 * price("egress_gb")


def line_month() -> float:
    """What the telephone line adds to a month without a call: its secret, and asking for it."""
    return price("secret_month") + SECONDS_A_MONTH / value("tasks", "secret_seconds") / 1e4 * price("secret_ten_thousand")


def parameter(environment: str, name: str) -> int:
    """A parameter of the stack as samconfig.toml has it, else as the template does."""
    given = dict(each.split("=", 1) for each in SIZES[environment]["deploy"]["parameters"]["parameter_overrides"])
    default = re.search(rf"^  {name}:\n(?:    .*\n)*?    Default: '?([0-9]+)", TEMPLATE, re.M)
    return int(given.get(name) or default.group(1))


def resources(kind: str) -> int:
    """How many the template has of a kind, without those of the SIP line, which is off by default."""
    return len(re.findall(rf"^    Type: {kind}$(?!\n    Condition: Sip$)", TEMPLATE, re.M))


def alarm_metrics() -> int:
    """What alarms are billed by: one each, or each metric of an expression; and the two that the scaling makes for itself."""
    expressions = len(re.findall(r"^      Metrics:$", TEMPLATE, re.M))
    return resources("AWS::CloudWatch::Alarm") - expressions + TEMPLATE.count("MetricStat:") + 2


def month(environment: str) -> dict[str, float]:
    """What a month costs without a call."""
    tasks = parameter(environment, "WarmTasks")
    vcpu, gb = parameter(environment, "TaskCpu") / 1024, parameter(environment, "TaskMemory") / 1024
    beats = tasks * SECONDS_A_MONTH / value("tasks", "beat_seconds")
    # `make secrets` makes one more, the pseudonym key.
    secrets = resources("AWS::SecretsManager::Secret") + 1
    asked = tasks * SECONDS_A_MONTH / value("tasks", "secret_seconds")
    return {
        "the warm tasks": tasks * vcpu_minute(gb, vcpu) * 60 * HOURS_A_MONTH,
        "their public IPv4 addresses": tasks * price("public_ipv4_hour") * HOURS_A_MONTH,
        "their heartbeats in DynamoDB": beats
        * (value("tasks", "beat_writes") * price("dynamodb_million_writes") + value("tasks", "beat_reads") * price("dynamodb_million_reads"))
        / 1e6,
        "their log": tasks * value("tasks", "idle_log_gb") * price("logs_gb"),
        "the reaper and the outbox, each minute": 2 * 60 * HOURS_A_MONTH
        * (price("lambda_million_requests") / 1e6 + 0.1 * value("tasks", "lambda_gb") * price("lambda_gb_second")),
        f"{value('tasks', 'metrics'):.0f} metrics": value("tasks", "metrics") * price("metric_month"),
        f"{alarm_metrics()} metrics that alarms watch": alarm_metrics() * price("alarm_month"),
        "a dashboard; an account's first three are free": price("dashboard_month"),
        f"{secrets} secrets, and asking for them": secrets * price("secret_month") + asked / 1e4 * price("secret_ten_thousand"),
        "the last 20 images": value("tasks", "images_gb") * price("image_gb_month"),
    }


def size(environment: str) -> str:
    """How many tasks there are, and how big."""
    tasks, vcpu, mib = (parameter(environment, name) for name in ("WarmTasks", "TaskCpu", "TaskMemory"))
    return f"{tasks} of {vcpu / 1024:g} vCPU and {mib / 1024:g} GB"


def sizes() -> str:
    """The table of both, side by side."""
    small, production = month("small"), month("production")
    rows = [["media tasks", size("small"), size("production")]]
    rows += [[what, dollars(amount), dollars(production[what])] for what, amount in small.items()]
    rows.append(["**together**", *(f"**{dollars(sum(each.values()))}**" for each in (small, production))])
    lines = table(["dollars a month", "`small`", "`production`"], rows[1:]).splitlines()
    return "\n".join([*lines[:2], "| " + " | ".join(rows[0]) + " |", *lines[2:]])


def in_short(environment: str) -> str:
    """For a terminal, before anything is made."""
    aws = ours()[1][0]
    return f"""  {environment}, {size(environment)}: about ${sum(month(environment).values()):.0f} a month without a call,
  and for a thousand call-minutes ${aws * 1000:.2f} of AWS and ${model_minute('gpt-realtime-2.1') * 1000:.0f} of OpenAI (gpt-realtime-2.1).
  By prices of {BOOK['date']} in {BOOK['region']}, none of them from a bill: docs/cost.md says what is in it and what is not.
"""


def dollars(amount: float) -> str:
    """For people."""
    return f"${amount:.2f}" if amount >= 0.1 else f"${amount:.4f}"


def thousand(amount: float) -> str:
    """A thousand of them: one alone is too small to picture."""
    return f"${amount * 1000:.3f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Markdown; columns of numbers stand to the right."""
    is_number = [all(row[n].strip("*").lstrip("$")[:1].isdigit() for row in rows) for n in range(len(head))]
    lines = [head, ["---:" if number else "---" for number in is_number], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ours() -> tuple[str, list[float]]:
    """The table of one call-minute, and its sums without the model: PCM and G.711 half full, PCM at what was measured, telephone."""
    density = measured()
    typical = value("tasks", "slots_a_vcpu") * value("tasks", "target_percent") / 100
    minutes = value("call", "minutes")
    rows, sums = [], [0.0] * 4

    def add(what: str, *amounts: float) -> None:
        for n, amount in enumerate(amounts):
            sums[n] += amount
        rows.append([what, *map(thousand, amounts)])

    compute = vcpu_minute(value("tasks", "gb_a_vcpu"))
    address = price("public_ipv4_hour") / 60
    share = value("telephone", "task_share")
    add("Fargate", compute / typical, compute / typical, compute / density, compute / typical * share)
    add("public IPv4 address", address / typical, address / typical, address / density, address / typical * share)
    events = value("telephone", "events_mb") / 1000 * price("egress_gb")
    add("traffic to the model and the caller", egress("to_model_pcm"), egress("to_model_g711"), egress("to_model_pcm"), events)
    by_telephone = per_call(value("telephone", "telephone_invocations"))
    for what, amount in per_call(value("call", "invocations")).items():
        add(what, *[amount / minutes] * 3, by_telephone[what] / minutes)
    rows.append(["**AWS, together**", *(f"**{thousand(amount)}**" for amount in sums)])
    head = ["a thousand call-minutes", f"PCM, {typical:.0f} calls a vCPU", f"G.711, {typical:.0f} calls a vCPU", f"PCM, {density} calls a vCPU", "telephone"]
    return table(head, rows), sums


def page() -> str:
    """The page."""
    costs, (aws, *_, by_telephone) = ours()
    typical = value("tasks", "slots_a_vcpu") * value("tasks", "target_percent") / 100
    models = [[name, dollars(model_minute(name)), f"{aws / (aws + model_minute(name)):.1%}"]
              for name in ("gpt-realtime-2.1", "gpt-realtime-2.1-mini")]
    peers = [[peer["name"], peer["a_minute"], peer["holds"], peer["source"]] for peer in BOOK["peer"]]
    peers.insert(0, ["**ahoy with gpt-realtime-2.1-mini**", dollars(aws + model_minute("gpt-realtime-2.1-mini")), "AWS and model", "this page"])
    peers.insert(0, ["**ahoy with gpt-realtime-2.1**", dollars(aws + model_minute("gpt-realtime-2.1")), "AWS and model", "this page"])
    densities = [[peer["name"], f"{peer['calls'] / peer['vcpu']:.1f}", thousand(vcpu_minute(peer["gb"], peer["vcpu"]) / peer["calls"]), peer["source"]]
                 for peer in BOOK["density"]]
    full = vcpu_minute(value("tasks", "gb_a_vcpu"))
    densities.insert(0, ["**ahoy**", f"{measured()}", thousand(full / measured()), "[docs/bench](bench/load.md), measured"])
    assumed = [[name.replace("_", " "), f"{entry['value']:g}", entry["how"]]
               for part in ("call", "traffic", "telephone", "tasks") for name, entry in BOOK[part].items()]
    prices = [[entry["what"], f"${entry['dollars']:.10f}".rstrip("0").rstrip("."), entry["source"]] for entry in BOOK["price"].values()]
    return f"""# What a call costs

Made by `make cost` from [infra/prices.toml](../infra/prices.toml) ({BOOK['date']}, {BOOK['region']}),
[OpenAI's prices](../crates/realtime/prices.toml) ({MODELS['date']}) and what [make bench](bench/load.md) measured. No bill has been
seen yet: this is arithmetic, and the last two tables list what it rests on.

## On AWS

A call of {value('call', 'minutes'):g} minutes that the caller began, which WhatsApp does not charge for. The first two columns are tasks kept
as the template keeps them, half full; the third is a core as full as it was measured to stay on time. The last is a call
on the [telephone line](sip.md), whose sound does not pass through AWS.

{costs}

Sound on its way to the model is most of it: `input_format = "pcmu"` in the [agent's file](../agents/README.md) needs a quarter of
that traffic, and is narrower. The first 100 GB a month, which are free, are not taken off. At {measured()} calls a core the measuring machine was an x86-64 core; Fargate's arm64 has not been measured.

## With the model

Caller and agent each speak {value('call', 'caller_speaks'):.0%} of the time; silence is not billed. Longer calls cost more a minute, since each reply
reads again what was said before.

{table(["model", "a call-minute", "AWS's share of the sum"], models)}

## A month without a call

The two sizes of samconfig.toml:

{sizes()}

Not in it: calls; the [telephone line](#the-telephone-line), where that is on; tasks beyond the warm ones; the zips that SAM keeps in S3 and requests to it (cents); traces, if they are built in; mail of alarms;
a support plan, taxes, and what other regions cost more. What is free in a new account is not taken off.

## The telephone line

| dollars | |
| --- | ---: |
| its secret and asking for it, a month | {dollars(line_month())} |
| the edge between the carrier and OpenAI, a month | ${value('telephone', 'edge_low'):g} to {value('telephone', 'edge_high'):g} |
| a call-minute on AWS | ${by_telephone:.5f} |
| a call-minute of gpt-realtime-2.1 | {dollars(model_minute('gpt-realtime-2.1'))} |
| a call-minute of gpt-realtime-2.1-mini | {dollars(model_minute('gpt-realtime-2.1-mini'))} |

Nothing new runs on AWS for it. The model counts the same tokens as on WhatsApp, and OpenAI takes nothing for SIP itself. The edge is yours: carriers that reach
OpenAI directly need none. Not in it: what the carrier takes for the number, for channels and for minutes.

## Other platforms, as they publish it

{table(["", "a minute", "what that holds", "source"], peers)}

Densities that others publish, at the same Fargate prices, processor and memory alone:

{table(["", "calls a vCPU", "a thousand call-minutes", "source"], densities)}

## What a call takes

{table(["", "value", "how we know"], assumed)}

## Prices

{table(["", "dollars", "source"], prices)}
"""


if sys.argv[1:2] == ["month"]:
    print(in_short(sys.argv[2]), end="")
else:
    print(page(), end="")
