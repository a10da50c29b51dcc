//! Surviving: when a link breaks, another one is connected and told what was said, before the caller has waited long.

use super::{Session, SessionAction, SessionEvent};
use crate::link::{Link, LinkId, Stage};
use crate::response_queue::ResponseRequest;
use crate::server_event::SessionInfo;
use crate::{ClientEvent, ConnectionLoss, Failure};
use std::time::{Duration, Instant};

/// The wait before the second try; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(300);

/// So many tries in all.
const TRIES: u32 = 5;

/// The longest a caller waits for another session.
const DEADLINE: Duration = Duration::from_secs(12);

/// So long a caller whose words were cut by the loss has to go on by themselves, before they are asked to.
const GOES_ON_WITHIN: Duration = Duration::from_millis(1_500);

/// So often, one after the other, a session may be given up because nothing comes of it.
const FRUITLESS: u32 = 1;

/// There is no session.
#[derive(Debug)]
pub(super) struct Reconnection {
    since: Instant,
    tries: u32,
}

impl Session {
    /// A link is down.
    pub fn handle_down(&mut self, link: LinkId, down: ConnectionLoss, now: Instant) {
        if self.is_over {
            return;
        }
        if self.next.as_ref().is_some_and(|next| next.id == link) {
            self.drop_next(false, down.failure().is_some(), now);
        } else if self.link.id == link && self.link.is_begun() {
            match down.failure() {
                Some(failure) if self.may_fare_better(&failure) => self.lose_link(&down.word(), false, now),
                Some(failure) => self.fail_after(failure, false, now),
                None => self.lose_link(&down.word(), false, now),
            }
        }
        self.go_on(now);
    }

