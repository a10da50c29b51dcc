//! Which calls this task has, and whether there is room for more.

use crate::agent::{Agent, Provider};
use crate::call::{Command, Parts, ask_for_icmp, hold};
use crate::diary::Diary;
use crate::load::Load;
use crate::offer::{Offer, Unanswerable};
use crate::peer::Peer;
use crate::protection::Protection;
use crate::roster::Roster;
use crate::settings::{MediaSecret, ModelSettings};
use bridge::Strain;
use diagnosis::{Doctor, Premises};
use journal::{Journal, Phase, Place};
use ledger::CallControl;
use protocol::{door, keys};
use realtime::connection::{Auth, Endpoint};
use service::secrets::Secret;
use service::time::now_ms;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::sync::{Notify, mpsc, watch};

/// So long an offer may arrive after the call it is of was over: longer than call-control waits at the door.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The calls of this task.
pub struct Calls {
    held: Mutex<Held>,
    slots: usize,
    changed: watch::Sender<()>,
    unprotected: Arc<Notify>,
    load: Arc<Load>,
    equipment: Equipment,
}

/// How much room there is.
#[derive(Debug, Clone, Copy)]
struct Room {
    slots: usize,
    strain: Strain,
}

/// What every call needs.
pub struct Equipment {
    /// What sockets bind.
    pub bind_ip: IpAddr,
    /// Where the world reaches them.
    pub public_ip: IpAddr,
    /// Behind which model agents answer.
    pub model: ModelSettings,
    /// Who answers.
    pub roster: Roster,
    /// The model's key, and the tools'.
    pub secret: Secret<MediaSecret>,
    /// Where journals go.
    pub diary: Diary,
    /// Who speaks to Meta.
    pub control: CallControl,
    /// The id of this task.
    pub task: String,
    /// What keeps ECS from stopping it; `None` where it belongs to no service, and ECS does not think of it.
    pub protection: Option<Arc<Protection>>,
}

#[derive(Default)]
struct Held {
    calls: HashMap<String, Call>,
    released: HashMap<String, Instant>,
    is_leaving: bool,
    is_aside: bool,
}

impl Held {
    /// The answer that was given to this very offer before, if it was.
    fn known_answer(&self, call_ref: &str, fence: u64, room: Room) -> Result<Option<String>, Refused> {
        match self.calls.get(call_ref) {
            Some(call) if call.fence == fence => Ok(Some(call.answer.clone())),
            Some(call) if call.fence > fence => Err(Refused::NoRoom("the call was offered again since")),
            Some(_) => Ok(None),
            None if self.released.contains_key(call_ref) => Err(Refused::NoRoom("the call was over before")),
            None if self.is_leaving => Err(Refused::NoRoom("this task is leaving")),
            None if self.is_aside => Err(Refused::NoRoom("newer tasks take the calls")),
            None if self.calls.len() >= room.slots => Err(Refused::NoRoom("every slot is used")),
            None => match room.strain {
                Strain::Calm | Strain::Busy => Ok(None),
                Strain::Overloaded => Err(Refused::NoRoom("this task is late with the calls it has")),
            },
        }
    }
}

struct Call {
    fence: u64,
    answer: String,
    commands: mpsc::Sender<Command>,
}

