//! How hard the machine works, as far as sound must know it.

/// What the machine can spare for a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strain {
    /// Enough for the best sound.
    #[default]
    Calm,
    /// Frames begin to be late: cheaper sound is better than late sound.
    Busy,
    /// Frames are late.
    Overloaded,
}
