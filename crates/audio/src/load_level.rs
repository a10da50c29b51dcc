//! The CPU load of a media task, judged by how late its audio frames are sent.

/// The load of a media task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadLevel {
    /// Frames are sent on time.
    #[default]
    Calm,
    /// Frames begin to be late: the encoder saves CPU.
    Busy,
    /// Frames are audibly late: the task takes no more calls.
    Overloaded,
}