/// Why the door does not take a call.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no room, or this task is leaving.
    #[error("{0}")]
    NoRoom(&'static str),
    /// Nobody could answer this offer.
    #[error(transparent)]
    Unanswerable(#[from] Unanswerable),
    /// The agent's file says what this task does not understand: it may be of a newer release.
    #[error("the agent file: {0}")]
    UnknownAgent(#[from] agents::Wrong),
    /// No socket could be had.
    #[error("no socket: {0}")]
    NoSocket(#[from] std::io::Error),
}

impl Calls {
    /// No calls, and room for so many while they are no load.
    pub fn new(slots: usize, load: Load, equipment: Equipment) -> Arc<Self> {
        Arc::new(Self {
            held: Mutex::default(),
            slots,
            changed: watch::Sender::default(),
            unprotected: Arc::default(),
            load: Arc::new(load),
            equipment,
        })
    }

    /// Takes a call. Asked twice with the same fence, it gives the same answer.
    ///
    /// # Errors
    /// Why it does not.
    pub fn take(self: &Arc<Self>, call_ref: &str, asked: &door::Offer) -> Result<String, Refused> {
        let room = Room { slots: self.slots, strain: self.load.strain(Instant::now()) };
        if let Some(answer) = self.lock().known_answer(call_ref, asked.fence, room)? {
            return Ok(answer);
        }
        // Nothing is locked while the offer is answered: that takes a while, and could go wrong.
        let (parts, answer, commands) = self.equip(call_ref, asked)?;
        let mut held = self.lock();
        if let Some(answer) = held.known_answer(call_ref, asked.fence, room)? {
            return Ok(answer);
        }
        // A call that comes again with a newer fence was taken from us in between: its old owner sees its commands
        // end, and leaves.
        held.calls.insert(call_ref.to_owned(), Call { fence: asked.fence, answer: answer.clone(), commands });
        drop(held);
        self.hold(parts);
        Ok(answer)
    }

    /// Whether this task has the call.
    pub fn has(&self, call_ref: &str) -> bool {
        self.lock().calls.contains_key(call_ref)
    }

    /// Ends a call, as call-control says. Whether there was one. Its offer may still be on the way: then it is too late.
    pub fn release(&self, call_ref: &str) -> bool {
        let mut held = self.lock();
        held.released.retain(|_, at| at.elapsed() < REMEMBERED);
        held.released.insert(call_ref.to_owned(), Instant::now());
        let commands = held.calls.get(call_ref).map(|call| call.commands.clone());
        drop(held);
        commands.is_some_and(|commands| commands.try_send(Command::Release).is_ok())
    }

    /// How many calls there are.
    pub fn used(&self) -> usize {
        self.lock().calls.len()
    }

    /// How many calls there may be: no more than there are, while this task is late with those it has.
    pub fn slots(&self) -> usize {
        match self.load.strain(Instant::now()) {
            Strain::Calm | Strain::Busy => self.slots,
            Strain::Overloaded => self.used(),
        }
    }

    /// Returns when ECS would not protect this task.
    pub async fn unprotected(&self) {
        self.unprotected.notified().await;
    }

    /// Takes no more calls, ever.
    pub fn drain(&self) {
        self.lock().is_leaving = true;
        self.changed.send_replace(());
    }

    /// Takes no more calls for as long as this task stands aside for newer ones. Whether that is news.
    pub fn stand_aside(&self, is_aside: bool) -> bool {
        let was_aside = std::mem::replace(&mut self.lock().is_aside, is_aside);
        if was_aside != is_aside {
            self.changed.send_replace(());
        }
        was_aside != is_aside
    }

    /// Whether this task stands aside for newer ones.
    pub fn is_aside(&self) -> bool {
        self.lock().is_aside
    }

    /// Whether calls are taken, as long as there is room.
    pub fn is_ready(&self) -> bool {
        let held = self.lock();
        !held.is_leaving && !held.is_aside
    }

    /// Whether this task is leaving for good.
    pub fn is_leaving(&self) -> bool {
        self.lock().is_leaving
    }

    /// Tells every caller that the call must end, and ends it. Said again, calls end without another word.
    pub fn end_all(&self) {
        for call in self.lock().calls.values() {
            let _ = call.commands.try_send(Command::Drain);
        }
    }

    /// Changes when a call comes or goes, or when calls are taken no more, or again.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns once there are no calls.
    pub async fn emptied(&self) {
        let mut changes = self.changes();
        while self.used() > 0 {
            changes.changed().await.expect("the sender lives as long as self");
        }
    }

    fn equip(
        &self,
        call_ref: &str,
        asked: &door::Offer,
    ) -> Result<(Parts, String, mpsc::Sender<Command>), Refused> {
        let equipment = &self.equipment;
        let offer = Offer::read(&asked.offer)?;
        let socket = socket(equipment.bind_ip)?;
        let address = SocketAddr::new(equipment.public_ip, socket.local_addr()?.port());
        let role = equipment.roster.role(asked.agent.as_deref())?;
        let model = role.agent.model.name.clone().unwrap_or_else(|| equipment.model.name.clone());
        let endpoint = equipment.endpoint(&model, asked.caller.as_deref());
        // Before the answer, which takes a while to make: the model's first word is what takes longest.
        let agent = Agent::Realtime(Provider::connect(
            endpoint,
            equipment.secret.clone(),
            role.session(&model),
            Instant::now(),
        ));
        let (peer, answer) = Peer::answer(&offer, address, Instant::now())?;
        let doctor = Doctor::new(premises(&offer, address.ip(), &socket)?, Instant::now());
        let (commands, orders) = mpsc::channel(4);
        let parts = Parts {
            call_ref: call_ref.to_owned(),
            number: asked.number.clone(),
            fence: asked.fence,
            deadline: Instant::now() + until(asked.ring_deadline_ms),
            socket,
            peer,
            bits_per_second: offer.bits_per_second(),
            doctor,
            model,
            agent,
            role,
            secret: equipment.secret.clone(),
            journal: Journal::new(
                call_ref,
                &keys::task_writer(&equipment.task),
                asked.rang_at_ms,
                asked.version,
            )
            .at(Place {
                number: Some(asked.number.clone()),
                task: Some(equipment.task.clone()),
                phase: Some(Phase::Answering),
            }),
            diary: equipment.diary.clone(),
            control: equipment.control.clone(),
            protection: equipment.protection.clone(),
            load: self.load.clone(),
            unprotected: self.unprotected.clone(),
            orders,
        };
        Ok((parts, answer, commands))
    }

    fn hold(self: &Arc<Self>, parts: Parts) {
        self.changed.send_replace(());
        let calls = self.clone();
        let (call_ref, fence) = (parts.call_ref.clone(), parts.fence);
        tokio::spawn(async move {
            // A task of its own: should it panic, its slot is free all the same.
            if let Err(error) = tokio::spawn(hold(parts)).await {
                tracing::error!(call_ref, "The owner of a call is gone: {error}");
            }
            calls.forget(&call_ref, fence);
        });
    }

    fn forget(&self, call_ref: &str, fence: u64) {
        let mut held = self.lock();
        if held.calls.get(call_ref).is_some_and(|call| call.fence == fence) {
            held.calls.remove(call_ref);
        }
        drop(held);
        self.changed.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("nothing panics while it holds this lock")
    }
}

impl Equipment {
    /// The caller goes by a mark: OpenAI can tell one who abuses it from the others, and nobody else.
    fn endpoint(&self, model: &str, caller: Option<&str>) -> Endpoint {
        Endpoint {
            url: self.model.url.clone(),
            model: model.to_owned(),
            key: self.secret.value().openai_api_key.clone(),
            safety_identifier: caller.map(str::to_owned),
            auth: Auth::Bearer,
            headers: vec![],
            trust: self.model.trust.clone(),
        }
    }
}

/// A socket of the call's own, on a free port: many calls share one address and port of Meta's relay.
fn socket(ip: IpAddr) -> std::io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind(SocketAddr::new(ip, 0))?;
    ask_for_icmp(&socket)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

fn premises(offer: &Offer, advertised: IpAddr, socket: &UdpSocket) -> std::io::Result<Premises> {
    let bound = socket.local_addr()?.ip();
    Ok(Premises { advertised, bound, relays: offer.relays(), opus: offer.opus, keys: offer.keys })
}

fn until(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms.saturating_sub(now_ms()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_task_takes_no_new_call_though_slots_are_free() {
        let held = Held::default();

        assert!(matches!(held.known_answer("new", 1, room(Strain::Busy)), Ok(None)));
        assert!(matches!(held.known_answer("new", 1, room(Strain::Overloaded)), Err(Refused::NoRoom(_))));
    }

    #[test]
    fn a_task_that_leaves_or_stands_aside_takes_no_new_call_and_keeps_those_it_has() {
        for (is_leaving, is_aside) in [(true, false), (false, true)] {
            let (commands, _orders) = mpsc::channel(1);
            let call = Call { fence: 1, answer: "v=0".into(), commands };
            let held = Held {
                calls: HashMap::from([("known".to_owned(), call)]),
                is_leaving,
                is_aside,
                ..Held::default()
            };

            assert!(matches!(held.known_answer("new", 1, room(Strain::Calm)), Err(Refused::NoRoom(_))));
            assert_eq!(held.known_answer("known", 1, room(Strain::Calm)).unwrap(), Some("v=0".into()));
        }
    }

    #[test]
    fn an_overloaded_task_repeats_the_answer_it_gave_before() {
        let (commands, _orders) = mpsc::channel(1);
        let call = Call { fence: 1, answer: "v=0".into(), commands };
        let held = Held { calls: HashMap::from([("known".to_owned(), call)]), ..Held::default() };

        let answer = held.known_answer("known", 1, room(Strain::Overloaded));

        assert_eq!(answer.unwrap(), Some("v=0".into()));
    }

    fn room(strain: Strain) -> Room {
        Room { slots: 4, strain }
    }
}
