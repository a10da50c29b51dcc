//! Stories of the whole product: real processes, a real wire, on loopback only.

// The futures of a story are deeply nested.
#![recursion_limit = "256"]

mod aws_faults;
mod blocked_dependencies;
mod both_lines;
mod call_admission;
mod call_quality;
mod caller_messages;
mod calls;
mod control_api;
mod documented_tests;
mod draining;
mod dtmf;
mod field_cases;
mod journal_and_metrics;
mod killed_functions;
mod lookups;
mod media_diagnosis;
mod meta_faults;
mod model_faults;
mod offers;
mod operator_lookup;
mod outcomes;
mod privacy_scan;
mod process_kills;
mod refused_webhooks;
mod releases;
mod retention;
mod secret_rotation;
mod serve;
mod session_configuration;
mod session_reconnects;
mod settings;
mod spending;
mod telephone;
mod telephone_kills;
mod telephone_releases;
mod telephone_webhooks;
mod tools;
mod tracing;
mod transfers;
mod turn_taking;
mod unreadable_items;
