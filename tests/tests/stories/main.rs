//! Stories of the whole product: real processes, a real wire, nobody else's network.

mod at_meta;
mod at_the_door;
mod at_the_model;
mod calls;
mod doctor;
mod hostage;
mod in_the_cloud;
mod kept;
mod keys;
mod kills;
mod leaving;
mod messages;
mod privacy;
mod refusals;
mod releases;
mod rotation;
mod serve;
mod settings;
mod sounding;
mod step_by_step;
mod surviving;
mod taking_turns;
mod telling;
mod tools;
mod turned_away;
mod written;
