//! The life of the task: its identity and addresses, heartbeat, task protection, drain, and the container's health check.
//!
//! | module | what it does |
//! |---|---|
//! | [`ecs`] | ECS's metadata of this task, and the endpoint that sets its protection |
//! | `public_address`, `private_address` | the addresses of media and of the control API |
//! | `heartbeat` | renews the lease and task protection, and finds overdue calls |
//! | `overdue_ticks` | ticks overdue calls, one after the other |
//! | [`task_protection`] | keeps ECS from stopping a task with calls |
//! | `drain_policy` | when a task stops taking calls for a newer one, and when it exits |
//! | `health`, [`health_probe`] | answers and runs the container's health check |

pub(crate) mod drain_policy;
pub mod ecs;
pub(crate) mod health;
pub mod health_probe;
pub(crate) mod heartbeat;
mod overdue_ticks;
pub(crate) mod private_address;
pub(crate) mod public_address;
pub mod task_protection;
