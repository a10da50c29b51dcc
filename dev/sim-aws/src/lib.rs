//! AWS on this machine's loopback: the real programs run as child processes, the services they call are played.
//!
//! [`Cloud::start`] makes the tables of a CloudFormation template, starts the tasks of its services and serves
//! DynamoDB, Lambda, ECS and Secrets Manager at one address; EventBridge invokes functions by itself. The children
//! find it by `AWS_ENDPOINT_URL` alone, so nothing in them knows that this is a rehearsal.
//!
//! It is strict: what AWS refuses is refused, what the template's roles do not allow is too, and what is not played is an
//! error, never a silent success.

mod client;
mod clock;
mod cloud;
mod cloudformation;
mod config;
mod dynamodb;
mod ecs;
mod endpoint;
mod environment;
mod eventbridge;
mod fault_injector;
mod identity;
mod kill_points;
mod lambda;
mod listening;
mod logs;
mod process;
mod processes;
mod refusal;
mod requests;
mod rights;
mod secrets;
mod template;

pub use cloud::Cloud;
pub use config::{CloudConfig, Function, Rule, Schedule, Service};
pub use dynamodb::{CancellationReason, Outage};
pub use ecs::{AgentFault, LastStatus, ProtectionRule, TaskStatus};
pub use eventbridge::Delivery;
pub use fault_injector::FaultInjector;
pub use kill_points::{KillMoment, KillPoint, Step};
pub use lambda::Events;
pub use logs::{LogFile, Logs};
pub use refusal::Refusal;
pub use rights::{AccessRequest, Exercised, Right, Rights};
