//! The program that runs in a service's tasks.

use crate::config::Service;
use crate::processes::Program;

pub(super) fn what(service: &Service) -> String {
    format!("a task of service {}", service.name)
}

pub(super) fn program<'a>(service: &'a Service, what: &'a str) -> Program<'a> {
    Program { what, name: &service.family, binary: &service.binary, args: &service.args }
}
