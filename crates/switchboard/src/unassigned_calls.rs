//! Calls that wait for a media task and cannot wait for a heartbeat: on a line where no task is launched for a call, the invocation that found
//! no free task looks again until it finds one, or the call is over.

use crate::Switchboard;
use crate::handled_call::HandledCall;
use call::CallEvent;

impl Switchboard {
    /// Ticks the call each time it is due, while it has no task and its line does not wait for one to start.
    pub(crate) async fn keep_seeking_task(&self, handled: &mut HandledCall) -> anyhow::Result<()> {
        while let Some(due) = handled.record.call.due.filter(|_| is_seeking(handled)) {
            tokio::time::sleep(due - self.now()).await;
            self.read_again(handled, 0).await?;
            if is_seeking(handled) {
                self.drive(handled, CallEvent::Tick).await?;
            }
        }
        Ok(())
    }
}

fn is_seeking(handled: &HandledCall) -> bool {
    let call = &handled.record.call;
    call.seeks_task() && !call.line.may_launch()
}
