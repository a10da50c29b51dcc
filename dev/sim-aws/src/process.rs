//! One child process: its owner waits for its end and is the only one who signals it.

use rustix::process::{Pid, Signal, kill_process_group};
use std::process::ExitStatus;
use std::sync::Arc;
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// A handle to a running, or ended, child. Clone it freely; dropping it ends nothing.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    name: Arc<str>,
    pid: u32,
    orders: mpsc::UnboundedSender<Order>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

#[derive(Debug, Clone, Copy)]
enum Order {
    /// SIGTERM.
    Stop,
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
}

/// Tells the owners of all children that the cloud is ending.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ending {
    /// All processes are asked to end.
    pub(crate) closing: CancellationToken,
    /// Who is still there is killed.
    pub(crate) over: CancellationToken,
}

impl Process {
    /// The handle of a child, and the future that owns it; it lasts as long as the child.
    pub(crate) fn own(
        child: Child,
        name: &str,
        ending: Ending,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let pid = child.id().expect("the child has not been waited for yet");
        let (orders, given) = mpsc::unbounded_channel();
        let (ended, exit) = watch::channel(None);
        let owner = async move {
            let status = live(child, group(pid), given, ending).await;
            ended.send_replace(Some(status));
        };
        (Self { name: name.into(), pid, orders, exit }, owner)
    }

    /// What it calls itself when it asks AWS: its access key id, such as `webhook-2`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.exit.borrow().is_none()
    }

    pub(crate) fn stop(&self) {
        self.order(Order::Stop);
    }

    pub(crate) fn kill(&self) {
        self.order(Order::Kill);
    }

    /// Stops it where it is: SIGSTOP. It keeps everything and does nothing until thawed.
    pub(crate) fn freeze(&self) {
        self.order(Order::Freeze);
    }

    /// Lets a frozen process run on: SIGCONT.
    pub(crate) fn thaw(&self) {
        self.order(Order::Thaw);
    }

    /// Waits for its end. When the owner is gone, so is the child: that counts as killed.
    pub(crate) async fn exited(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit.wait_for(Option::is_some).await;
        status.ok().and_then(|status| *status).unwrap_or_else(killed)
    }

    fn order(&self, order: Order) {
        // An owner that is gone has no child left to signal.
        let _ = self.orders.send(order);
    }
}

/// Signals are sent only here, before the child is waited for, so they cannot hit a stranger's reused pid.
async fn live(
    mut child: Child,
    group: Pid,
    mut orders: mpsc::UnboundedReceiver<Order>,
    Ending { closing, over }: Ending,
) -> ExitStatus {
    let (mut asked, mut killed_by_us) = (false, false);
    loop {
        tokio::select! {
            status = child.wait() => return status.unwrap_or_else(|_| killed()),
            Some(order) = orders.recv() => carry_out(order, group),
            () = closing.cancelled(), if !asked => {
                asked = true;
                carry_out(Order::Stop, group);
            }
            () = over.cancelled(), if !killed_by_us => {
                killed_by_us = true;
                carry_out(Order::Kill, group);
            }
        }
    }
}

fn carry_out(order: Order, group: Pid) {
    match order {
        Order::Stop => {
            signal(group, Signal::TERM);
            // A stopped process does not notice SIGTERM until it is continued.
            signal(group, Signal::CONT);
        }
        // SIGKILL takes a stopped process as it takes any other.
        Order::Kill => signal(group, Signal::KILL),
        Order::Freeze => signal(group, Signal::STOP),
        Order::Thaw => signal(group, Signal::CONT),
    }
}

fn signal(group: Pid, signal: Signal) {
    // A group that has ended by itself needs no signal any more.
    let _ = kill_process_group(group, signal);
}

/// Children lead their own process group, so that what they start ends with them.
fn group(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid is a positive i32")
}

fn killed() -> ExitStatus {
    std::os::unix::process::ExitStatusExt::from_raw(Signal::KILL.as_raw())
}