    /// Whether another link may do, though this one was closed for good: a key that was good until now may have been changed,
    /// and a service that closes after it refused a part is asked without it.
    fn may_fare_better(&self, failure: &Failure) -> bool {
        let is_about_a_part = !self.refused_parts.is_empty() && failure.code == "beta_api_shape_disabled";
        is_about_a_part || (self.link.is_ready() && failure.is_about_the_key())
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.is_over {
            return;
        }
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            return self.fail(Failure::of("unreachable"), now);
        }
        match (self.link.stage, self.link.impatient_at()) {
            (Stage::Waiting(_), Some(then)) if then <= now => self.connect(now),
            (_, Some(then)) if then <= now => match self.link.refused.take() {
                Some(code) => self.fail(Failure::refused(&code), now),
                None => self.lose("timeout", now),
            },
            _ => {}
        }
        if self.link.is_ready() {
            self.watch(now);
            self.end_endless_turn(now);
        }
        self.expire_hosted(now);
        self.go_on(now);
    }

    /// When [`Session::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over {
            return None;
        }
        let gate = self.link.gate.poll_timeout().filter(|_| self.link.is_ready());
        let link = [self.link.impatient_at(), gate, self.turn.ends_by(), self.rolls_at()];
        link.into_iter().chain([self.deadline(), self.hosted_due()]).flatten().min()
    }

    fn deadline(&self) -> Option<Instant> {
        let outage = self.outage.as_ref().filter(|_| !self.link.is_ready())?;
        Some(outage.since + DEADLINE)
    }

    /// The link is of no more use, and is closed.
    pub(super) fn lose(&mut self, reason: &str, now: Instant) {
        self.lose_link(reason, true, now);
    }

    /// Nothing comes of a link: another one, but not again and again.
    pub(super) fn give_up_link(&mut self, reason: &str, now: Instant) {
        self.fruitless += 1;
        if self.fruitless > FRUITLESS {
            return self.fail(Failure::of(reason), now);
        }
        self.strikes = 0;
        self.lose(reason, now);
    }

    fn lose_link(&mut self, reason: &str, close: bool, now: Instant) {
        if self.link.is_proven(now) {
            self.outage = None;
        }
        let was_ready = self.link.is_ready();
        self.let_go(close, now);
        if was_ready {
            self.happen(SessionEvent::SessionLost { reason: reason.to_owned() });
        }
        self.try_again(now);
    }

    /// Takes leave of the link. What it owed, the next one owes.
    pub(super) fn let_go(&mut self, close: bool, now: Instant) {
        if close && self.link.is_begun() {
            self.actions.push_back(SessionAction::Close(self.link.id));
        }
        self.forget_unbegun_hosted();
        let unfinished = self.link.unfinished();
        self.close_items(None, false);
        for response in unfinished {
            self.happen(SessionEvent::Ended { response });
        }
        if self.link.gate.hears_caller() {
            self.happen(SessionEvent::CallerStopped);
        }
        self.turn.forget();
        self.idling.expect_no_prompt();
        let heir = self.next.take().unwrap_or_else(|| Link::new(LinkId(0), Stage::Waiting(now), now));
        let old = std::mem::replace(&mut self.link, heir);
        self.inherit(old);
        self.lose_hosted(now);
        self.end_batches(None);
    }

    fn inherit(&mut self, old: Link) {
        let is_cut = old.gate.ongoing().is_some_and(|(_, wish)| *wish == ResponseRequest::Greeting);
        self.link.answers_late = old.answers_late || old.gate.hears_caller();
        let has_called = old.gate.ongoing().is_some_and(|(response, _)| self.tools.were_called_by(response));
        let (answer, ask) = old.gate.inherit(has_called);
        ask.into_iter().for_each(|ask| self.link.gate.wish(ask));
        if self.greeted.is_wanted() {
            return self.link.gate.wish(ResponseRequest::Greeting);
        }
        if is_cut {
            self.greeted.ended();
        }
        if answer || is_cut {
            self.link.gate.wish(ResponseRequest::Answer);
        }
    }

    /// Connects, now or in a moment; or gives up.
    pub(super) fn try_again(&mut self, now: Instant) {
        if self.link.is_begun() {
            // The one that was to take over is on its way.
            self.outage = Some(Reconnection { since: now, tries: 1 });
            return match self.link.stage {
                Stage::StandingBy => self.restore(false, now),
                Stage::Waiting(_) | Stage::Connecting | Stage::Configuring | Stage::Ready => {}
            };
        }
        let outage = self.outage.get_or_insert(Reconnection { since: now, tries: 0 });
        if outage.tries >= TRIES {
            return self.fail(Failure::of("unreachable"), now);
        }
        outage.tries += 1;
        match outage.tries {
            1 => self.connect(now),
            tries => self.link.stage = Stage::Waiting(now + FIRST_WAIT * 2_u32.pow(tries - 2)),
        }
    }

    fn connect(&mut self, now: Instant) {
        self.link.id = self.next_id();
        (self.link.stage, self.link.since) = (Stage::Connecting, now);
        self.actions.push_back(SessionAction::Connect(self.link.id));
    }

    pub(super) fn next_id(&mut self) -> LinkId {
        self.links += 1;
        LinkId(self.links)
    }

    /// The link is configured.
    pub(super) fn take_up(&mut self, now: Instant, session: &SessionInfo, unix_now_s: u64) {
        self.expect_end(session, now, unix_now_s);
        self.tell_refused_parts();
        if self.was_ready {
            return self.restore(false, now);
        }
        self.was_ready = true;
        (self.link.stage, self.link.ready_at) = (Stage::Ready, Some(now));
        self.happen(SessionEvent::Ready { expires_at: session.expires_at });
        self.link.gate.wish(ResponseRequest::Greeting);
        self.send_kept();
    }

    /// Tells a configured link what was said, and speaks to it from then on.
    pub(super) fn restore(&mut self, planned: bool, now: Instant) {
        let since =
            if planned { Some(self.link.since) } else { self.outage.as_ref().map(|outage| outage.since) };
        (self.link.stage, self.link.ready_at) = (Stage::Ready, Some(now));
        self.retell();
        let reflexes = self.config.reflexes(self.greeted.is_over());
        let event_id = self.name();
        self.send(ClientEvent::SessionUpdate { event_id, session: self.config.change(reflexes) });
        if self.link.answers_late {
            self.link.gate.wait_until(now + GOES_ON_WITHIN);
        }
        self.send_kept();
        let took = since.map_or(Duration::ZERO, |since| now - since);
        self.happen(SessionEvent::Restored { took, planned });
    }

    fn retell(&mut self) {
        // Who has not been greeted has not been talked to.
        if self.greeted.is_wanted() {
            return;
        }
        let names = &mut self.names;
        let items = self.mirror.retell(self.link.gate.owes_answer(), || {
            *names += 1;
            format!("ahoy_{names}")
        });
        for item in items {
            let event_id = self.name();
            self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
        }
    }

    /// Tells an item of an earlier link anew, since less of it was heard than was thought.
    pub(super) fn tell_again(&mut self, item: &str) {
        let id = format!("ahoy_{}", self.name());
        if let Some(item) = self.mirror.retell_one(item, || id) {
            let event_id = self.name();
            self.send(ClientEvent::ItemCreate { event_id, item: item.into() });
        }
    }

    fn send_kept(&mut self) {
        let kept: Vec<i16> = self.kept.drain(..).collect();
        if !kept.is_empty() {
            self.send_sound(&kept);
        }
    }

    /// There is no session to be had any more.
    pub(super) fn fail(&mut self, failure: Failure, now: Instant) {
        self.fail_after(failure, true, now);
    }

    fn fail_after(&mut self, failure: Failure, close: bool, now: Instant) {
        self.drop_next(true, false, now);
        self.let_go(close, now);
        self.is_over = true;
        self.happen(SessionEvent::Failed(failure));
    }
}
