//! Speech of a caller, and the microphone that suits their phone.

use super::microphone::Microphone;
use crate::CallerConfig;
use tokio::sync::oneshot;

/// Something to say, and who wants to know when it was said.
pub(super) struct Speech {
    pub(super) text: String,
    pub(super) done: oneshot::Sender<()>,
}

pub(super) fn microphone(caller: &CallerConfig) -> Result<Microphone, opus::Error> {
    match caller.network {
        _ if caller.spares_effort => Microphone::sparing(),
        Some(_) => Microphone::protecting(),
        None => Microphone::new(),
    }
}
