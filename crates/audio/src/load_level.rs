//! How hard the machine is pressed, as far as sound can tell.

/// How hard the machine is pressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadLevel {
    /// Frames are sent when they are due.
    #[default]
    Calm,
    /// Frames begin to be late: effort is to be spared.
    Busy,
    /// Frames are so late that callers could hear it: nobody more is to be taken on.
    Overloaded,
}
