//! Contracts between what would be deployed and what the programs are: what is broken on one side shows here, not in AWS.
//!
//! Each contract lists its faults, none as things are; and each test breaks its rule, and sees that there is one.

mod alarms;
mod dashboard;
mod environment;
mod names;
mod queries;
mod rights;
mod secrets;
mod source;
mod table;
mod template;
