//! Stories of the whole product: real processes, a real wire, nobody else's network.

mod at_meta;
mod at_the_model;
mod calls;
mod doctor;
mod found;
mod hostage;
mod in_the_cloud;
mod kept;
mod keys;
mod kills;
mod messages;
mod refusals;
mod serve;
mod settings;
mod sounding;
mod step_by_step;
mod surviving;
mod taking_turns;
mod tools;
mod turned_away;
