//! Clients that die as soon as a request of theirs has taken effect, and never get its answer.

use super::Action;
use futures_util::future::BoxFuture;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Kills a client, and returns when it is dead.
pub(crate) type Kill = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// The deaths that are planned, each once.
#[derive(Default)]
pub(crate) struct ClientDeaths(Mutex<Vec<(Action, Kill)>>);

impl ClientDeaths {
    /// The client of the next such request that takes effect dies by this.
    pub(crate) fn plan(&self, action: Action, kill: Kill) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((action, kill));
    }

    /// Takes the next death planned for such a request.
    pub(crate) fn take(&self, action: Action) -> Option<Kill> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = planned.iter().position(|(after, _)| *after == action)?;
        Some(planned.remove(index).1)
    }
}

impl fmt::Debug for ClientDeaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientDeaths").finish_non_exhaustive()
    }
}
