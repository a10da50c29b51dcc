//! Injected faults by name, whichever simulator produces them.

use crate::testbed::TestbedConfig;
use std::str::FromStr;

/// A fault of a simulator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectedFault {
    /// At Meta, or with the caller's phone.
    Phone(sim_meta::InjectedFault),
    /// At the model.
    Model(sim_openai::InjectedFault),
    /// At the business.
    Business(sim_business::Fault),
}

impl FromStr for InjectedFault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let phone = name.parse().map(Self::Phone);
        let business = || name.parse().map(Self::Business);
        let known = phone.or_else(|_| business()).or_else(|_| name.parse().map(Self::Model));
        known.map_err(|_: sim_openai::UnknownFault| {
            let phones = sim_meta::InjectedFault::ALL.iter().map(ToString::to_string);
            let models = sim_openai::InjectedFault::all();
            let models = models.iter().map(ToString::to_string);
            let business = sim_business::Fault::all().map(|fault| fault.to_string());
            format!("there are {}", phones.chain(models).chain(business).collect::<Vec<_>>().join(", "))
        })
    }
}

impl TestbedConfig {
    /// Has a simulator produce this fault.
    pub fn inject(&mut self, fault: InjectedFault) {
        match fault {
            InjectedFault::Phone(fault) => self.meta.fault = Some(fault),
            InjectedFault::Model(fault) => self.model.fault = Some(fault),
            InjectedFault::Business(fault) => self.business_faults.push(fault),
        }
    }
}
